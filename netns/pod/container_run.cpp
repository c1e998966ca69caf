#include "netns/pod/container_run.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/random.h>

#include <filesystem>

#include "core/base/strings.h"
#include "core/client/client.h"
#include "netns/pod/container_plan.h"
#include "netns/pod/image_name.h"
#include "netns/pod/pod_events.h"

namespace kin::netns {
namespace {

using Kind = ContainerState::Kind;

/// "kin://" and 64 hex digits, as container runtimes name containers.
std::string new_container_id() {
    char bytes[32] = {};
    (void)!::getrandom(bytes, sizeof bytes, 0);
    return "kin://" + hex({bytes, sizeof bytes});
}

/// `kubectl run -i` attaches once it sees the container run; a program that is quicker than that
/// is shown as running for so long, so that its output arrives by the attachment.
constexpr std::chrono::seconds kFirstAttach{2};

/// A pipe whose `ours` end does not block.
Result<> open_pipe(UniqueFd& reader, UniqueFd& writer, bool ours_is_reader) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) < 0) return Error::from_errno("pipe");
    reader.reset(ends[0]);
    writer.reset(ends[1]);
    const int ours = ours_is_reader ? ends[0] : ends[1];
    if (::fcntl(ours, F_SETFL, O_NONBLOCK) < 0) return Error::from_errno("fcntl");
    return Ok{};
}

}  // namespace

Result<> StdioPipes::open(bool want_stdin, bool want_stdout, bool want_stderr) {
    if (want_stdin) TRY(open_pipe(stdin_read, ours.stdin_write, false));
    if (want_stdout) TRY(open_pipe(ours.stdout_read, stdout_write, true));
    if (want_stderr) TRY(open_pipe(ours.stderr_read, stderr_write, true));
    return Ok{};
}

void StdioPipes::give_to(ProcessSpec& process) const {
    process.stdin_fd = stdin_read.get();
    process.stdout_fd = stdout_write.get();
    process.stderr_fd = stderr_write.get();
}

ContainerRun::ContainerRun(AgentContext& agent, const PodSpec& pod, const ContainerSpecView& spec)
    : agent_(agent), pod_(pod), spec_(spec), uid_(pod.uid) {
    report_.name = spec.name;
    report_.image = spec.image;
    report_.sidecar = spec.sidecar;
}

ContainerRun::~ContainerRun() {
    *alive_ = false;
    if (service_) service_->stop(pod_.key);
    if (process_ != 0) (void)agent_.containers.signal(process_, SIGKILL);
    if (log_) agent_.logs.forget(*log_);
}

void ContainerRun::note(std::string_view type, std::string reason, std::string message) {
    record_event(agent_.client, pod_, spec_.field_path, type, std::move(reason),
                 std::move(message));
}

void ContainerRun::set_waiting(std::string reason, std::string message) {
    report_.state = {
        .kind = Kind::kWaiting, .reason = std::move(reason), .message = std::move(message)};
    report_.ready = report_.started = false;
}

void ContainerRun::restore(const Json& status) {
    report_ = read_container_report(status, spec_.sidecar);
    if (report_.container_id.empty()) return;
    attempt_ = report_.restart_count;
    if (!report_.state.running()) {
        // It ended before, or waited to be restarted: then that end is the last known.
        if (!report_.state.terminated()) report_.state = report_.last;
    } else {
        report_.state.kind = Kind::kTerminated;
        report_.state.exit_code = 255;
        report_.state.reason = "Unknown";
        report_.state.finished = std::chrono::system_clock::now();
        report_.state.container_id = report_.container_id;
    }
    report_.ready = report_.started = false;
}

std::string ContainerRun::log_path(int attempt) const {
    // A container's name has no dot.
    return cat(log_directory(agent_.storage.data, pod_.key, pod_.uid), '/', spec_.name, '.', attempt, ".log");
}

std::optional<ProcessId> ContainerRun::process() const {
    if (phase_ != Phase::kRunning || process_ == 0) return {};
    return process_;
}

ProcessSpec ContainerRun::exec_spec(const std::vector<std::string>& command) const {
    ProcessSpec out = images::exec_of(image_, command, process_spec_.env);
    out.cwd = process_spec_.cwd;
    out.uid = process_spec_.uid;
    out.gid = process_spec_.gid;
    out.groups = process_spec_.groups;
    out.capabilities = process_spec_.capabilities;
    return out;
}

bool ContainerRun::in_back_off() {
    const ContainerState& end = report_.state.terminated() ? report_.state : report_.last;
    if (!end.terminated()) return false;
    const WallTime now = std::chrono::system_clock::now();
    const WallTime next = backoff_.next_start(end.finished);
    if (next <= now) {
        backoff_.restarted(end.finished, now);
        return false;
    }
    if (report_.state.terminated()) {
        const ContainerState last = report_.state;
        set_waiting("CrashLoopBackOff",
                    cat("back-off ", go_duration(backoff_.delay()),
                        " restarting failed container=", spec_.name, " pod=", pod_text(pod_)));
        report_.last = last;
        note("Warning", "BackOff",
             cat("Back-off restarting failed container ", spec_.name, " in pod ", pod_text(pod_)));
    }
    agent_.wake_after(uid_, std::chrono::ceil<std::chrono::milliseconds>(next - now));
    return true;
}

void ContainerRun::start(const PodEnvironment& pod) {
    if (alive()) return;
    // Only a container that is to be started asks this; each yes counts as a restart.
    if (report_.state.kind != Kind::kNone && in_back_off()) return;
    // A component of kin runs once in its pod, and not to look around in another.
    PodService* service = spec_.ephemeral ? nullptr : agent_.find_service(spec_.image);
    if (service) {
        service_ = service;
        start_service(pod);
    } else {
        start_process(pod);
    }
}

void ContainerRun::begin_attempt() {
    ++attempt_;
    if (report_.state.terminated()) report_.last = report_.state;
    report_.restart_count = attempt_;
    report_.container_id = new_container_id();
    terminated_ = false;
    kill_at_.reset();
    started_at_ = std::chrono::system_clock::now();
    // As the kubelet: the log of the attempt before stays for `kubectl logs --previous`.
    if (attempt_ >= 2) {
        std::error_code ignored;
        std::filesystem::remove(log_path(attempt_ - 2), ignored);
    }
    if (log_) agent_.logs.forget(*log_);
    log_.reset();
}

void ContainerRun::start_service(const PodEnvironment& pod) {
    begin_attempt();
    report_.image = image_reference(spec_.image);
    report_.image_id = "kin://built-in/" + report_.image;
    log_ = agent_.logs.open({log_path(attempt_), false, false}, {}, {});
    ContainerLogs& logs = agent_.logs;
    const auto started = service_->start(
        {pod_.key, pod_.node, pod.view.pod_ip,
         [&logs, id = *log_](std::string_view line) { logs.add_line(id, std::string(line)); }});
    if (!started) {
        service_ = nullptr;
        on_failed(started.error().text());
        return;
    }
    note("Normal", "Pulled", already_present(spec_.image));
    note("Normal", "Created", cat("Created container: ", spec_.name));
    phase_ = Phase::kRunning;
    report_.state = {.kind = Kind::kRunning, .started = started_at_};
    report_.ready = report_.started = true;
    note("Normal", "Started", cat("Started container ", spec_.name));
}

void ContainerRun::start_process(const PodEnvironment& pod) {
    ContainerRequest request;
    const ContainerPlanInputs inputs{agent_, pod, spec_, attempt_ + 1};
    if (auto planned = plan_container(inputs, request); !planned) {
        const ContainerRefusal& refusal = request.refusal;
        waits_for_config_ = refusal.retry == ContainerRefusal::Retry::kWhenConfigChanges;
        refuse(refusal, planned.error().text());
        return;
    }
    waits_for_config_ = false;
    pull_failures_ = 0;
    begin_attempt();
    report_.image = request.image;
    report_.image_id = request.image_id;
    for (auto& [type, reason, message] : request.notes) note(type, reason, message);
    StdioPipes pipes;
    if (!spec_.tty) {
        if (auto opened = pipes.open(spec_.stdin, true, true); !opened) {
            on_failed(opened.error().text());
            return;
        }
        pipes.give_to(request.spec.process);
    }
    note("Normal", "Created", cat("Created container: ", spec_.name));
    auto started =
        agent_.containers.start(request.spec, [this, alive = alive_](ProcessEvent event) {
            if (*alive) on_event(std::move(event));
        });
    if (!started) {
        on_failed(started.error().text());
        return;
    }
    process_ = *started;
    process_spec_ = std::move(request.spec.process);
    image_ = std::move(request.program);
    pod_ip_ = pod.view.pod_ip;
    streams_ = std::move(pipes.ours);
    phase_ = Phase::kStarting;
}

void ContainerRun::refuse(const ContainerRefusal& refusal, const std::string& message) {
    if (refusal.retry == ContainerRefusal::Retry::kWithBackOff) {
        image_missing(message);
        return;
    }
    if (report_.state.message != message) note("Warning", "Failed", "Error: " + message);
    const ContainerState last = report_.state.terminated() ? report_.state : report_.last;
    set_waiting(refusal.reason, message);
    report_.last = last;
}

void ContainerRun::image_missing(const std::string& message) {
    const WallTime now = std::chrono::system_clock::now();
    if (now >= next_pull_) {
        note("Normal", "Pulling", cat("Pulling image \"", spec_.image, '"'));
        note("Warning", "Failed", cat("Failed to pull image \"", spec_.image, "\": ", message));
        note("Warning", "Failed", "Error: ErrImagePull");
        set_waiting("ErrImagePull", message);
        const int doublings = std::min(pull_failures_++, 5);
        next_pull_ =
            now + std::min(std::chrono::seconds(10) * (1 << doublings), std::chrono::seconds(300));
        // Shown as an error first, then as waiting for the next try.
        agent_.wake_after(uid_, std::chrono::seconds(2));
        return;
    }
    if (report_.state.reason == "ErrImagePull") {
        note("Normal", "BackOff", cat("Back-off pulling image \"", spec_.image, '"'));
        note("Warning", "Failed", "Error: ImagePullBackOff");
        set_waiting("ImagePullBackOff",
                    cat("Back-off pulling image \"", spec_.image, "\": ErrImagePull: ", message));
    }
    agent_.wake_after(uid_, std::chrono::ceil<std::chrono::milliseconds>(next_pull_ - now));
}

void ContainerRun::on_event(ProcessEvent event) {
    switch (event.kind) {
        case ProcessEvent::Kind::kStarted:
            on_started(event);
            break;
        case ProcessEvent::Kind::kFailed:
            process_ = 0;
            streams_ = {};
            on_failed(event.error);
            break;
        case ProcessEvent::Kind::kExited:
            ended(event.exit_code, event.signal);
            break;
    }
    agent_.wake(uid_);
}

void ContainerRun::on_started(ProcessEvent& event) {
    if (event.tty.valid()) {
        (void)::fcntl(event.tty.get(), F_SETFL, O_NONBLOCK);
        streams_.terminal = std::move(event.tty);
    }
    phase_ = Phase::kRunning;
    report_.state = {.kind = Kind::kRunning, .started = started_at_};
    Loop& loop = agent_.loop;
    log_ = agent_.logs.open({log_path(attempt_), spec_.stdin_once, spec_.stdin},
                            std::move(streams_), [&loop, this, alive = alive_] {
                                loop.post([this, alive] {
                                    if (*alive) on_drained();
                                });
                            });
    streams_ = {};
    drained_ = false;
    note("Normal", "Started", cat("Started container ", spec_.name));
    run_post_start();
}

void ContainerRun::on_failed(const std::string& why) {
    const WallTime now = std::chrono::system_clock::now();
    phase_ = Phase::kIdle;
    // As containerd has it when a program is not there: the container was created, not started.
    report_.state = {.kind = Kind::kTerminated,
                     .reason = "StartError",
                     .message = why,
                     .started = now,
                     .finished = now,
                     .exit_code = 128,
                     .container_id = report_.container_id};
    report_.ready = report_.started = false;
    note("Warning", "Failed", "Error: " + why);
}

void ContainerRun::ended(int exit_code, int signal) {
    process_ = 0;
    kill_timer_.cancel();
    hook_.reset();
    probes_.reset();
    report_.ready = report_.started = false;
    end_ = {.kind = Kind::kTerminated,
            .reason = exit_code == 0 ? "Completed" : "Error",
            .message = "",
            .started = started_at_,
            .finished = std::chrono::system_clock::now(),
            .exit_code = exit_code,
            .signal = signal,
            .container_id = report_.container_id};
    // Who reads the log after the status says "ended" must find all of it.
    phase_ = Phase::kDraining;
    if (drained_) on_drained();
}

void ContainerRun::on_drained() {
    drained_ = true;
    if (phase_ != Phase::kDraining) return;
    if (spec_.stdin_once && !was_attached_ && !kill_at_) {
        if (!first_attach_.active()) {
            first_attach_ = agent_.loop.after(kFirstAttach, [this] { attached(); });
        }
        return;
    }
    phase_ = Phase::kIdle;
    end_.message = termination_message();
    report_.state = end_;
    report_.ready = report_.started = false;
    agent_.wake(uid_);
}

void ContainerRun::attached() {
    was_attached_ = true;
    first_attach_.cancel();
    if (drained_) on_drained();
}

std::string ContainerRun::termination_message() const {
    return PodDirectory(agent_.storage, uid_).read_message(spec_.name, attempt_);
}

}  // namespace kin::netns
