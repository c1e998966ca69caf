#include "web/topology.h"

#include <algorithm>

#include "core/base/strings.h"

namespace kin::web {

namespace {
/// What netns/pod says at each Node of how the lab's network was chosen.
constexpr const char* kCniLabel = "kin.internal/cni";
constexpr const char* kOverlayLabel = "kin.internal/overlay";

Json thing(std::string_view kind, const View& view) {
    const ObjectKey& key = view.key();
    return {{"id", id_of(kind, key)}, {"kind", kind}, {"ns", key.ns}, {"name", key.name}};
}

/// A thing of which less is drawn than there is.
Json revised_thing(std::string_view kind, const View& view) {
    Json out = thing(kind, view);
    out["revision"] = view.meta.revision;
    return out;
}

/// The first container that says why it does not run.
std::string waiting_reason(const Json& statuses) {
    for (const Json& status : statuses) {
        for (const char* state : {"waiting", "terminated"}) {
            const std::string reason = string_at(status, {"state", state, "reason"});
            if (!reason.empty()) return reason;
        }
    }
    return {};
}

/// "Init:1/2" while init containers are at work, "" once they are done.
std::string init_progress(const Pod& pod) {
    const Json& statuses = array_at(pod.status(), {"initContainerStatuses"});
    size_t done = 0;
    for (const Json& status : statuses) {
        const bool ended = int_at(status, {"state", "terminated", "exitCode"}, -1) == 0;
        if (!ended && !bool_at(status, {"started"})) break;
        ++done;
    }
    if (done == statuses.size()) return {};
    const std::string reason = waiting_reason(Json::array({statuses[done]}));
    if (!reason.empty() && reason != "PodInitializing") return cat("Init:", reason);
    return cat("Init:", done, '/', statuses.size());
}

/// Why no node takes it, as the scheduler says; "" as long as it has not tried.
std::string scheduling_problem(const Pod& pod) {
    for (const Json& condition : array_at(pod.status(), {"conditions"}))
        if (string_at(condition, {"type"}) == "PodScheduled" &&
            string_at(condition, {"status"}) == "False")
            return string_at(condition, {"message"}, "no node takes it");
    return {};
}

int restarts(const Pod& pod) {
    int64_t count = 0;
    for (const Json& status : array_at(pod.status(), {"containerStatuses"}))
        count += int_at(status, {"restartCount"});
    return static_cast<int>(count);
}

std::string port_text(const PortRef& port) {
    return port.name.empty() ? std::to_string(port.number) : port.name;
}

Json backend_json(const IngressBackend& backend) {
    return {{"service", backend.service}, {"port", port_text(backend.port)}};
}

Json endpoint_json(const EndpointSlice::Endpoint& endpoint, const std::string& address) {
    Json out{{"ip", address}, {"ready", endpoint.ready}};
    if (!endpoint.target.name.empty()) out["pod"] = id_of("pod", endpoint.target);
    if (!endpoint.node.empty()) out["node"] = endpoint.node;
    return out;
}
}  // namespace

std::string id_of(std::string_view kind, const ObjectKey& key) {
    return cat(kind, '/', key.ns, key.ns.empty() ? "" : "/", key.name);
}

Json host_json(const Outsider& host) {
    return {{"id", cat("host/", host.name)},
            {"kind", "host"},
            {"ns", ""},
            {"name", host.name},
            {"role", host.role},
            {"ip", host.address},
            {"ready", true}};
}

Json host_json(const Node& node) {
    Json out = thing("host", node);
    out["role"] = "node";
    out["ip"] = node.internal_ip;
    out["pods"] = node.pod_cidr;
    if (const auto pods = Cidr::parse(node.pod_cidr))
        out["gateway"] = pods->address.plus(1).to_string();
    out["ready"] = node.ready;
    const auto& labels = node.meta.labels;
    if (const auto cni = labels.find(kCniLabel); cni != labels.end()) out["cni"] = cni->second;
    if (const auto overlay = labels.find(kOverlayLabel); overlay != labels.end())
        out["overlay"] = overlay->second;
    if (labels.contains("node-role.kubernetes.io/control-plane")) out["control"] = true;
    if (node.unschedulable) out["cordoned"] = true;
    return out;
}

std::string pod_status(const Pod& pod) {
    if (pod.meta.deleting()) return "Terminating";
    if (std::string progress = init_progress(pod); !progress.empty()) return progress;
    const std::string reason = string_at(pod.status(), {"reason"});
    if (!reason.empty()) return reason;
    const std::string waits = waiting_reason(array_at(pod.status(), {"containerStatuses"}));
    return waits.empty() ? pod.phase : waits;
}

Json pod_json(const Pod& pod, const std::string& link) {
    Json out = thing("pod", pod);
    out["node"] = pod.node;
    out["ip"] = pod.ip;
    out["phase"] = pod.phase;
    out["status"] = pod_status(pod);
    out["ready"] = pod.ready;
    out["labels"] = pod.meta.labels;
    if (!link.empty()) out["link"] = link;
    if (pod.host_network) out["hostNetwork"] = true;
    if (pod.node.empty())
        if (std::string why = scheduling_problem(pod); !why.empty()) out["waits"] = std::move(why);
    if (const int count = restarts(pod); count > 0) out["restarts"] = count;
    if (const OwnerReference* owner = pod.meta.controller())
        out["owner"] = cat(owner->kind, '/', owner->name);
    Json containers = Json::array();
    for (const Json& container : array_at(pod.spec(), {"containers"}))
        containers.push_back(
            {{"name", string_at(container, {"name"})}, {"image", string_at(container, {"image"})}});
    out["containers"] = std::move(containers);
    return out;
}

Json service_json(const Service& service, const std::vector<const EndpointSlice*>& slices) {
    Json out = revised_thing("service", service);
    out["type"] = service.type;
    out["ip"] = service.cluster_ip;
    Json outside = Json::array();
    for (const std::string& ip : service.external_ips) outside.push_back(ip);
    for (const std::string& ip : service.load_balancer_ips) outside.push_back(ip);
    if (!outside.empty()) out["outside"] = std::move(outside);
    if (!service.external_name.empty()) out["externalName"] = service.external_name;
    if (service.affinity_seconds != 0) out["affinity"] = service.affinity_seconds;
    if (!service.selector.empty()) out["selector"] = service.selector;
    Json ports = Json::array();
    for (const ServicePort& port : service.ports) {
        Json one{{"port", port.port},
                 {"protocol", name_of(port.protocol)},
                 {"target", port_text(port.target)}};
        if (!port.name.empty()) one["name"] = port.name;
        if (port.node_port != 0) one["nodePort"] = port.node_port;
        ports.push_back(std::move(one));
    }
    out["ports"] = std::move(ports);
    Json endpoints = Json::array();
    for (const EndpointSlice* slice : slices)
        for (const auto& endpoint : slice->endpoints)
            for (const std::string& address : endpoint.addresses)
                endpoints.push_back(endpoint_json(endpoint, address));
    out["endpoints"] = std::move(endpoints);
    return out;
}

Json ingress_json(const Ingress& ingress) {
    Json out = revised_thing("ingress", ingress);
    out["class"] = ingress.class_name;
    Json routes = Json::array();
    for (const IngressRule& rule : ingress.rules) {
        for (const IngressPath& path : rule.paths) {
            Json route = backend_json(path.backend);
            route["host"] = rule.host;
            route["path"] = path.path;
            route["pathType"] = name_of(path.type);
            routes.push_back(std::move(route));
        }
    }
    if (ingress.default_backend) {
        Json route = backend_json(*ingress.default_backend);
        route["host"] = route["path"] = "";
        routes.push_back(std::move(route));
    }
    out["routes"] = std::move(routes);
    out["tls"] = !ingress.tls.empty();
    return out;
}

Json policy_json(const NetworkPolicy& policy, const std::vector<const Pod*>& pods) {
    Json out = revised_thing("policy", policy);
    out["ingress"] = policy.isolates_ingress;
    out["egress"] = policy.isolates_egress;
    out["selector"] = policy.selector.to_string();
    Json selected = Json::array();
    for (const Pod* pod : pods)
        if (policy.selector.matches(pod->meta.labels)) selected.push_back(id_of("pod", pod->key()));
    out["pods"] = std::move(selected);
    return out;
}

namespace {
void append_texts(std::string& out, const std::map<std::string, std::string>& things) {
    bool first = true;
    for (const auto& [id, text] : things) {
        if (!std::exchange(first, false)) out += ',';
        out += text;
    }
}
}  // namespace

std::string Delta::text() const {
    std::string out = R"({"type":"delta","set":[)";
    append_texts(out, set);
    return cat(out, R"(],"gone":)", to_text(Json(gone)), '}');
}

void Topology::put(const std::string& id, const Json& thing, Delta& delta) {
    const auto held = things_.find(id);
    if (thing.is_null()) {
        if (held == things_.end()) return;
        delta.set.erase(id);
        delta.gone.push_back(id);
        things_.erase(held);
        return;
    }
    std::string text = to_text(thing);
    if (held != things_.end() && held->second == text) return;
    std::erase(delta.gone, id);
    delta.set[id] = text;
    things_[id] = std::move(text);
}

void Topology::apply(const Delta& delta) {
    for (const auto& [id, text] : delta.set) things_[id] = text;
    for (const std::string& id : delta.gone) things_.erase(id);
}

std::string Topology::snapshot(const Json& head) const {
    Json first = head;
    first["type"] = "snapshot";
    std::string out = to_text(first);
    out.pop_back();  // The brace that closes it.
    out += R"(,"things":[)";
    append_texts(out, things_);
    return out + "]}";
}

}  // namespace kin::web
