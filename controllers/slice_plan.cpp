#include <algorithm>
#include <map>

#include "controllers/owned.h"
#include "controllers/service_endpoints.h"
#include "core/base/strings.h"

namespace kin::controllers {

namespace {
constexpr size_t kMaxEndpoints = 100;
constexpr std::string_view kManagedBy = "endpointslice-controller.k8s.io";

Json endpoint_json(const Service& service, const BackingPod& backing, const std::string& zone) {
    const Pod& pod = *backing.pod;
    Json endpoint = {{"addresses", {pod.ip}},
                     {"conditions",
                      {{"ready", backing.ready},
                       {"serving", backing.serving},
                       {"terminating", backing.terminating}}},
                     {"targetRef",
                      {{"kind", "Pod"},
                       {"name", pod.key().name},
                       {"namespace", pod.key().ns},
                       {"uid", pod.meta.uid}}}};
    if (!pod.node.empty()) endpoint["nodeName"] = pod.node;
    if (!zone.empty()) endpoint["zone"] = zone;
    if (!pod.hostname.empty() && pod.subdomain == service.key().name) {
        endpoint["hostname"] = pod.hostname;
    }
    return endpoint;
}

Json ports_of(const Service& service, const BackingPod& backing) {
    Json ports = Json::array();
    for (const EndpointsPort& port : backing.ports) {
        // The name is always there, "" for the only port, as upstream writes it.
        Json item = {
            {"name", port.name}, {"port", port.port}, {"protocol", name_of(port.protocol)}};
        for (const ServicePort& of_service : service.ports) {
            if (of_service.name == port.name && !of_service.app_protocol.empty()) {
                item["appProtocol"] = of_service.app_protocol;
            }
        }
        ports.push_back(std::move(item));
    }
    return ports;
}

Json slice_labels(const Service& service) {
    Json labels = Json::object();
    for (const auto& [key, value] : service.meta.labels) {
        if (key != "service.kubernetes.io/headless") labels[key] = value;
    }
    labels["kubernetes.io/service-name"] = service.key().name;
    labels["endpointslice.kubernetes.io/managed-by"] = kManagedBy;
    if (service.headless()) labels["service.kubernetes.io/headless"] = "";
    return labels;
}

Json new_slice(const Service& service, const Json& ports, Json endpoints) {
    Json slice = {
        {"apiVersion", "discovery.k8s.io/v1"},
        {"kind", "EndpointSlice"},
        {"addressType", "IPv4"},
        {"metadata",
         {{"generateName", service.key().name + "-"},
          {"namespace", service.key().ns},
          {"labels", slice_labels(service)},
          {"ownerReferences", Json::array({owner_reference("v1", "Service", service.meta)})}}},
        {"endpoints", std::move(endpoints)}};
    if (!ports.empty()) slice["ports"] = ports;
    return slice;
}

/// Endpoints that belong together in slices, by pod (its uid).
using Wanted = std::map<std::string, Json>;

/// What stays of a slice's endpoints, brought up to date; these leave `wanted`.
Json keep_wanted(const EndpointSlice& slice, Wanted& wanted) {
    Json kept = Json::array();
    for (const Json& endpoint : array_at(*slice.object, {"endpoints"})) {
        const auto found = wanted.find(string_at(endpoint, {"targetRef", "uid"}));
        if (found == wanted.end()) continue;
        kept.push_back(std::move(found->second));
        wanted.erase(found);
    }
    return kept;
}

void fill(Json& endpoints, Wanted& wanted) {
    while (!wanted.empty() && endpoints.size() < kMaxEndpoints) {
        endpoints.push_back(std::move(wanted.begin()->second));
        wanted.erase(wanted.begin());
    }
}

/// Puts `endpoints` into `slice`; a whole object if that changes it.
std::optional<Json> updated(const Service& service, const EndpointSlice& slice, Json endpoints) {
    Json labels = slice_labels(service);
    if (array_at(*slice.object, {"endpoints"}) == endpoints &&
        object_at(*slice.object, {"metadata", "labels"}) == labels) {
        return {};
    }
    Json object = *slice.object;
    object["metadata"]["labels"] = std::move(labels);
    object["endpoints"] = std::move(endpoints);
    return object;
}
}  // namespace

SliceChanges plan_slices(const Service& service, const std::vector<BackingPod>& pods,
                         const std::vector<const EndpointSlice*>& existing,
                         const std::function<std::string(const std::string& node)>& zone_of) {
    std::map<std::string, std::pair<Json, Wanted>> groups;  // By the text of their ports.
    for (const BackingPod& backing : pods) {
        Json ports = ports_of(service, backing);
        auto& [group_ports, wanted] = groups[to_text(ports)];
        group_ports = std::move(ports);
        wanted[backing.pod->meta.uid] = endpoint_json(service, backing, zone_of(backing.pod->node));
    }
    // A Service that selects nobody has one empty slice, so that it can be seen to be served.
    if (groups.empty() && is_managed(service)) groups[""].first = Json::array();

    SliceChanges changes;
    std::map<std::string, std::vector<std::pair<const EndpointSlice*, Json>>> kept;
    for (const EndpointSlice* slice : existing) {
        std::string ports = to_text(array_at(*slice->object, {"ports"}));
        if (ports == "[]") ports = groups.count("") != 0 ? "" : "[]";
        const auto group = groups.find(ports);
        if (group == groups.end() || slice->address_type != "IPv4") {
            changes.remove.push_back(slice);
            continue;
        }
        kept[ports].emplace_back(slice, keep_wanted(*slice, group->second.second));
    }
    for (auto& [text, group] : groups) {
        auto& [ports, wanted] = group;
        bool placeholder = text.empty();
        for (auto& [slice, endpoints] : kept[text]) {
            fill(endpoints, wanted);
            if (endpoints.empty() && !placeholder) {
                changes.remove.push_back(slice);
                continue;
            }
            placeholder = false;
            auto object = updated(service, *slice, std::move(endpoints));
            if (object) changes.update.push_back(std::move(*object));
        }
        while (!wanted.empty() || placeholder) {
            placeholder = false;
            Json endpoints = Json::array();
            fill(endpoints, wanted);
            changes.create.push_back(new_slice(service, ports, std::move(endpoints)));
        }
    }
    return changes;
}

}  // namespace kin::controllers
