// Pods, nodes, namespaces and Events.

#include <set>

#include "apiserver/table_columns.h"
#include "core/base/strings.h"

namespace kin::apiserver::table {
namespace {

/// What the cells of a pod say together.
struct PodSummary {
    int64_t ready = 0, total = 0, restarts = 0;
    std::string status;
    std::string last_restart;  // RFC 3339; these compare as texts.
};

/// How a terminated container is named that gives no reason of its own.
std::string end_of(const Json& terminated) {
    const std::string reason = string_at(terminated, {"reason"});
    if (!reason.empty()) return reason;
    const int64_t signal = int_at(terminated, {"signal"});
    return signal != 0 ? cat("Signal:", signal)
                       : cat("ExitCode:", int_at(terminated, {"exitCode"}));
}

void count_restarts(PodSummary& pod, const Json& container) {
    pod.restarts += int_at(container, {"restartCount"});
    pod.last_restart =
        std::max(pod.last_restart, string_at(container, {"lastState", "terminated", "finishedAt"}));
}

/// Names of the init containers that keep running beside the others.
std::set<std::string> sidecars_of(const Json& pod) {
    std::set<std::string> names;
    for (const Json& container : array_at(pod, {"spec", "initContainers"})) {
        if (string_at(container, {"restartPolicy"}) == "Always") {
            names.insert(string_at(container, {"name"}));
        }
    }
    return names;
}

/// What an init container that is not done yet makes of the pod's status; "" if it is done.
std::string init_status(const Json& container, size_t index, size_t count) {
    const Json* terminated = find(container, JsonPath{"state", "terminated"});
    if (terminated) return cat("Init:", end_of(*terminated));
    const std::string waiting = string_at(container, {"state", "waiting", "reason"});
    if (!waiting.empty() && waiting != "PodInitializing") return cat("Init:", waiting);
    return cat("Init:", index, '/', count);
}

/// True if an init container is not done.
bool summarize_init(PodSummary& pod, const Json& object, const std::set<std::string>& sidecars,
                    PodSummary& of_sidecars) {
    const Json& statuses = array_at(object, {"status", "initContainerStatuses"});
    for (size_t i = 0; i < statuses.size(); ++i) {
        const Json& container = statuses[i];
        count_restarts(pod, container);
        const bool sidecar = sidecars.contains(string_at(container, {"name"}));
        if (sidecar) count_restarts(of_sidecars, container);
        const Json* terminated = find(container, JsonPath{"state", "terminated"});
        if (terminated && int_at(*terminated, {"exitCode"}) == 0) continue;
        if (sidecar && bool_at(container, {"started"})) {
            if (bool_at(container, {"ready"})) ++pod.ready;
            continue;
        }
        pod.status = init_status(container, i, array_at(object, {"spec", "initContainers"}).size());
        return true;
    }
    return false;
}

void summarize_containers(PodSummary& pod, const Json& object) {
    const Json& statuses = array_at(object, {"status", "containerStatuses"});
    bool running = false;
    // Backwards, so that the first container has the last word.
    for (size_t i = statuses.size(); i-- > 0;) {
        const Json& container = statuses[i];
        count_restarts(pod, container);
        const std::string waiting = string_at(container, {"state", "waiting", "reason"});
        const Json* terminated = find(container, JsonPath{"state", "terminated"});
        if (!waiting.empty()) {
            pod.status = waiting;
        } else if (terminated) {
            pod.status = end_of(*terminated);
        } else if (bool_at(container, {"ready"}) && find(container, JsonPath{"state", "running"})) {
            running = true;
            ++pod.ready;
        }
    }
    if (pod.status == "Completed" && running) {
        pod.status = condition_is_true(object, "Ready") ? "Running" : "NotReady";
    }
}

PodSummary summarize(const Json& object) {
    const auto sidecars = sidecars_of(object);
    const std::string phase = string_at(object, {"status", "phase"});
    const std::string reason = string_at(object, {"status", "reason"});
    PodSummary pod;
    pod.total =
        static_cast<int64_t>(array_at(object, {"spec", "containers"}).size() + sidecars.size());
    pod.status = reason.empty() ? phase : reason;
    const Json* scheduled = condition(object, "PodScheduled");
    if (scheduled && string_at(*scheduled, {"reason"}) == "SchedulingGated") {
        pod.status = "SchedulingGated";
    }
    PodSummary of_sidecars;
    const bool initializing = summarize_init(pod, object, sidecars, of_sidecars);
    if (!initializing || condition_is_true(object, "Initialized")) {
        pod.restarts = of_sidecars.restarts;
        pod.last_restart = of_sidecars.last_restart;
        summarize_containers(pod, object);
    }
    if (find(object, JsonPath{"metadata", "deletionTimestamp"})) {
        if (reason == "NodeLost") {
            pod.status = "Unknown";
        } else if (phase != "Succeeded" && phase != "Failed") {
            pod.status = "Terminating";
        }
    }
    return pod;
}

Json pod_restarts(const Row& row) {
    const PodSummary pod = summarize(row.object);
    if (pod.restarts == 0 || pod.last_restart.empty()) return cat(pod.restarts);
    return cat(pod.restarts, " (", human_age(pod.last_restart, row.now), " ago)");
}

Json readiness_gates(const Row& row) {
    const Json& gates = array_at(row.object, {"spec", "readinessGates"});
    if (gates.empty()) return "<none>";
    const auto open = std::count_if(gates.begin(), gates.end(), [&](const Json& gate) {
        return condition_is_true(row.object, string_at(gate, {"conditionType"}));
    });
    return cat(open, '/', gates.size());
}

Columns of_pod() {
    return {name_column(),
            {"Ready",
             [](const Row& row) -> Json {
                 const PodSummary pod = summarize(row.object);
                 return cat(pod.ready, '/', pod.total);
             }},
            {"Status", [](const Row& row) -> Json { return summarize(row.object).status; }},
            {"Restarts", pod_restarts},
            age_column(),
            wide(text("IP", {"status", "podIP"}, "<none>")),
            wide(text("Node", {"spec", "nodeName"}, "<none>")),
            wide(text("Nominated Node", {"status", "nominatedNodeName"}, "<none>")),
            wide({"Readiness Gates", readiness_gates})};
}

Json node_status(const Row& row) {
    std::string status = "Unknown";
    if (condition(row.object, "Ready")) {
        status = condition_is_true(row.object, "Ready") ? "Ready" : "NotReady";
    }
    if (bool_at(row.object, {"spec", "unschedulable"})) status += ",SchedulingDisabled";
    return status;
}

Json node_roles(const Row& row) {
    constexpr std::string_view kPrefix = "node-role.kubernetes.io/";
    std::set<std::string> roles;
    for (const auto& [key, value] : object_at(row.object, {"metadata", "labels"}).items()) {
        if (key.starts_with(kPrefix) && key.size() > kPrefix.size()) {
            roles.insert(key.substr(kPrefix.size()));
        } else if (key == "kubernetes.io/role" && value.is_string() && value != "") {
            roles.insert(value.get<std::string>());
        }
    }
    if (roles.empty()) return "<none>";
    return join({roles.begin(), roles.end()}, ",");
}

Column node_address(std::string_view name, std::string_view type) {
    return wide({name, [type](const Row& row) -> Json {
                     for (const Json& address : array_at(row.object, {"status", "addresses"})) {
                         if (string_at(address, {"type"}) == type) {
                             return string_at(address, {"address"});
                         }
                     }
                     return "<none>";
                 }});
}

Columns of_node() {
    return {name_column(),
            {"Status", node_status},
            {"Roles", node_roles},
            age_column(),
            text("Version", {"status", "nodeInfo", "kubeletVersion"}),
            node_address("Internal-IP", "InternalIP"),
            node_address("External-IP", "ExternalIP"),
            wide(text("OS-Image", {"status", "nodeInfo", "osImage"}, "<unknown>")),
            wide(text("Kernel-Version", {"status", "nodeInfo", "kernelVersion"}, "<unknown>")),
            wide(text("Container-Runtime", {"status", "nodeInfo", "containerRuntimeVersion"},
                      "<unknown>"))};
}

std::string first_seen(const Row& row) {
    const std::string first = string_at(row.object, {"firstTimestamp"});
    return human_age(first.empty() ? string_at(row.object, {"eventTime"}) : first, row.now);
}

Json last_seen(const Row& row) {
    const std::string in_series = string_at(row.object, {"series", "lastObservedTime"});
    if (!in_series.empty()) return human_age(in_series, row.now);
    const std::string last = string_at(row.object, {"lastTimestamp"});
    return last.empty() ? first_seen(row) : human_age(last, row.now);
}

Json event_count(const Row& row) {
    const int64_t in_series = int_at(row.object, {"series", "count"});
    return in_series != 0 ? in_series : std::max<int64_t>(int_at(row.object, {"count"}), 1);
}

Json event_object(const Row& row) {
    const std::string kind = to_lower(string_at(row.object, {"involvedObject", "kind"}));
    const std::string name = string_at(row.object, {"involvedObject", "name"});
    return name.empty() ? kind : cat(kind, '/', name);
}

Json event_source(const Row& row) {
    const std::string component = string_at(row.object, {"source", "component"});
    const std::string host = string_at(row.object, {"source", "host"});
    if (!component.empty()) return host.empty() ? component : cat(component, ", ", host);
    const std::string reporter = string_at(row.object, {"reportingComponent"});
    const std::string instance = string_at(row.object, {"reportingInstance"});
    return instance.empty() ? reporter : cat(reporter, ", ", instance);
}

Columns of_event() {
    Column name = wide(name_column());
    return {{"Last Seen", last_seen},
            text("Type", {"type"}),
            text("Reason", {"reason"}),
            {"Object", event_object},
            wide(text("Subobject", {"involvedObject", "fieldPath"})),
            wide({"Source", event_source}),
            {"Message",
             [](const Row& row) -> Json {
                 return std::string(trim(string_at(row.object, {"message"})));
             }},
            wide({"First Seen", [](const Row& row) -> Json { return first_seen(row); }}),
            wide({"Count", event_count}),
            name};
}

}  // namespace

Columns pod_columns(std::string_view kind) {
    if (kind == "Pod") return of_pod();
    if (kind == "Node") return of_node();
    if (kind == "Event") return of_event();
    if (kind == "Namespace") {
        return {name_column(), text("Status", {"status", "phase"}), age_column()};
    }
    return {};
}

}  // namespace kin::apiserver::table
