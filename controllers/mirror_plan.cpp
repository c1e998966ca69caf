// Endpoints that somebody wrote by hand, as EndpointSlices: proxy and DNS read these alone.
#include <map>

#include "controllers/owned.h"
#include "controllers/service_endpoints.h"
#include "core/base/strings.h"

namespace kin::controllers {

namespace {
constexpr size_t kMaxEndpoints = 1000;
constexpr std::string_view kManagedBy = "endpointslicemirroring-controller.k8s.io";

Json mirrored_ports(const Json& subset) {
    Json out = Json::array();
    for (const Json& port : array_at(subset, {"ports"})) {
        Json item{{"name", string_at(port, {"name"})},
                  {"port", int_at(port, {"port"})},
                  {"protocol", string_at(port, {"protocol"}, "TCP")}};
        if (const Json* app = find(port, "appProtocol")) item["appProtocol"] = *app;
        out.push_back(std::move(item));
    }
    return out;
}

Json mirrored_endpoint(const Json& address, bool ready) {
    Json out{{"addresses", {string_at(address, {"ip"})}}, {"conditions", {{"ready", ready}}}};
    for (const char* field : {"hostname", "nodeName", "targetRef"}) {
        if (const Json* value = find(address, field)) out[field] = *value;
    }
    return out;
}

Json mirror_labels(const Endpoints& endpoints) {
    Json labels = Json::object();
    for (const auto& [key, value] : endpoints.meta.labels) labels[key] = value;
    labels["kubernetes.io/service-name"] = endpoints.key().name;
    labels["endpointslice.kubernetes.io/managed-by"] = kManagedBy;
    return labels;
}

/// What each set of ports, by its text, is to hold.
std::map<std::string, std::pair<Json, Json>> wanted_of(const Endpoints& endpoints) {
    std::map<std::string, std::pair<Json, Json>> out;
    for (const Json& subset : array_at(*endpoints.object, {"subsets"})) {
        Json ports = mirrored_ports(subset);
        auto& [its_ports, list] = out[to_text(ports)];
        its_ports = std::move(ports);
        if (list.is_null()) list = Json::array();
        for (const char* field : {"addresses", "notReadyAddresses"}) {
            for (const Json& address : array_at(subset, {field})) {
                if (list.size() == kMaxEndpoints) break;
                if (!Ipv4::parse(string_at(address, {"ip"}))) continue;
                list.push_back(mirrored_endpoint(address, std::string_view(field) == "addresses"));
            }
        }
    }
    return out;
}
}  // namespace

bool is_mirrored(const Endpoints& endpoints) {
    const auto skip = endpoints.meta.labels.find("endpointslice.kubernetes.io/skip-mirror");
    if (skip != endpoints.meta.labels.end() && skip->second == "true") return false;
    return !endpoints.meta.deleting() &&
           endpoints.meta.annotations.count("control-plane.alpha.kubernetes.io/leader") == 0;
}

bool is_mirror(const EndpointSlice& slice) {
    const auto found = slice.meta.labels.find("endpointslice.kubernetes.io/managed-by");
    return found != slice.meta.labels.end() && found->second == kManagedBy;
}

SliceChanges plan_mirror(const Endpoints& endpoints,
                         const std::vector<const EndpointSlice*>& existing) {
    SliceChanges changes;
    auto wanted = wanted_of(endpoints);
    const Json labels = mirror_labels(endpoints);
    for (const EndpointSlice* slice : existing) {
        const auto found = wanted.find(to_text(array_at(*slice->object, {"ports"})));
        if (found == wanted.end() || found->second.second.empty()) {
            changes.remove.push_back(slice);
            continue;
        }
        Json& list = found->second.second;
        if (array_at(*slice->object, {"endpoints"}) != list ||
            object_at(*slice->object, {"metadata", "labels"}) != labels) {
            Json object = *slice->object;
            object["endpoints"] = std::move(list);
            object["metadata"]["labels"] = labels;
            changes.update.push_back(std::move(object));
        }
        wanted.erase(found);
    }
    for (auto& [text, group] : wanted) {
        auto& [ports, list] = group;
        if (list.empty()) continue;
        Json slice{{"apiVersion", "discovery.k8s.io/v1"},
                   {"kind", "EndpointSlice"},
                   {"addressType", "IPv4"},
                   {"metadata",
                    {{"generateName", endpoints.key().name + "-"},
                     {"namespace", endpoints.key().ns},
                     {"labels", labels},
                     {"ownerReferences",
                      Json::array({owner_reference("v1", "Endpoints", endpoints.meta)})}}},
                   {"endpoints", std::move(list)}};
        if (!ports.empty()) slice["ports"] = std::move(ports);
        changes.create.push_back(std::move(slice));
    }
    return changes;
}

}  // namespace kin::controllers
