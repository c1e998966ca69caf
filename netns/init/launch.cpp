#include "netns/init/launch.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <optional>

#include "core/base/files.h"
#include "core/base/strings.h"
#include "netns/init/id_maps.h"
#include "netns/init/pid_one.h"
#include "netns/init/reports.h"

namespace kin::netns {
namespace {

using Clock = std::chrono::steady_clock;

void raise_open_files_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) < 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

Result<> prepare_directories(const std::vector<std::string>& directories) {
    for (const std::string& directory : directories) TRY(make_lab_directory(directory));
    return Ok{};
}

/// The log lies in a folder in which root's lab, who is somebody else, can make what it likes: a
/// link would make root write elsewhere, a pipe would make it wait.
Result<UniqueFd> open_log(const std::string& path) {
    UniqueFd log(::open(path.c_str(),
                        O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
    if (!log.valid()) return Error::from_errno(cat("open ", path));
    struct stat found {};
    if (::fstat(log.get(), &found) < 0) return Error::from_errno(cat("stat ", path));
    if (S_ISREG(found.st_mode) && found.st_nlink <= 1) return log;
    return Error(Errc::kInvalid, cat(path, " is no file of its own: remove it"));
}

/// Why clone3 failed, in words that lead to the remedy.
Error explain_clone_failure(int error_number) {
    if (error_number == ENOSPC) {
        const auto limit = read_file("/proc/sys/user/max_user_namespaces");
        return Error(Errc::kDenied,
                     cat("no more user namespaces can be made here (user.max_user_namespaces is ",
                         limit ? trim(*limit) : "unknown", ")"));
    }
    if (error_number == EPERM || error_number == EACCES) {
        return Error(Errc::kDenied,
                     "this machine forbids user namespaces (see sysctl "
                     "kernel.unprivileged_userns_clone and "
                     "kernel.apparmor_restrict_unprivileged_userns; in a container its seccomp "
                     "profile)");
    }
    return Error::from_errno("clone the lab's first process", error_number);
}

/// The launcher once PID 1 is cloned: passes signals on and waits for the end.
class Launcher {
public:
    Launcher(const LaunchOptions& options, pid_t child, UniqueFd reports, UniqueFd signals,
             int foreground)
        : options_(options),
          child_(child),
          reports_(std::move(reports)),
          signals_(std::move(signals)),
          foreground_(foreground) {}

    ~Launcher() {
        if (!ended_) {
            ::kill(child_, SIGKILL);
            ::waitpid(child_, nullptr, 0);
        }
    }

    Result<int> run() {
        TRY_ASSIGN(const IdMap ids, write_id_maps(child_).context("give the lab its ids"));
        TRY(prepare_directories(options_.directories));
        TRY(send_packet(reports_.get(), {reinterpret_cast<const char*>(&ids), sizeof ids}));
        while (!ended_) TRY(wait_once());
        while (read_report()) {
        }
        if (error_) return std::move(*error_);
        if (killed_) return Error(Errc::kSystem, "the lab did not end in time and was killed");
        if (WIFSIGNALED(status_)) {
            return Error(Errc::kSystem,
                         cat("the lab's first process was ", describe_wait_status(status_)));
        }
        return WEXITSTATUS(status_);
    }

private:
    Result<> wait_once() {
        pollfd polls[] = {{signals_.get(), POLLIN, 0},
                          {reports_.get(), POLLIN, 0},
                          // Gone before it heard of readiness: nobody wants this lab.
                          {ready_ ? -1 : foreground_, 0, 0}};
        if (::poll(polls, 3, time_left_ms()) < 0 && errno != EINTR) {
            return Error::from_errno("poll");
        }
        if (kill_at_ && Clock::now() >= *kill_at_) kill_lab();
        if (polls[0].revents) read_signals();
        if (polls[1].revents && !read_report()) reports_.reset();
        if (polls[2].revents) stop();
        return Ok{};
    }

    int time_left_ms() const {
        if (!kill_at_) return -1;
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(*kill_at_ - Clock::now());
        return static_cast<int>(std::max<int64_t>(left.count() + 1, 0));
    }

    void read_signals() {
        signalfd_siginfo signal;
        while (::read(signals_.get(), &signal, sizeof signal) == sizeof signal) {
            if (signal.ssi_signo == SIGCHLD) {
                ended_ = ended_ || ::waitpid(child_, &status_, WNOHANG) == child_;
            } else {
                stop();
            }
        }
    }

    void stop() {
        if (ended_) return;
        if (kill_at_) return kill_lab();
        kill_at_ = Clock::now() + options_.stop_timeout;
        foreground_ = -1;
        ::kill(child_, SIGTERM);
    }

    void kill_lab() {
        if (ended_) return;
        killed_ = true;
        kill_at_.reset();
        ::kill(child_, SIGKILL);
    }

    /// False when there is none, or none will come any more.
    bool read_report() {
        if (!reports_.valid()) return false;
        auto packet = receive_packet(reports_.get(), MSG_DONTWAIT);
        if (!packet) return false;
        if (packet->end) return false;
        const std::string text = packet->bytes.substr(1);
        switch (static_cast<Report>(packet->bytes[0])) {
            case Report::kReady:
                become_ready(text, packet->bytes);
                break;
            case Report::kFailed:
                error_.emplace(Errc::kSystem, text);
                break;
            case Report::kDenied:
                error_.emplace(Errc::kDenied, text);
                break;
        }
        return true;
    }

    void become_ready(const std::string& text, const std::string& packet) {
        if (ready_) return;
        ready_ = true;
        if (foreground_ >= 0) {
            (void)send_packet(foreground_, packet);
        } else if (options_.on_ready) {
            options_.on_ready(text);
        }
    }

    const LaunchOptions& options_;
    pid_t child_;
    UniqueFd reports_;
    UniqueFd signals_;
    int foreground_;  ///< Where a detaching launch() waits; -1 if none does.
    std::optional<Clock::time_point> kill_at_;
    std::optional<Error> error_;
    bool ready_ = false;
    bool killed_ = false;
    bool ended_ = false;
    int status_ = 0;
};

Result<int> run_launcher(const LaunchOptions& options,
                         const std::function<int(ServerContext&)>& server, int foreground) {
    sigset_t mask, old_mask;
    sigemptyset(&mask);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&mask, signal);
    ::sigprocmask(SIG_BLOCK, &mask, &old_mask);
    UniqueFd signals(::signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK));
    TRY_ASSIGN(SocketPair pair, SocketPair::create());
    const pid_t child = clone_process(
        CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS, SIGCHLD);
    if (child < 0) {
        const int error_number = errno;
        ::sigprocmask(SIG_SETMASK, &old_mask, nullptr);
        return explain_clone_failure(error_number);
    }
    if (child == 0) {
        pair.left.reset();
        signals.reset();
        if (foreground >= 0) ::close(foreground);
        run_pid_one(std::move(pair.right), options, server);
    }
    pair.right.reset();
    auto result =
        Launcher(options, child, std::move(pair.left), std::move(signals), foreground).run();
    ::sigprocmask(SIG_SETMASK, &old_mask, nullptr);
    return result;
}

/// The background half of a detaching launch(): everything but the waiting for readiness.
[[noreturn]] void run_detached(const LaunchOptions& options,
                               const std::function<int(ServerContext&)>& server, int foreground) {
    ::setsid();
    const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    for (const int fd : {0, 1, 2}) ::dup2(null.get(), fd);
    const auto result = [&]() -> Result<int> {
        // The log lies in a directory that a first start has yet to make.
        TRY(prepare_directories(options.directories));
        if (!options.log_file.empty()) {
            TRY_ASSIGN(const UniqueFd log, open_log(options.log_file));
            for (const int fd : {1, 2}) ::dup2(log.get(), fd);
        }
        return run_launcher(options, server, foreground);
    }();
    if (result) ::_exit(*result);
    // Whoever started the lab reads this, or has gone; the log is for later.
    report_error(foreground, result.error());
    std::fprintf(stderr, "kin: %s\n", result.error().text().c_str());
    ::_exit(1);
}

Result<int> launch_detached(const LaunchOptions& options,
                            const std::function<int(ServerContext&)>& server) {
    TRY_ASSIGN(SocketPair pair, SocketPair::create());
    const pid_t child = ::fork();
    if (child < 0) return Error::from_errno("fork");
    if (child == 0) {
        pair.left.reset();
        run_detached(options, server, pair.right.get());
    }
    pair.right.reset();
    TRY_ASSIGN(const Packet packet, receive_packet(pair.left.get()));
    if (packet.end) {
        int status = 0;
        ::waitpid(child, &status, 0);
        if (WIFEXITED(status)) return WEXITSTATUS(status);
        return Error(Errc::kSystem, cat("the launcher was ", describe_wait_status(status)));
    }
    const std::string text = packet.bytes.substr(1);
    if (packet.bytes[0] == static_cast<char>(Report::kReady)) {
        if (options.on_ready) options.on_ready(text);
        return 0;
    }
    ::waitpid(child, nullptr, 0);
    const bool denied = packet.bytes[0] == static_cast<char>(Report::kDenied);
    return Error(denied ? Errc::kDenied : Errc::kSystem, text);
}

}  // namespace

void ServerContext::wait_for_stop() const {
    pollfd poll{stop_.get(), POLLIN, 0};
    while (::poll(&poll, 1, -1) < 0 && errno == EINTR) {
    }
}

void ServerContext::notify_ready(std::string_view text) const {
    (void)send_report(launcher_.get(), Report::kReady, text);
}

void ServerContext::notify_failed(const Error& error) const {
    report_error(launcher_.get(), error);
}

Result<int> launch(const LaunchOptions& options, const std::function<int(ServerContext&)>& server) {
    raise_open_files_limit();
    if (options.foreground == Foreground::kDetachWhenReady) return launch_detached(options, server);
    return run_launcher(options, server, -1);
}

}  // namespace kin::netns
