#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/ip.h"
#include "core/base/json.h"
#include "core/base/time.h"
#include "netns/pod/pod_spec.h"

namespace kin::netns {

/// What a container is doing, or did before its last restart.
struct ContainerState {
    enum class Kind { kNone, kWaiting, kRunning, kTerminated };
    Kind kind = Kind::kNone;
    std::string reason{};   ///< kWaiting, kTerminated: "CrashLoopBackOff", "Completed"
    std::string message{};  ///< kWaiting, kTerminated
    WallTime started{};     ///< kRunning, kTerminated
    WallTime finished{};    ///< kTerminated
    int exit_code = 0;
    int signal = 0;
    std::string container_id{};  ///< kTerminated

    bool running() const { return kind == Kind::kRunning; }
    bool terminated() const { return kind == Kind::kTerminated; }
    bool succeeded() const { return terminated() && exit_code == 0; }
};

/// One container of a pod, as its status shows it.
struct ContainerReport {
    std::string name;
    std::string image;         ///< as the runtime names it: "docker.io/library/nginx:latest"
    std::string image_id;      ///< "" until it was found
    std::string container_id;  ///< "kin://..."; "" until it was started
    ContainerState state, last;
    int restart_count = 0;
    bool ready = false;
    bool started = false;
    bool sidecar = false;
};

/// All that a pod's status is made of.
struct PodReport {
    std::vector<ContainerReport> init_containers, containers;
    std::vector<ContainerReport> ephemeral_containers;  ///< shown, and counted nowhere
    RestartPolicy restart = RestartPolicy::kAlways;
    std::vector<std::string> readiness_gates;
    Ipv4 host_ip;
    std::optional<Ipv4> pod_ip;
    bool has_network = false;  ///< the sandbox stands
    WallTime start_time{};
    int64_t generation = 0;  ///< metadata.generation; 0: none
    /// Set when the node agent itself ends the pod: phase Failed, "DeadlineExceeded", ...
    std::string failed_reason, failed_message;
    /// Nothing will be started any more: the pod is being deleted.
    bool ending = false;
};

/// Pending, Running, Succeeded or Failed, as Kubernetes reckons it from the containers' states.
std::string pod_phase(const PodReport& report);

/// The whole status, on top of `old` (conditions keep their transition times; what others wrote,
/// PodScheduled and qosClass among them, stays). What is absent in it must be absent in the
/// object. Pure.
Json pod_status(const PodReport& report, const Json& old, WallTime now);

/// Reads one entry of containerStatuses back.
ContainerReport read_container_report(const Json& status, bool sidecar);

/// A merge patch that turns `from` into `to`; empty if they are equal.
Json merge_patch_of(const Json& from, const Json& to);

}  // namespace kin::netns
