#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/loop/loop.h"
#include "netns/pod/agent_context.h"
#include "netns/pod/calls.h"
#include "netns/pod/pod_spec.h"
#include "netns/pod/probe.h"

namespace kin::netns {

/// How one running container is reached.
struct ContainerPlace {
    AgentContext& agent;
    const PodSpec& pod;
    const ContainerSpecView& container;
    Ipv4 pod_ip;
    ProcessId process = 0;
    /// How a command is run in it.
    std::function<ProcessSpec(const std::vector<std::string>& command)> process_spec;
};

/// Runs a lifecycle handler (exec, httpGet or sleep); `done` gets "" or why it failed.
std::unique_ptr<Call> run_hook(const ContainerPlace& place, const Json& handler,
                               std::function<void(std::string why)> done);

/// The probes of one run of a container, from its start to its end: the startup probe first, then
/// liveness and readiness. All tries leave from the node's namespace; none blocks. On the control
/// thread.
class ContainerProbes {
public:
    struct Listener {
        std::function<void()> changed;  ///< started() or ready()
        /// One try failed, for the Event.
        std::function<void(ProbeKind, const std::string& message)> unhealthy;
        /// The container has to be restarted. Probes other than readiness rest from here on.
        std::function<void(ProbeKind, std::optional<std::chrono::seconds> grace)> condemned;
    };

    ContainerProbes(ContainerPlace place, Listener listener);

    bool started() const { return !startup_.has_value() || startup_->count.good(); }
    bool ready() const { return started() && (!readiness_ || readiness_->count.good()); }
    /// The container is being stopped: only readiness is still of interest.
    void rest();

private:
    struct Probe {
        Probe(ProbeKind kind_of_it, ProbeSpec the_spec, bool good)
            : kind(kind_of_it), spec(std::move(the_spec)), count(spec, good) {}
        ProbeKind kind;
        ProbeSpec spec;
        ProbeCount count;
        Timer next;
        std::unique_ptr<Call> call;
    };

    void begin(std::optional<Probe>& probe);
    void begin_the_others();
    void ask(Probe& probe);
    std::unique_ptr<Call> start(Probe& probe);
    std::unique_ptr<Call> fail_later(Probe& probe, std::string message);
    void heard(Probe& probe, const ProbeOutcome& outcome);

    const ContainerPlace place_;
    const Listener listener_;
    const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
    std::optional<Probe> startup_, liveness_, readiness_;
    bool resting_ = false;
};

}  // namespace kin::netns
