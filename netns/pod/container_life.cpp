// A container's run between its start and its end: hooks, probes, and how it is made to end.
#include <signal.h>

#include "core/base/strings.h"
#include "netns/pod/container_run.h"

namespace kin::netns {
namespace {

/// What a container gets to react to SIGTERM when its preStop hook took all of its time.
constexpr std::chrono::seconds kLastWords{2};

}  // namespace

ContainerPlace ContainerRun::place() const {
    return {
        agent_,   pod_,
        spec_,    pod_ip_,
        process_, [this](const std::vector<std::string>& command) { return exec_spec(command); }};
}

void ContainerRun::run_post_start() {
    if (spec_.post_start.is_null()) return begin_probes();
    hook_ = run_hook(place(), spec_.post_start, [this](const std::string& why) {
        hook_.reset();
        if (kill_at_) return;
        if (why.empty()) {
            begin_probes();
        } else {
            note("Warning", "FailedPostStartHook", "PostStartHook failed");
            stop(std::chrono::seconds(pod_.grace_seconds), "FailedPostStartHook");
        }
        agent_.wake(uid_);
    });
}

void ContainerRun::begin_probes() {
    ContainerProbes::Listener listener;
    listener.changed = [this] {
        follow_probes();
        agent_.wake(uid_);
    };
    listener.unhealthy = [this](ProbeKind kind, const std::string& message) {
        note("Warning", "Unhealthy", cat(name_of(kind), " probe failed: ", message));
    };
    listener.condemned = [this](ProbeKind kind, std::optional<std::chrono::seconds> grace) {
        condemn(kind, grace);
    };
    probes_ = std::make_unique<ContainerProbes>(place(), std::move(listener));
    follow_probes();
}

void ContainerRun::follow_probes() {
    report_.started = probes_->started();
    report_.ready = probes_->ready();
}

void ContainerRun::condemn(ProbeKind kind, std::optional<std::chrono::seconds> grace) {
    stop(grace.value_or(std::chrono::seconds(pod_.grace_seconds)),
         cat("Container ", spec_.name, " failed ", to_lower(name_of(kind)),
             " probe, will be restarted"));
    agent_.wake(uid_);
}

void ContainerRun::stop(std::chrono::seconds grace, std::string_view why) {
    if (first_attach_.active()) attached();
    if (!alive() || phase_ == Phase::kDraining) return;
    const auto now = std::chrono::steady_clock::now();
    const bool first = !kill_at_;
    if (!first && now + grace >= *kill_at_) return;
    kill_at_ = now + grace;
    if (first) {
        note("Normal", "Killing",
             why.empty() ? cat("Stopping container ", spec_.name) : std::string(why));
    }
    if (service_) {
        std::exchange(service_, nullptr)->stop(pod_.key);
        agent_.logs.end(*log_);
        drained_ = true;
        ended(0, 0);
        return;
    }
    if (probes_) probes_->rest();
    kill_timer_ = agent_.loop.after(grace, [this] { out_of_time(); });
    if (first) run_pre_stop();
}

void ContainerRun::out_of_time() {
    hook_.reset();
    if (terminated_ || process_ == 0) {
        (void)agent_.containers.signal(process_, SIGKILL);
        return;
    }
    terminate();
    kill_timer_ = agent_.loop.after(kLastWords,
                                    [this] { (void)agent_.containers.signal(process_, SIGKILL); });
}

void ContainerRun::run_pre_stop() {
    if (spec_.pre_stop.is_null() || phase_ != Phase::kRunning) return terminate();
    hook_ = run_hook(place(), spec_.pre_stop, [this](const std::string& why) {
        hook_.reset();
        if (!why.empty()) note("Warning", "FailedPreStopHook", "PreStopHook failed");
        terminate();
    });
}

void ContainerRun::terminate() {
    if (process_ == 0 || std::exchange(terminated_, true)) return;
    (void)agent_.containers.signal(process_, SIGTERM);
}

}  // namespace kin::netns
