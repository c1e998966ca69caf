#include "apiserver/pod_lookup.h"

#include "core/api/kinds.h"
#include "core/base/strings.h"

namespace kin::apiserver {

namespace {
constexpr std::string_view kContainerLists[] = {"containers", "initContainers",
                                                "ephemeralContainers"};

std::vector<std::string> names_in(const Json& pod, std::string_view list) {
    std::vector<std::string> names;
    for (const Json& container : array_at(pod, {"spec", list}))
        names.push_back(string_at(container, {"name"}));
    return names;
}

Status several_containers(const Json& pod, const std::vector<std::string>& names) {
    std::string text =
        cat("a container name must be specified for pod ", string_at(pod, {"metadata", "name"}),
            ", choose one of: [", join(names, " "), "]");
    const auto init = names_in(pod, "initContainers");
    if (!init.empty()) text += cat(" or one of the init containers: [", join(init, " "), "]");
    return bad_request(std::move(text));
}

/// The container's entry in the pod's status, an empty object if there is none yet.
const Json& status_of(const FoundContainer& found) {
    for (const char* list :
         {"containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"})
        for (const Json& status : array_at(found.pod, {"status", list}))
            if (string_at(status, {"name"}) == found.name) return status;
    static const Json kNone = Json::object();
    return kNone;
}
}  // namespace

namespace {
Answer<Json> find_pod(const Store& store, const ObjectKey& pod) {
    const StoredPtr stored = store.find("pods", pod);
    if (!stored) return not_found(*find_kind_of("v1", "Pod"), pod.name);
    return *json_of(*stored);
}
}  // namespace

Answer<Ok> require_running(const Store& store, const ObjectKey& pod) {
    TRY_ASSIGN(const Json json, find_pod(store, pod));
    const std::string phase = string_at(json, {"status", "phase"});
    if (phase != "Running")
        return bad_request(
            cat("unable to forward port because pod is not running. Current status=", phase));
    return Ok{};
}

Answer<FoundContainer> find_container(const Store& store, const ObjectKey& pod,
                                      std::string_view container) {
    TRY_ASSIGN(Json json, find_pod(store, pod));
    FoundContainer found{std::move(json), std::string(container)};
    if (container.empty()) {
        const auto names = names_in(found.pod, "containers");
        if (names.size() != 1) return several_containers(found.pod, names);
        found.name = names[0];
        return found;
    }
    for (const auto& list : kContainerLists)
        for (const std::string& name : names_in(found.pod, list))
            if (name == container) return found;
    return bad_request(cat("container ", container, " is not valid for pod ", pod.name));
}

Answer<Ok> require_log(const FoundContainer& found, bool previous) {
    const std::string pod = string_at(found.pod, {"metadata", "name"});
    if (string_at(found.pod, {"spec", "nodeName"}).empty())
        return bad_request(cat("pod ", pod, " does not have a host assigned"));
    const Json& status = status_of(found);
    const bool ended_before = find(status, {"lastState", "terminated"}) != nullptr;
    if (previous && !ended_before)
        return bad_request(cat("previous terminated container \"", found.name, "\" in pod \"", pod,
                               "\" not found"));
    const bool has_run =
        ended_before || find(status, {"state", "running"}) || find(status, {"state", "terminated"});
    if (has_run) return Ok{};
    const std::string reason =
        string_at(status, {"state", "waiting", "reason"}, "ContainerCreating");
    const bool no_image = reason == "ErrImagePull" || reason == "ImagePullBackOff";
    return bad_request(
        cat("container \"", found.name, "\" in pod \"", pod,
            "\" is waiting to start: ", no_image ? "trying and failing to pull image" : reason));
}

}  // namespace kin::apiserver
