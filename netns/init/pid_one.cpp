#include "netns/init/pid_one.h"

#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "core/base/strings.h"
#include "netns/init/child.h"
#include "netns/init/protocol.h"
#include "netns/init/reports.h"
#include "netns/init/template_root.h"

namespace kin::netns {
namespace {

/// The kernel ends this process with its parent, whose end before this call shows on `lifeline`.
Result<> die_with_parent(int lifeline) {
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) return Error::from_errno("PR_SET_PDEATHSIG");
    pollfd poll{lifeline, 0, 0};
    if (::poll(&poll, 1, 0) > 0) return Error(Errc::kGone, "the parent has gone");
    return Ok{};
}

Result<IdMap> take_ids(int launcher) {
    TRY_ASSIGN(const Packet packet, receive_packet(launcher));
    IdMap ids;
    if (packet.bytes.size() != sizeof ids) return Error(Errc::kGone, "the launcher has gone");
    std::memcpy(&ids, packet.bytes.data(), sizeof ids);
    // The groups of the person who started the lab, root's above all, are not the lab's. Where
    // only one id is mapped the kernel forbids the call, and they stay without effect inside.
    ::setgroups(0, nullptr);
    if (::setresgid(0, 0, 0) < 0) return Error::from_errno("setresgid");
    if (::setresuid(0, 0, 0) < 0) return Error::from_errno("setresuid");
    // Otherwise /proc/self belongs to nobody after a change of ids.
    ::prctl(PR_SET_DUMPABLE, 1);
    return ids;
}

UniqueFd open_signals(std::initializer_list<int> signals) {
    sigset_t mask;
    sigemptyset(&mask);
    for (const int signal : signals) sigaddset(&mask, signal);
    ::sigprocmask(SIG_SETMASK, &mask, nullptr);
    return UniqueFd(::signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK));
}

struct Entry {
    pid_t pid;
    ProcessId id;
};

class PidOne {
public:
    PidOne(UniqueFd launcher, UniqueFd requests, UniqueFd signals, pid_t server, CloneOrigin origin,
           pid_t* shared_pid)
        : launcher_(std::move(launcher)),
          requests_(std::move(requests)),
          signals_(std::move(signals)),
          server_(server),
          origin_(origin),
          shared_pid_(shared_pid) {
        entries_.reserve(1024);
    }

    [[noreturn]] void run() {
        while (true) {
            pollfd polls[] = {{signals_.get(), POLLIN, 0},
                              {requests_.get(), POLLIN, 0},
                              {launcher_.get(), POLLIN, 0}};
            if (::poll(polls, 3, -1) < 0) continue;
            if (polls[2].revents & (POLLHUP | POLLERR)) ::_exit(1);
            if (polls[0].revents) read_signals();
            if (polls[1].revents) read_request();
        }
    }

private:
    void read_signals() {
        signalfd_siginfo signal;
        while (::read(signals_.get(), &signal, sizeof signal) == sizeof signal) {
            if (signal.ssi_signo == SIGCHLD) {
                reap();
            } else {
                ::kill(server_, SIGTERM);
            }
        }
    }

    void reap() {
        int status = 0;
        for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
            if (pid == server_) end_with_server(status);
            for (size_t i = 0; i < entries_.size(); ++i) {
                if (entries_[i].pid != pid) continue;
                tell(InitEvent::kExited, entries_[i].id, status);
                entries_[i] = entries_.back();
                entries_.pop_back();
                break;
            }
        }
    }

    /// The kernel ends every other process with this one.
    [[noreturn]] void end_with_server(int status) {
        if (WIFEXITED(status)) ::_exit(WEXITSTATUS(status));
        report_error(launcher_.get(),
                     Error(Errc::kSystem, cat("the server was ", describe_wait_status(status))));
        ::_exit(128 + WTERMSIG(status));
    }

    void read_request() {
        auto packet = receive_packet(requests_.get(), MSG_DONTWAIT);
        if (!packet) {
            if (packet.error().error_number() != EAGAIN) {
                std::fprintf(stderr, "kin: pid 1: %s\n", packet.error().text().c_str());
            }
            return;
        }
        // The server has gone or goes; its exit status will say how.
        if (packet->end) return requests_.reset();
        InitRequest request;
        if (packet->bytes.size() != sizeof request) return;
        std::memcpy(&request, packet->bytes.data(), sizeof request);
        switch (request.operation) {
            case InitRequest::kSignal:
            case InitRequest::kKillGroup:
                return send_signal(request);
            case InitRequest::kStart:
                if (packet->fds.size() < kTreesFd) return;
                return added(request.id, clone_container(request.container, packet->fds));
            case InitRequest::kExec:
                if (packet->fds.size() != kExecFds) return;
                return added(request.id, clone_exec(request.container, packet->fds));
        }
    }

    void send_signal(const InitRequest& request) {
        const pid_t pid = find(request.id);
        if (pid <= 0) return;
        // Each process is born as the leader of a session, so the group bears its number.
        if (request.operation == InitRequest::kKillGroup) ::kill(-pid, request.signal);
        ::kill(pid, request.signal);
    }

    pid_t find(ProcessId id) const {
        for (const Entry& entry : entries_) {
            if (entry.id == id) return entry.pid;
        }
        return -1;
    }

    void added(ProcessId id, pid_t pid) {
        if (pid < 0) return tell(InitEvent::kCloneFailed, id, -pid);
        entries_.push_back({pid, id});
        tell(InitEvent::kCloned, id, pid);
    }

    void tell(InitEvent::Kind kind, ProcessId id, int32_t value) {
        const InitEvent event{kind, id, value};
        (void)send_packet(requests_.get(), {reinterpret_cast<const char*>(&event), sizeof event});
    }

    /// The pid, or -errno.
    pid_t clone_container(ProcessId shares_pids_of, std::vector<UniqueFd>& fds) {
        if (shares_pids_of != 0) {
            return clone_into(shares_pids_of, CLONE_NEWPID, [&] {
                const pid_t pid = clone_process(CLONE_NEWNS | CLONE_PARENT, 0);
                if (pid == 0) become_container(std::move(fds), origin_);
                return pid;
            });
        }
        const pid_t pid = clone_process(CLONE_NEWPID | CLONE_NEWNS, SIGCHLD);
        if (pid < 0) return -errno;
        if (pid == 0) become_container(std::move(fds), origin_);
        return pid;
    }

    pid_t clone_exec(ProcessId container, std::vector<UniqueFd>& fds) {
        const int namespaces =
            CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS;
        return clone_into(container, namespaces, [&] {
            const pid_t pid = clone_process(CLONE_PARENT, 0);
            if (pid == 0) become_exec(std::move(fds), origin_);
            return pid;
        });
    }

    /// A process can enter a pid namespace only by birth, so a child in between joins those
    /// `namespaces` of the container and has one there by `clone`, which becomes PID 1's own child:
    /// its exit code arrives.
    template <class Clone>
    pid_t clone_into(ProcessId container, int namespaces, const Clone& clone) {
        const pid_t target = find(container);
        if (target < 0) return -ESRCH;
        *shared_pid_ = -ECHILD;
        const pid_t between = clone_process(0, SIGCHLD);
        if (between < 0) return -errno;
        if (between == 0) {
            pid_t pid = -1;
            if (join(target, namespaces)) pid = clone();
            *shared_pid_ = pid < 0 ? -errno : pid;
            ::_exit(0);
        }
        while (::waitpid(between, nullptr, 0) < 0 && errno == EINTR) {
        }
        return *shared_pid_;
    }

    /// False with errno set.
    static bool join(pid_t target, int namespaces) {
        // glibc 2.36 declares pidfd_open without C linkage.
        const UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, target, 0)));
        return pidfd.valid() && ::setns(pidfd.get(), namespaces) == 0;
    }

    UniqueFd launcher_;
    UniqueFd requests_;
    UniqueFd signals_;
    pid_t server_;
    CloneOrigin origin_;
    pid_t* shared_pid_;  ///< In a page shared with the child in between.
    std::vector<Entry> entries_;
};

[[noreturn]] void run_server(UniqueFd init_socket, UniqueFd launcher, const IdMap& ids,
                             const std::function<int(ServerContext&)>& server) {
    ::prctl(PR_SET_NAME, "kin-server");
    // PID 1's end ends its namespace, this process included: no lifeline needed.
    UniqueFd stop = open_signals({SIGINT, SIGTERM, SIGHUP});
    ::signal(SIGPIPE, SIG_IGN);
    ServerContext context(std::move(init_socket), std::move(launcher), std::move(stop), ids);
    const int code = server(context);
    std::fflush(nullptr);
    ::_exit(code);
}

Result<> live(UniqueFd& launcher, const LaunchOptions& options,
              const std::function<int(ServerContext&)>& server) {
    TRY(die_with_parent(launcher.get()));
    TRY_ASSIGN(const IdMap ids, take_ids(launcher.get()));
    // A change of ids has cleared it.
    TRY(die_with_parent(launcher.get()));
    ::setsid();  // Ctrl-C is for the launcher, which ends the lab in good order.
    ::umask(022);
    ::prctl(PR_SET_NAME, "kin-init");
    // What the host unmounts later goes here too; what is mounted here stays here.
    if (::mount(nullptr, "/", nullptr, MS_SLAVE | MS_REC, nullptr) < 0) {
        // Ubuntu's AppArmor lets user namespaces be made and takes their capabilities.
        if (errno == EACCES || errno == EPERM)
            return Error(Errc::kDenied,
                         "this machine forbids what user namespaces are for (see: kin doctor)");
        return Error::from_errno("make the mounts private");
    }
    TRY_ASSIGN(SocketPair pair, SocketPair::create());
    void* shared =
        ::mmap(nullptr, sizeof(pid_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) return Error::from_errno("mmap");
    UniqueFd signals = open_signals({SIGCHLD, SIGINT, SIGTERM, SIGHUP});
    const pid_t server_pid = ::fork();
    if (server_pid < 0) return Error::from_errno("fork the server");
    if (server_pid == 0) {
        pair.right.reset();
        signals.reset();
        run_server(std::move(pair.left), std::move(launcher), ids, server);
    }
    pair.left.reset();
    TRY_ASSIGN(const TemplateRoot root,
               enter_template_root().context("build the root of containers"));
    PidOne(std::move(launcher), std::move(pair.right), std::move(signals), server_pid,
           {root, options.run_personality, ids.uids == 1}, static_cast<pid_t*>(shared))
        .run();
}

}  // namespace

void run_pid_one(UniqueFd launcher, const LaunchOptions& options,
                 const std::function<int(ServerContext&)>& server) {
    auto ended = live(launcher, options, server);
    report_error(launcher.get(), ended.error());
    ::_exit(1);
}

}  // namespace kin::netns
