#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/api/views.h"
#include "core/base/json.h"

/// Small objects for the controllers' tests, as the API would have stored them.
namespace kin::test {

template <class T>
T view(Json object) {
    return decode<T>(std::make_shared<const Json>(std::move(object)));
}

struct PodShape {
    std::string name = "web-1";
    std::string node = {};
    std::string ip = {};
    bool ready = false;
    std::string phase = "Pending";
    Json labels = {{"app", "web"}};
    Json spec = Json::object();
    std::string deleted = {};
    std::string ready_since = "2026-01-01T00:00:00Z";
    std::string created = "2026-01-01T00:00:00Z";
    std::string owner_uid = {};
    Json annotations = Json::object();
};

inline Pod pod(const PodShape& shape) {
    Json object = {{"apiVersion", "v1"}, {"kind", "Pod"}, {"spec", shape.spec}};
    object["metadata"] = {{"name", shape.name},
                          {"namespace", "shop"},
                          {"uid", "uid-" + shape.name},
                          {"labels", shape.labels},
                          {"annotations", shape.annotations},
                          {"creationTimestamp", shape.created}};
    if (!shape.deleted.empty()) object["metadata"]["deletionTimestamp"] = shape.deleted;
    if (!shape.owner_uid.empty()) {
        object["metadata"]["ownerReferences"] = Json::array({{{"apiVersion", "apps/v1"},
                                                              {"kind", "ReplicaSet"},
                                                              {"name", "web"},
                                                              {"uid", shape.owner_uid},
                                                              {"controller", true}}});
    }
    if (!shape.node.empty()) object["spec"]["nodeName"] = shape.node;
    object["status"] = {{"phase", shape.phase},
                        {"conditions", Json::array({{{"type", "Ready"},
                                                     {"status", shape.ready ? "True" : "False"},
                                                     {"lastTransitionTime", shape.ready_since}}})}};
    if (!shape.ip.empty()) object["status"]["podIP"] = shape.ip;
    return view<Pod>(std::move(object));
}

inline Node node(const std::string& name, Json spec = Json::object(), Json labels = Json::object(),
                 Json allocatable = Json::object()) {
    labels["kubernetes.io/hostname"] = name;
    return view<Node>({{"metadata", {{"name", name}, {"labels", std::move(labels)}}},
                       {"spec", std::move(spec)},
                       {"status",
                        {{"allocatable", std::move(allocatable)},
                         {"conditions", Json::array({{{"type", "Ready"}, {"status", "True"}}})}}}});
}

template <class T>
std::vector<const T*> pointers(const std::vector<T>& objects) {
    std::vector<const T*> out = {};
    for (const T& object : objects) out.push_back(&object);
    return out;
}

}  // namespace kin::test
