#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "netns/images/images.h"
#include "netns/init/containers.h"
#include "netns/pod/agent_context.h"
#include "netns/pod/container_logs.h"
#include "netns/pod/container_probes.h"
#include "netns/pod/pod_directory.h"
#include "netns/pod/pod_spec.h"
#include "netns/pod/pod_status.h"
#include "netns/pod/restart_backoff.h"

namespace kin::netns {

/// What a pod's containers share while it runs.
struct PodEnvironment {
    DownwardView view;
    const PodDirectory& directory;
    int network_fd = -1;  ///< of the pod or, with hostNetwork, the node
    const Sandbox* sandbox = nullptr;
    /// The running process of another of its containers, if it has one.
    std::function<std::optional<ProcessId>(const std::string& container)> process_of;
};

/// The pipes of a process's stdio: the child's ends, to be closed once it is asked for, and ours.
struct StdioPipes {
    UniqueFd stdin_read, stdout_write, stderr_write;
    ContainerStreams ours;

    Result<> open(bool want_stdin, bool want_stdout, bool want_stderr);
    void give_to(ProcessSpec& process) const;
};

/// Why a container cannot be started now, and when that may change.
struct ContainerRefusal {
    enum class Retry { kNever, kWhenConfigChanges, kWithBackOff };
    std::string reason;  ///< of the waiting state: "CreateContainerConfigError"
    Retry retry = Retry::kNever;
};

/// One container of a pod through all its restarts: starts it, hears of its end, keeps what the
/// pod's status tells of it. Owned by its PodWorker; on the control thread.
class ContainerRun {
public:
    ContainerRun(AgentContext& agent, const PodSpec& pod, const ContainerSpecView& spec);
    ~ContainerRun();  ///< Kills what still runs.
    ContainerRun(const ContainerRun&) = delete;
    ContainerRun& operator=(const ContainerRun&) = delete;

    const ContainerSpecView& spec() const { return spec_; }
    const ContainerReport& report() const { return report_; }
    /// Between the request to start it and the answer, or between its end and the end of its log.
    /// Somebody has attached: what ended meanwhile need not wait for that any more.
    void attached();
    bool settling() const { return phase_ == Phase::kStarting || phase_ == Phase::kDraining; }
    bool alive() const { return phase_ != Phase::kIdle; }
    /// Waits for a ConfigMap or Secret that its environment names.
    bool waits_for_config() const { return waits_for_config_; }

    /// Takes over what an earlier run of the node agent wrote into the pod's status. What ran then
    /// has ended with it.
    void restore(const Json& container_status);
    /// Nothing has been started yet: "ContainerCreating", "PodInitializing".
    void set_waiting(std::string reason, std::string message = "");

    /// Starts it for the first time or again, if it may: nothing happens while it is alive or waits
    /// out its back-off (the worker is woken when that is over). What goes wrong becomes part of
    /// its state.
    void start(const PodEnvironment& pod);
    /// Asks it to end: preStop, SIGTERM, and after `grace` SIGKILL. Repeated calls can only make
    /// that sooner. `why` is the Event's text; "" says that it is stopped.
    void stop(std::chrono::seconds grace, std::string_view why);

    /// The running process; nullopt if there is none, or if it is a part of kin.
    std::optional<ProcessId> process() const;
    /// How a further process is run in it: the environment, directory and identity of its own.
    ProcessSpec exec_spec(const std::vector<std::string>& command) const;
    std::optional<ContainerLogs::Id> log() const { return log_; }
    /// The number of its last start; -1 before the first.
    int attempt() const { return attempt_; }
    /// Of the current attempt, or of an earlier one.
    std::string log_path(int attempt) const;

private:
    enum class Phase { kIdle, kStarting, kRunning, kDraining };

    bool in_back_off();
    void refuse(const ContainerRefusal& refusal, const std::string& message);
    void image_missing(const std::string& message);
    void start_service(const PodEnvironment& pod);
    void start_process(const PodEnvironment& pod);
    void begin_attempt();
    void on_event(ProcessEvent event);
    void on_started(ProcessEvent& event);
    void on_failed(const std::string& why);
    void ended(int exit_code, int signal);
    void on_drained();
    void run_post_start();
    void begin_probes();
    void follow_probes();
    void condemn(ProbeKind kind, std::optional<std::chrono::seconds> grace);
    void run_pre_stop();
    void terminate();
    void out_of_time();
    ContainerPlace place() const;
    std::string termination_message() const;
    void note(std::string_view type, std::string reason, std::string message);

    AgentContext& agent_;
    const PodSpec& pod_;
    const ContainerSpecView& spec_;
    const std::string uid_;
    ContainerReport report_;
    RestartBackoff backoff_;
    Phase phase_ = Phase::kIdle;
    int attempt_ = -1;  // The number of the log; -1: none yet.
    ProcessId process_ = 0;
    images::Image image_;  // Of the last attempt, as what follows.
    ProcessSpec process_spec_;
    PodService* service_ = nullptr;  // While it runs as one.
    std::optional<ContainerLogs::Id> log_;
    ContainerStreams streams_;  // From the request to start until kStarted.
    ContainerState end_;        // From its end until its log is complete.
    WallTime started_at_{};
    std::optional<std::chrono::steady_clock::time_point> kill_at_;
    bool terminated_ = false;  // SIGTERM was sent.
    bool drained_ = false;     // Its log is complete.
    bool was_attached_ = false;
    Timer first_attach_;  // Ends the wait for it.
    bool waits_for_config_ = false;
    int pull_failures_ = 0;
    WallTime next_pull_{};
    Timer kill_timer_;
    Ipv4 pod_ip_;                              // As its last start was told.
    std::unique_ptr<Call> hook_;               // postStart or preStop, while it runs.
    std::unique_ptr<ContainerProbes> probes_;  // From its start, or postStart's end, to its end.
    // Callbacks that come later see whether this object still is.
    const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace kin::netns
