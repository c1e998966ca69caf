#include "controllers/placement.h"

#include <algorithm>
#include <cstdint>
#include <tuple>

#include "core/api/quantity.h"
#include "core/base/strings.h"

namespace kin::controllers {

namespace {
constexpr std::string_view kRequired = "requiredDuringSchedulingIgnoredDuringExecution";

const Json& required_terms(const Pod& pod, std::string_view kind) {
    return array_at(pod.spec(), {"affinity", kind, kRequired});
}

/// `other` is one that a (anti-)affinity term of `pod` speaks of.
bool term_selects(const Pod& pod, const Json& term, const Pod& other) {
    const Json& namespaces = array_at(term, {"namespaces"});
    const bool everywhere = find(term, "namespaceSelector") != nullptr &&
                            object_at(term, {"namespaceSelector"}).empty();
    const bool here = namespaces.empty() ? other.key().ns == pod.key().ns
                                         : std::find(namespaces.begin(), namespaces.end(),
                                                     Json(other.key().ns)) != namespaces.end();
    if (!here && !everywhere) return false;
    const Json* selector = find(term, "labelSelector");
    return selector && LabelSelector::from_json(*selector).matches(other.meta.labels);
}

std::string topology_value(const Node& node, const Json& term) {
    const auto found = node.meta.labels.find(string_at(term, {"topologyKey"}));
    return found == node.meta.labels.end() ? "" : found->second;
}

/// "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable."
std::string summary(size_t nodes, const std::map<std::string, int>& reasons) {
    std::vector<std::string> parts;
    for (const auto& [reason, count] : reasons) parts.push_back(cat(count, ' ', reason));
    std::sort(parts.begin(), parts.end());
    return cat("0/", nodes, " nodes are available: ", join(parts, ", "), '.');
}

/// Lack of room is the only obstacle that evicting others could remove.
bool is_resource(const std::string& reason) {
    return reason.starts_with("Insufficient") || reason.starts_with("Too many pods") ||
           reason.find("free ports") != std::string::npos;
}
}  // namespace

Placement::Placement(const std::vector<const Node*>& nodes) {
    for (const Node* node : nodes) {
        const Json& allocatable = object_at(node->status(), {"allocatable"});
        const auto amount = [&](std::string_view name) {
            return Quantity::parse(string_at(allocatable, {name}));
        };
        const auto cpu = amount("cpu"), memory = amount("memory"), pods = amount("pods");
        places_.push_back(
            {node,
             taints_of(*node),
             {cpu ? cpu->milli_value() : INT64_MAX, memory ? memory->value() : INT64_MAX},
             pods ? pods->value() : INT64_MAX,
             0,
             {},
             {},
             {},
             {}});
    }
}

std::string Placement::owner_of(const Pod& pod) {
    const OwnerReference* owner = pod.meta.controller();
    return owner ? owner->uid : "";
}

std::vector<Placement::HostPort> Placement::host_ports(const Pod& pod) {
    std::vector<HostPort> out;
    for (const Json& container : array_at(pod.spec(), {"containers"})) {
        for (const Json& port : array_at(container, {"ports"})) {
            const int64_t number = int_at(port, {"hostPort"});
            if (number <= 0 || number > 65535) continue;
            std::string address = string_at(port, {"hostIP"});
            if (address == "0.0.0.0") address.clear();
            out.push_back({static_cast<uint16_t>(number),
                           protocol_of(string_at(port, {"protocol"})), std::move(address)});
        }
    }
    return out;
}

bool Placement::ports_clash(const Place& place, const std::vector<HostPort>& wanted) {
    for (const HostPort& want : wanted) {
        for (const HostPort& used : place.ports) {
            if (want.port == used.port && want.protocol == used.protocol &&
                (want.address == used.address || want.address.empty() || used.address.empty())) {
                return true;
            }
        }
    }
    return false;
}

void Placement::add(const Pod& pod, const std::string& node) {
    for (Place& place : places_) {
        if (place.node->key().name != node) continue;
        const Request request = request_of(pod.spec());
        if (place.free.cpu_milli != INT64_MAX) place.free.cpu_milli -= request.cpu_milli;
        if (place.free.memory_bytes != INT64_MAX) place.free.memory_bytes -= request.memory_bytes;
        if (place.free_pods != INT64_MAX) --place.free_pods;
        ++place.pods;
        ++place.of_owner[owner_of(pod)];
        for (HostPort& port : host_ports(pod)) place.ports.push_back(std::move(port));
        place.placed.push_back(&pod);
        if (!required_terms(pod, "podAntiAffinity").empty()) place.unsociable.push_back(&pod);
    }
}

bool Placement::term_met(const Pod& pod, const Json& term, const Place& place) const {
    const std::string value = topology_value(*place.node, term);
    if (value.empty()) return false;
    for (const Place& other : places_) {
        if (topology_value(*other.node, term) != value) continue;
        for (const Pod* placed : other.placed) {
            if (term_selects(pod, term, *placed)) return true;
        }
    }
    return false;
}

std::string Placement::affinity_obstacle(const Pod& pod, const Place& place) const {
    for (const Json& term : required_terms(pod, "podAffinity")) {
        if (term_met(pod, term, place)) continue;
        // The first pod of a group that wants to be together may go anywhere.
        const bool first = term_selects(pod, term, pod) &&
                           std::none_of(places_.begin(), places_.end(), [&](const Place& other) {
                               return term_met(pod, term, other);
                           });
        if (!first || topology_value(*place.node, term).empty()) {
            return "node(s) didn't match pod affinity rules";
        }
    }
    for (const Json& term : required_terms(pod, "podAntiAffinity")) {
        if (term_met(pod, term, place)) return "node(s) didn't match pod anti-affinity rules";
    }
    for (const Place& other : places_) {
        for (const Pod* placed : other.unsociable) {
            for (const Json& term : required_terms(*placed, "podAntiAffinity")) {
                const std::string value = topology_value(*other.node, term);
                if (!value.empty() && value == topology_value(*place.node, term) &&
                    term_selects(*placed, term, pod)) {
                    return "node(s) didn't satisfy existing pods anti-affinity rules";
                }
            }
        }
    }
    return "";
}

std::vector<std::string> Placement::obstacles(const Pod& pod, const Place& place) const {
    const Json& tolerations = array_at(pod.spec(), {"tolerations"});
    const Taint unschedulable{"node.kubernetes.io/unschedulable", "", "NoSchedule"};
    if (place.node->unschedulable && !tolerates(tolerations, unschedulable)) {
        return {"node(s) were unschedulable"};
    }
    if (find_untolerated(place.taints, tolerations, {"NoSchedule", "NoExecute"})) {
        return {"node(s) had untolerated taint(s)"};
    }
    if (!selects_node(pod.spec(), *place.node)) {
        return {"node(s) didn't match Pod's node affinity/selector"};
    }
    if (ports_clash(place, host_ports(pod))) {
        return {"node(s) didn't have free ports for the requested pod ports"};
    }
    const Request request = request_of(pod.spec());
    std::vector<std::string> lacking;
    if (place.free_pods <= 0) lacking.push_back("Too many pods");
    if (request.cpu_milli > 0 && request.cpu_milli > place.free.cpu_milli) {
        lacking.push_back("Insufficient cpu");
    }
    if (request.memory_bytes > 0 && request.memory_bytes > place.free.memory_bytes) {
        lacking.push_back("Insufficient memory");
    }
    if (!lacking.empty()) return lacking;
    const std::string affinity = affinity_obstacle(pod, place);
    return affinity.empty() ? std::vector<std::string>{} : std::vector<std::string>{affinity};
}

Placement::Decision Placement::place(const Pod& pod) {
    if (places_.empty()) return {"", "no nodes available to schedule pods"};
    const std::string owner = owner_of(pod);
    const Place* best = nullptr;
    std::tuple<int64_t, int, int, int, std::string_view> best_score;
    std::map<std::string, int> reasons;
    int evictable = 0;
    for (const Place& place : places_) {
        const std::vector<std::string> found = obstacles(pod, place);
        if (!found.empty()) {
            for (const std::string& reason : found) ++reasons[reason];
            evictable += is_resource(found.front());
            continue;
        }
        const auto same = place.of_owner.find(owner);
        const int same_owner = owner.empty() || same == place.of_owner.end() ? 0 : same->second;
        const int soft_taint = find_untolerated(place.taints, array_at(pod.spec(), {"tolerations"}),
                                                {"PreferNoSchedule"}) != nullptr;
        const std::tuple<int64_t, int, int, int, std::string_view> score{
            -node_preference(pod.spec(), *place.node), soft_taint, same_owner, place.pods,
            place.node->key().name};
        if (!best || score < best_score) {
            best = &place;
            best_score = score;
        }
    }
    if (best) {
        const std::string node = best->node->key().name;
        add(pod, node);
        return {node, ""};
    }
    std::map<std::string, int> preemption;
    const int hopeless = static_cast<int>(places_.size()) - evictable;
    if (evictable > 0) preemption["No preemption victims found for incoming pod"] = evictable;
    if (hopeless > 0) preemption["Preemption is not helpful for scheduling"] = hopeless;
    return {"", cat(summary(places_.size(), reasons), " no new claims to deallocate, preemption: ",
                    summary(places_.size(), preemption))};
}

}  // namespace kin::controllers
