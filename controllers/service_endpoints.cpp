#include "controllers/service_endpoints.h"

#include <algorithm>
#include <map>

#include "core/base/ip.h"
#include "core/base/strings.h"

namespace kin::controllers {

namespace {
constexpr std::string_view kHeadlessLabel = "service.kubernetes.io/headless";

Json pod_reference(const Pod& pod) {
    return {{"kind", "Pod"},
            {"name", pod.key().name},
            {"namespace", pod.key().ns},
            {"uid", pod.meta.uid}};
}

/// Labels that the derived object takes over from its Service.
Json copied_labels(const Service& service) {
    Json labels = Json::object();
    for (const auto& [key, value] : service.meta.labels) {
        if (key != kHeadlessLabel && key != "kubernetes.io/service-name" &&
            key != "endpointslice.kubernetes.io/managed-by") {
            labels[key] = value;
        }
    }
    if (service.headless()) labels[std::string(kHeadlessLabel)] = "";
    return labels;
}

/// One group of an Endpoints object: addresses that share their ports.
struct Subset {
    Json ready = Json::array(), not_ready = Json::array();
};

Json ports_json(const std::vector<EndpointsPort>& ports) {
    Json out = Json::array();
    for (const EndpointsPort& port : ports) {
        Json item = {{"port", port.port}, {"protocol", name_of(port.protocol)}};
        if (!port.name.empty()) item["name"] = port.name;
        out.push_back(std::move(item));
    }
    return out;
}

Json endpoint_address(const Service& service, const Pod& pod) {
    Json address = {{"ip", pod.ip}, {"targetRef", pod_reference(pod)}};
    if (!pod.node.empty()) address["nodeName"] = pod.node;
    if (!pod.hostname.empty() && pod.subdomain == service.key().name) {
        address["hostname"] = pod.hostname;
    }
    return address;
}
}  // namespace

uint16_t resolve_port(const Pod& pod, const ServicePort& port) {
    if (port.target.name.empty()) return port.target.number ? port.target.number : port.port;
    for (const ContainerPort& candidate : pod.ports) {
        if (candidate.name == port.target.name && candidate.protocol == port.protocol) {
            return candidate.port;
        }
    }
    // Sidecars are init containers, which the view's ports leave out.
    for (const Json& container : array_at(pod.spec(), {"initContainers"})) {
        if (string_at(container, {"restartPolicy"}) != "Always") continue;
        for (const Json& candidate : array_at(container, {"ports"})) {
            if (string_at(candidate, {"name"}) == port.target.name &&
                protocol_of(string_at(candidate, {"protocol"})) == port.protocol) {
                return static_cast<uint16_t>(int_at(candidate, {"containerPort"}));
            }
        }
    }
    return 0;
}

bool is_managed(const Service& service) {
    // An empty selector selects nothing here, unlike in a NetworkPolicy, where it selects all.
    return !service.selector.empty() && service.type != "ExternalName";
}

std::vector<BackingPod> backing_pods(const Service& service, const std::vector<const Pod*>& pods) {
    std::vector<BackingPod> out;
    if (!is_managed(service)) return out;
    const auto selector = LabelSelector::from_map(service.selector);
    for (const Pod* pod : pods) {
        if (pod->key().ns != service.key().ns || pod->ip.empty() || pod->finished()) continue;
        if (!selector.matches(pod->meta.labels)) continue;
        BackingPod backing;
        backing.pod = pod;
        backing.serving = pod->ready;
        backing.terminating = pod->meta.deleting();
        backing.ready = service.publish_not_ready || (pod->ready && !backing.terminating);
        for (const ServicePort& port : service.ports) {
            const uint16_t number = resolve_port(*pod, port);
            // A name that this pod does not know: it serves the other ports.
            if (number != 0) backing.ports.push_back({port.name, number, port.protocol});
        }
        // A headless Service may have no ports at all; any other needs one to be reached by.
        if (backing.ports.empty() && !(service.headless() && service.ports.empty())) continue;
        out.push_back(std::move(backing));
    }
    std::sort(out.begin(), out.end(), [](const BackingPod& a, const BackingPod& b) {
        const auto address = [](const BackingPod& pod) {
            return Ipv4::parse(pod.pod->ip).value_or(Ipv4{}).value;
        };
        return std::make_tuple(address(a), a.pod->key()) <
               std::make_tuple(address(b), b.pod->key());
    });
    return out;
}

Json desired_endpoints(const Service& service, const std::vector<BackingPod>& pods) {
    // Keyed by the ports' text: Endpoints group addresses by ports, and groups need an order.
    std::map<std::string, std::pair<Json, Subset>> groups;
    size_t count = 0;
    for (const BackingPod& backing : pods) {
        if (backing.terminating && !service.publish_not_ready) continue;
        // More than 1000 addresses do not go into one Endpoints object.
        if (++count > 1000) break;
        Json ports = ports_json(backing.ports);
        auto& [group_ports, subset] = groups[to_text(ports)];
        group_ports = std::move(ports);
        (backing.ready ? subset.ready : subset.not_ready)
            .push_back(endpoint_address(service, *backing.pod));
    }
    Json labels = copied_labels(service);
    labels["endpoints.kubernetes.io/managed-by"] = "endpoint-controller";
    Json endpoints = {{"apiVersion", "v1"},
                      {"kind", "Endpoints"},
                      {"metadata",
                       {{"name", service.key().name},
                        {"namespace", service.key().ns},
                        {"labels", std::move(labels)}}}};
    if (count > 1000) {
        endpoints["metadata"]["annotations"]["endpoints.kubernetes.io/over-capacity"] = "truncated";
    }
    for (auto& [text, group] : groups) {
        auto& [ports, subset] = group;
        Json item = Json::object();
        if (!subset.ready.empty()) item["addresses"] = std::move(subset.ready);
        if (!subset.not_ready.empty()) item["notReadyAddresses"] = std::move(subset.not_ready);
        if (!ports.empty()) item["ports"] = std::move(ports);
        endpoints["subsets"].push_back(std::move(item));
    }
    return endpoints;
}

}  // namespace kin::controllers
