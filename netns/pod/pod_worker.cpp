#include "netns/pod/pod_worker.h"

#include <algorithm>

#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/client/client.h"
#include "netns/network/pod_networks.h"
#include "netns/pod/container_logs.h"
#include "netns/pod/host_ports.h"
#include "netns/pod/pod_events.h"

namespace kin::netns {
namespace {

using Kind = ContainerState::Kind;

/// A status that will be another one in a moment is not worth a write. Nobody waits longer.
constexpr std::chrono::milliseconds kSettleTime{200};

/// A deleted pod waits so long for Services to let go of it, and for nodes to hear of it.
constexpr std::chrono::milliseconds kDrainTime{1000}, kProgramTime{30}, kDrainPoll{5};

Ipv4 address_of_node(const AgentContext& agent, const std::string& node) {
    return agent.links.addresses().node(node_number(node));
}

}  // namespace

PodWorker::PodWorker(AgentContext& agent, const Pod& pod)
    : agent_(agent),
      pod_(pod),
      spec_(decode_pod_spec(pod)),
      directory_(agent.storage, pod.meta.uid),
      host_ip_(address_of_node(agent, pod.node)),
      was_finished_(pod.finished()),
      finished_(was_finished_) {
    for (const ContainerSpecView& container : spec_.init_containers) {
        init_runs_.push_back(std::make_unique<ContainerRun>(agent_, spec_, container));
    }
    for (const ContainerSpecView& container : spec_.containers) {
        runs_.push_back(std::make_unique<ContainerRun>(agent_, spec_, container));
    }
    add_ephemeral_runs();
    start_time_ = parse_rfc3339(string_at(pod.status(), {"startTime"}))
                      .value_or(std::chrono::system_clock::now());
    restore(pod);
    for (const auto& run : init_runs_) {
        if (run->report().state.kind == Kind::kNone) run->set_waiting("PodInitializing");
    }
    for (const auto& run : runs_) {
        if (run->report().state.kind == Kind::kNone) run->set_waiting(first_reason());
    }
}

PodWorker::~PodWorker() {
    *alive_ = false;
    clear_runs();
    release();
}

void PodWorker::clear_runs() {
    ephemeral_runs_.clear();
    init_runs_.clear();
    runs_.clear();
}

std::string PodWorker::first_reason() const {
    return init_runs_.empty() ? "ContainerCreating" : "PodInitializing";
}

/// One for each ephemeral container that has none yet: they only come.
void PodWorker::add_ephemeral_runs() {
    for (size_t i = ephemeral_runs_.size(); i < spec_.ephemeral_containers.size(); ++i) {
        ephemeral_runs_.push_back(
            std::make_unique<ContainerRun>(agent_, spec_, spec_.ephemeral_containers[i]));
        ephemeral_runs_.back()->set_waiting(first_reason());
    }
}

void PodWorker::restore(const Pod& pod) {
    const auto read = [&](Runs& runs, std::string_view list) {
        for (const Json& status : array_at(pod.status(), {list})) {
            for (const auto& run : runs) {
                if (run->spec().name == string_at(status, {"name"})) run->restore(status);
            }
        }
    };
    read(init_runs_, "initContainerStatuses");
    read(runs_, "containerStatuses");
    read(ephemeral_runs_, "ephemeralContainerStatuses");
}

void PodWorker::update(const Pod& pod) {
    if (pod.meta.labels != pod_.meta.labels || pod.meta.annotations != pod_.meta.annotations) {
        for (const VolumeSpec& volume : spec_.volumes) {
            if (shows_metadata(volume)) stale_volumes_.insert(volume.name);
        }
    }
    pod_ = pod;
    add_ephemeral_containers(pod, spec_);
    add_ephemeral_runs();
}

bool PodWorker::note_changed(const ConfigObject& object) {
    bool mine = false;
    for (const VolumeSpec& volume : spec_.volumes) {
        if (object.name.empty() || !shows(volume, object)) continue;
        stale_volumes_.insert(volume.name);
        mine = true;
    }
    return mine;
}

bool PodWorker::waits_for_config() const {
    return volumes_wait_ || any_run(&ContainerRun::waits_for_config);
}

bool PodWorker::busy() const { return writing_ || attaching_ || any_run(&ContainerRun::settling); }

bool PodWorker::any_run(bool (ContainerRun::*is)() const) const {
    for (const auto* runs : {&init_runs_, &runs_, &ephemeral_runs_}) {
        for (const auto& run : *runs) {
            if ((*run.*is)()) return true;
        }
    }
    return false;
}

ContainerRun* PodWorker::find_container(const std::string& name) const {
    if (name.empty()) return runs_.size() == 1 ? runs_.front().get() : nullptr;
    for (const auto* list : {&runs_, &init_runs_, &ephemeral_runs_}) {
        for (const auto& run : *list) {
            if (run->spec().name == name) return run.get();
        }
    }
    return nullptr;
}

std::vector<std::string> PodWorker::container_names() const {
    std::vector<std::string> names;
    for (const auto& run : runs_) names.push_back(run->spec().name);
    return names;
}

DownwardView PodWorker::downward() const {
    return {spec_,    pod_.meta.labels,      pod_.meta.annotations,   pod_ip_.value_or(Ipv4{}),
            host_ip_, agent_.node_cpu_milli, agent_.node_memory_bytes};
}

PodEnvironment PodWorker::environment() const {
    return {downward(), directory_, network_fd_, sandbox_ ? &*sandbox_ : nullptr,
            [this](const std::string& name) -> std::optional<ProcessId> {
                const ContainerRun* run = find_container(name);
                return run ? run->process() : std::nullopt;
            }};
}

Result<> PodWorker::sync() {
    if (removing_) return Ok{};
    if (pod_.meta.deleting()) {
        finish_deletion();
        return Ok{};
    }
    if (!finished_) check_deadline();
    if (finished_) {
        if (stop_all(std::chrono::seconds(spec_.grace_seconds))) release();
    } else if (is_attached() && prepare()) {
        run_ephemeral_containers();
        run_containers();
        finished_ = all_done();
        if (finished_ && stop_all(std::chrono::seconds(spec_.grace_seconds))) release();
    }
    publish();
    return Ok{};
}

bool PodWorker::should_run(const ContainerRun& run) const {
    const ContainerState& state = run.report().state;
    if (!state.terminated()) return true;
    if (run.spec().sidecar || spec_.restart == RestartPolicy::kAlways) return true;
    return spec_.restart == RestartPolicy::kOnFailure && !state.succeeded();
}

void PodWorker::start(ContainerRun& run) {
    if (should_run(run)) run.start(environment());
}

bool PodWorker::run_init_containers() {
    for (const auto& run : init_runs_) {
        const ContainerReport& report = run->report();
        if (run->spec().sidecar) {
            start(*run);
            if (!report.started) return false;
            continue;
        }
        if (report.state.succeeded()) continue;
        // An init container that failed runs again unless the pod never restarts anything.
        const bool failed = report.state.terminated();
        if (!failed || spec_.restart != RestartPolicy::kNever) run->start(environment());
        return false;
    }
    return true;
}

/// Whatever the others do: they are there to see why those do not come up.
void PodWorker::run_ephemeral_containers() {
    for (const auto& run : ephemeral_runs_) {
        if (!run->report().state.terminated()) run->start(environment());
    }
}

void PodWorker::run_containers() {
    const bool any_ran = std::any_of(runs_.begin(), runs_.end(), [](const auto& run) {
        return run->alive() || run->report().last.terminated() || run->report().state.terminated();
    });
    if (!run_init_containers() && !any_ran) return;
    for (const auto& run : runs_) start(*run);
}

bool PodWorker::all_done() const {
    const std::string phase = pod_phase(report());
    return (phase == "Succeeded" || phase == "Failed") &&
           std::none_of(runs_.begin(), runs_.end(), [](const auto& run) { return run->alive(); });
}

void PodWorker::check_deadline() {
    if (!spec_.active_deadline_seconds) return;
    const WallTime deadline = start_time_ + std::chrono::seconds(*spec_.active_deadline_seconds);
    const WallTime now = std::chrono::system_clock::now();
    if (now < deadline) {
        agent_.wake_after(spec_.uid, std::chrono::ceil<std::chrono::milliseconds>(deadline - now));
        return;
    }
    failed_reason_ = "DeadlineExceeded";
    failed_message_ = "Pod was active on the node longer than the specified deadline";
    record_event(agent_.client, spec_, "", "Normal", failed_reason_, failed_message_);
    finished_ = true;
}

/// Who is asked to end before Services have let go of it refuses connections that were sent to it.
/// So its end waits until no slice offers it, and until nodes have heard so; for a moment at most.
bool PodWorker::is_drained() {
    const auto now = std::chrono::steady_clock::now();
    if (!drain_by_) drain_by_ = now + kDrainTime;
    if (!drained_at_) {
        const Offer offer = agent_.offer_of(spec_.key);
        if (offer == Offer::kNone) drained_at_ = now;
        if (offer == Offer::kEnding || now >= *drain_by_) drained_at_ = now + kProgramTime;
    }
    if (drained_at_ && now >= *drained_at_) return true;
    agent_.wake_after(spec_.uid, kDrainPoll);
    return false;
}

bool PodWorker::stop_all(std::chrono::seconds grace) {
    bool main_alive = false;
    for (const auto* runs : {&runs_, &ephemeral_runs_}) {
        for (const auto& run : *runs) {
            run->stop(grace, "");
            main_alive |= run->alive();
        }
    }
    if (main_alive) return false;
    // Sidecars serve the others to their end, and go in the opposite order of their start.
    for (auto run = init_runs_.rbegin(); run != init_runs_.rend(); ++run) {
        (*run)->stop(grace, "");
        if ((*run)->alive()) return false;
    }
    return true;
}

void PodWorker::release() {
    sandbox_.reset();
    network_fd_ = -1;
    attaching_ = false;
    if (auto closed = agent_.host_ports.remove(spec_.uid); !closed) {
        log_warn("kubelet", closed.error().text(), {{"pod", spec_.key.to_string()}});
    }
    agent_.networks.detach(spec_.uid);
}

void PodWorker::finish_deletion() {
    const int64_t grace = pod_.meta.deletion_grace_seconds.value_or(spec_.grace_seconds);
    if (grace > 0 && !is_drained()) return;
    if (!stop_all(std::chrono::seconds(grace))) {
        publish();
        return;
    }
    release();
    publish();
    // The last status is seen by those who watch before the object goes.
    if (writing_ || pod_.meta.revision < written_revision_) return;
    removing_ = true;
    DeleteOptions options;
    options.grace_period_seconds = 0;
    options.precondition_uid = spec_.uid;
    agent_.client.remove(
        Pod::kResource, spec_.key, options, [this, alive = alive_](const Answer<Written>& answer) {
            if (!*alive || answer || answer.error().code == 404) return;
            log_warn("kubelet", answer.error().message, {{"pod", spec_.key.to_string()}});
            removing_ = false;
            agent_.wake_after(spec_.uid, std::chrono::seconds(1));
        });
}

void PodWorker::forget() {
    clear_runs();
    release();
    const auto removed = remove_pod_files(agent_.storage, spec_.key, spec_.uid);
    if (!removed) log_warn("kubelet", removed.error().text());
}

PodReport PodWorker::report() const {
    PodReport out;
    for (const auto& run : init_runs_) out.init_containers.push_back(run->report());
    for (const auto& run : runs_) out.containers.push_back(run->report());
    for (const auto& run : ephemeral_runs_) out.ephemeral_containers.push_back(run->report());
    out.restart = spec_.restart;
    out.readiness_gates = spec_.readiness_gates;
    out.host_ip = host_ip_;
    out.pod_ip = pod_ip_;
    out.has_network = sandbox_.has_value();
    out.start_time = start_time_;
    out.generation = pod_.meta.generation;
    out.failed_reason = failed_reason_;
    out.failed_message = failed_message_;
    out.ending = pod_.meta.deleting();
    return out;
}

void PodWorker::publish() {
    if (was_finished_ || writing_ || pod_.meta.revision < written_revision_) return;
    const auto now = std::chrono::steady_clock::now();
    if (!busy()) {
        settle_by_.reset();
    } else if (!settle_by_ || now < *settle_by_) {
        if (!settle_by_) settle_by_ = now + kSettleTime;
        agent_.wake_after(spec_.uid,
                          std::chrono::ceil<std::chrono::milliseconds>(*settle_by_ - now));
        return;
    }
    const Json& old = pod_.status();
    const Json patch =
        merge_patch_of(old, pod_status(report(), old, std::chrono::system_clock::now()));
    // What the API server does not keep (a zero that says nothing) must not be written for ever.
    if (patch.empty() || patch == ineffective_) return;
    writing_ = true;
    agent_.client.patch(
        Pod::kResource, spec_.key, {{"metadata", {{"uid", spec_.uid}}}, {"status", patch}},
        [this, alive = alive_, patch](const Answer<Written>& answer) {
            if (!*alive) return;
            writing_ = false;
            if (answer && answer->revision <= pod_.meta.revision) ineffective_ = patch;
            if (answer) written_revision_ = answer->revision;
            const bool gone = !answer && (answer.error().code == 404 || answer.error().code == 409);
            if (!answer && !gone) {
                log_warn("kubelet", answer.error().message, {{"pod", spec_.key.to_string()}});
                agent_.wake_after(spec_.uid, std::chrono::seconds(1));
            } else {
                agent_.wake(spec_.uid);
            }
        },
        "status");
}

}  // namespace kin::netns
