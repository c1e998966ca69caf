#include "netns/pod/pod_status.h"

#include <algorithm>

#include "core/base/strings.h"

namespace kin::netns {
namespace {

using Kind = ContainerState::Kind;

struct Tally {
    int waiting = 0, running = 0, stopped = 0, succeeded = 0;
};

Tally count(const std::vector<ContainerReport>& containers) {
    Tally tally;
    for (const ContainerReport& container : containers) {
        const ContainerState& state = container.state;
        if (state.running()) {
            ++tally.running;
        } else if (state.terminated()) {
            ++tally.stopped;
            if (state.exit_code == 0) ++tally.succeeded;
        } else if (container.last.terminated()) {
            ++tally.stopped;  // Waits to be restarted.
        } else {
            ++tally.waiting;
        }
    }
    return tally;
}

bool initialized(const ContainerReport& init) {
    return init.sidecar ? init.started : init.state.succeeded();
}

bool all_initialized(const PodReport& report) {
    return std::all_of(report.init_containers.begin(), report.init_containers.end(), initialized);
}

bool init_failed(const PodReport& report) {
    if (report.restart != RestartPolicy::kNever) return false;
    return std::any_of(report.init_containers.begin(), report.init_containers.end(),
                       [](const ContainerReport& init) {
                           return !init.sidecar && init.state.terminated() &&
                                  init.state.exit_code != 0;
                       });
}

bool has_run(const PodReport& report) {
    return std::any_of(report.containers.begin(), report.containers.end(),
                       [](const ContainerReport& container) {
                           return container.state.running() || container.state.terminated() ||
                                  container.last.terminated();
                       });
}

struct Condition {
    std::string type;
    bool status = false;
    std::string reason, message;
};

/// "containers with unready status: [a b]", or "".
std::string names_text(std::string_view what, const std::vector<std::string>& names) {
    return names.empty() ? "" : cat(what, ": [", join(names, " "), ']');
}

Condition initialized_condition(const PodReport& report, const std::string& phase) {
    if (phase == "Succeeded") return {"Initialized", true, "PodCompleted", ""};
    std::vector<std::string> incomplete;
    for (const ContainerReport& init : report.init_containers) {
        if (!initialized(init)) incomplete.push_back(init.name);
    }
    // Once containers ran they were initialized, whatever becomes of sidecars later.
    if (incomplete.empty() || has_run(report)) return {"Initialized", true, "", ""};
    return {"Initialized", false, "ContainersNotInitialized",
            names_text("containers with incomplete status", incomplete)};
}

Condition containers_ready(const PodReport& report, const std::string& phase) {
    Condition out{"ContainersReady", false, "", ""};
    if (phase == "Succeeded" || phase == "Failed") {
        out.reason = phase == "Succeeded" ? "PodCompleted" : "PodFailed";
        return out;
    }
    std::vector<std::string> unready;
    for (const auto* list : {&report.init_containers, &report.containers}) {
        for (const ContainerReport& container : *list) {
            const bool counts = list == &report.containers || container.sidecar;
            if (counts && !container.ready) unready.push_back(container.name);
        }
    }
    if (unready.empty()) {
        out.status = true;
        return out;
    }
    out.reason = "ContainersNotReady";
    out.message = names_text("containers with unready status", unready);
    return out;
}

const Json* find_condition(const Json& status, std::string_view type) {
    for (const Json& condition : array_at(status, {"conditions"})) {
        if (string_at(condition, {"type"}) == type) return &condition;
    }
    return nullptr;
}

/// All gates must be opened by whoever set them.
Condition ready(const PodReport& report, Condition containers, const Json& old) {
    containers.type = "Ready";
    if (!containers.status) return containers;
    for (const std::string& gate : report.readiness_gates) {
        const Json* condition = find_condition(old, gate);
        if (condition && string_at(*condition, {"status"}) == "True") continue;
        containers.status = false;
        containers.reason = "ReadinessGatesNotReady";
        containers.message =
            condition ? cat("the status of pod readiness gate \"", gate, "\" is not \"True\", but ",
                            string_at(*condition, {"status"}, "Unknown"))
                      : cat("corresponding condition of pod readiness gate \"", gate,
                            "\" does not exist.");
        return containers;
    }
    return containers;
}

Json condition_json(const Condition& condition, const Json& old, int64_t generation, WallTime now) {
    const std::string status = condition.status ? "True" : "False";
    const Json* before = find_condition(old, condition.type);
    const bool same = before && string_at(*before, {"status"}) == status;
    Json out{{"type", condition.type},
             {"status", status},
             {"lastTransitionTime",
              same ? string_at(*before, {"lastTransitionTime"}, rfc3339(now)) : rfc3339(now)}};
    if (!condition.reason.empty()) out["reason"] = condition.reason;
    if (!condition.message.empty()) out["message"] = condition.message;
    if (generation > 0) out["observedGeneration"] = generation;
    return out;
}

Json conditions_json(const PodReport& report, const std::string& phase, const Json& old,
                     WallTime now) {
    const Condition containers = containers_ready(report, phase);
    const Condition own[] = {{"PodReadyToStartContainers", report.has_network, "", ""},
                             initialized_condition(report, phase),
                             ready(report, containers, old),
                             containers};
    Json out = Json::array();
    for (const Condition& condition : own) {
        out.push_back(condition_json(condition, old, report.generation, now));
    }
    // Others' conditions stay: PodScheduled, readiness gates, DisruptionTarget.
    for (const Json& condition : array_at(old, {"conditions"})) {
        const bool mine = std::any_of(std::begin(own), std::end(own), [&](const Condition& one) {
            return one.type == string_at(condition, {"type"});
        });
        if (!mine) out.push_back(condition);
    }
    return out;
}

Json state_json(const ContainerState& state) {
    switch (state.kind) {
        case Kind::kNone:
            break;
        case Kind::kWaiting: {
            Json waiting{{"reason", state.reason}};
            if (!state.message.empty()) waiting["message"] = state.message;
            return {{"waiting", std::move(waiting)}};
        }
        case Kind::kRunning:
            return {{"running", {{"startedAt", rfc3339(state.started)}}}};
        case Kind::kTerminated: {
            Json ended{{"exitCode", state.exit_code},
                       {"reason", state.reason},
                       {"startedAt", rfc3339(state.started)},
                       {"finishedAt", rfc3339(state.finished)},
                       {"containerID", state.container_id}};
            if (state.signal != 0) ended["signal"] = state.signal;
            if (!state.message.empty()) ended["message"] = state.message;
            return {{"terminated", std::move(ended)}};
        }
    }
    return Json::object();
}

Json containers_json(const std::vector<ContainerReport>& containers) {
    Json out = Json::array();
    for (const ContainerReport& container : containers) {
        Json json{{"name", container.name},
                  {"image", container.image},
                  {"imageID", container.image_id},
                  {"state", state_json(container.state)},
                  {"lastState", state_json(container.last)},
                  {"restartCount", container.restart_count},
                  {"ready", container.ready},
                  {"started", container.started}};
        if (!container.container_id.empty()) json["containerID"] = container.container_id;
        out.push_back(std::move(json));
    }
    return out;
}

/// Nobody asks whether an ephemeral container is ready or has started up.
Json ephemeral_containers_json(const std::vector<ContainerReport>& containers) {
    Json out = containers_json(containers);
    for (Json& container : out) {
        container["ready"] = false;
        container.erase("started");
    }
    return out;
}

WallTime time_at(const Json& json, std::string_view field) {
    return parse_rfc3339(string_at(json, {field})).value_or(WallTime{});
}

ContainerState read_state(const Json& json) {
    ContainerState out;
    if (const Json* waiting = find(json, "waiting")) {
        out.kind = Kind::kWaiting;
        out.reason = string_at(*waiting, {"reason"});
        out.message = string_at(*waiting, {"message"});
    } else if (const Json* running = find(json, "running")) {
        out.kind = Kind::kRunning;
        out.started = time_at(*running, "startedAt");
    } else if (const Json* ended = find(json, "terminated")) {
        out.kind = Kind::kTerminated;
        out.reason = string_at(*ended, {"reason"});
        out.message = string_at(*ended, {"message"});
        out.started = time_at(*ended, "startedAt");
        out.finished = time_at(*ended, "finishedAt");
        out.exit_code = static_cast<int>(int_at(*ended, {"exitCode"}));
        out.signal = static_cast<int>(int_at(*ended, {"signal"}));
        out.container_id = string_at(*ended, {"containerID"});
    }
    return out;
}

}  // namespace

ContainerReport read_container_report(const Json& status, bool sidecar) {
    ContainerReport out;
    out.name = string_at(status, {"name"});
    out.image = string_at(status, {"image"});
    out.image_id = string_at(status, {"imageID"});
    out.container_id = string_at(status, {"containerID"});
    out.state = read_state(object_at(status, {"state"}));
    out.last = read_state(object_at(status, {"lastState"}));
    out.restart_count = static_cast<int>(int_at(status, {"restartCount"}));
    out.ready = bool_at(status, {"ready"});
    out.started = bool_at(status, {"started"});
    out.sidecar = sidecar;
    return out;
}

std::string pod_phase(const PodReport& report) {
    if (!report.failed_reason.empty() || init_failed(report)) return "Failed";
    const Tally tally = count(report.containers);
    if (!all_initialized(report) && !has_run(report)) return report.ending ? "Failed" : "Pending";
    if (report.ending && tally.running == 0) {
        const bool well = tally.waiting == 0 && tally.stopped == tally.succeeded;
        return well ? "Succeeded" : "Failed";
    }
    if (tally.waiting > 0) return "Pending";
    if (tally.running > 0 || report.restart == RestartPolicy::kAlways) return "Running";
    if (tally.stopped == tally.succeeded) return "Succeeded";
    return report.restart == RestartPolicy::kNever ? "Failed" : "Running";
}

Json pod_status(const PodReport& report, const Json& old, WallTime now) {
    const std::string phase = pod_phase(report);
    Json out = old.is_object() ? old : Json::object();
    out["phase"] = phase;
    out["conditions"] = conditions_json(report, phase, old, now);
    out["hostIP"] = report.host_ip.to_string();
    out["hostIPs"] = Json::array({{{"ip", report.host_ip.to_string()}}});
    out["startTime"] = rfc3339(report.start_time);
    if (report.pod_ip) {
        out["podIP"] = report.pod_ip->to_string();
        out["podIPs"] = Json::array({{{"ip", report.pod_ip->to_string()}}});
    }
    if (!report.init_containers.empty()) {
        out["initContainerStatuses"] = containers_json(report.init_containers);
    }
    out["containerStatuses"] = containers_json(report.containers);
    if (!report.ephemeral_containers.empty()) {
        out["ephemeralContainerStatuses"] = ephemeral_containers_json(report.ephemeral_containers);
    }
    for (const char* field : {"reason", "message"}) out.erase(field);
    if (!report.failed_reason.empty()) {
        out["reason"] = report.failed_reason;
        out["message"] = report.failed_message;
    }
    if (report.generation > 0) out["observedGeneration"] = report.generation;
    return out;
}

Json merge_patch_of(const Json& from, const Json& to) {
    Json out = Json::object();
    for (const auto& [key, value] : to.items()) {
        const Json* old = find(from, key);
        if (!old || !old->is_object() || !value.is_object()) {
            if (!old || *old != value) out[key] = value;
        } else if (Json inner = merge_patch_of(*old, value); !inner.empty()) {
            out[key] = std::move(inner);
        }
    }
    for (const auto& [key, value] : from.items()) {
        if (!to.contains(key)) out[key] = nullptr;
    }
    return out;
}

}  // namespace kin::netns
