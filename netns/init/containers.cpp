#include "netns/init/containers.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <array>
#include <cstring>
#include <optional>

#include "core/base/strings.h"
#include "netns/init/protocol.h"
#include "netns/init/sys.h"

namespace kin::netns {
namespace {

/// epoll's name for the connection to PID 1; every other number is a ProcessId.
constexpr uint64_t kInitEvent = 0;

Result<UniqueFd> open_own_namespace(const char* kind) {
    UniqueFd fd(::open(cat("/proc/thread-self/ns/", kind).c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.valid()) return Error::from_errno(cat("open namespace ", kind));
    return fd;
}

Result<UniqueFd> memory_file(const std::string& content) {
    UniqueFd fd(::memfd_create("kin-spec", MFD_CLOEXEC));
    if (!fd.valid()) return Error::from_errno("memfd_create");
    std::string_view left = content;
    while (!left.empty()) {
        const ssize_t length = ::write(fd.get(), left.data(), left.size());
        if (length < 0) return Error::from_errno("write a memory file");
        left.remove_prefix(static_cast<size_t>(length));
    }
    return fd;
}

/// A copy of the mounts at `path`, which PID 1's clones can put where they like, although they do
/// not see this file system.
Result<UniqueFd> detached_mount(const std::string& path) {
    UniqueFd fd(
        ::open_tree(AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE));
    if (!fd.valid()) return Error::from_errno(cat("volume ", path));
    return fd;
}

std::vector<int> stdio_fds(const ProcessSpec& spec) {
    return {spec.stdin_fd, spec.stdout_fd, spec.stderr_fd};
}

}  // namespace

/// A process from the request to its end.
struct Containers::Process {
    OnEvent on_event;
    UniqueFd report;  ///< Open until the clone said that it runs, or that it cannot.
    std::string error;
    UniqueFd tty;
    pid_t pid = -1;
    bool started = false;  ///< kStarted is out.
    bool failed = false;   ///< kFailed is out; PID 1 may still tell of the clone's end.
};

Result<Sandbox> Sandbox::create(const std::string& hostname) {
    if (hostname.size() > 64) {
        return Error(Errc::kInvalid, cat("host name ", hostname, " has more than 64 bytes"));
    }
    TRY_ASSIGN(UniqueFd home_ipc, open_own_namespace("ipc"));
    TRY_ASSIGN(UniqueFd home_uts, open_own_namespace("uts"));
    if (::unshare(CLONE_NEWIPC | CLONE_NEWUTS) < 0) return Error::from_errno("unshare ipc and uts");
    const auto fill = [&]() -> Result<Sandbox> {
        if (::sethostname(hostname.data(), hostname.size()) < 0) {
            return Error::from_errno("sethostname");
        }
        TRY_ASSIGN(UniqueFd ipc, open_own_namespace("ipc"));
        TRY_ASSIGN(UniqueFd uts, open_own_namespace("uts"));
        return Sandbox{std::move(ipc), std::move(uts)};
    };
    auto sandbox = fill();
    if (::setns(home_ipc.get(), CLONE_NEWIPC) < 0 || ::setns(home_uts.get(), CLONE_NEWUTS) < 0) {
        return Error::from_errno("return from a sandbox's namespaces");
    }
    return sandbox;
}

Result<std::unique_ptr<Containers>> Containers::create(UniqueFd init_socket) {
    UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll.valid()) return Error::from_errno("epoll_create1");
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = kInitEvent;
    if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, init_socket.get(), &event) < 0) {
        return Error::from_errno("watch the connection to PID 1");
    }
    return std::unique_ptr<Containers>(new Containers(std::move(init_socket), std::move(epoll)));
}

Containers::Containers(UniqueFd init_socket, UniqueFd epoll)
    : init_(std::move(init_socket)), epoll_(std::move(epoll)) {}

Containers::~Containers() = default;

Result<ProcessId> Containers::start(const ContainerSpec& spec, OnEvent on_event) {
    if (!spec.sandbox || spec.network_fd < 0) {
        return Error(Errc::kInvalid, "a container needs a sandbox and a network namespace");
    }
    if (spec.pid_namespace_of != 0) TRY(check_running(spec.pid_namespace_of));
    std::vector<UniqueFd> trees;
    for (const VolumeMount& mount : spec.mounts) {
        if (!mount.target.starts_with('/')) {
            return Error(Errc::kInvalid, cat("mount path ", mount.target, " is not absolute"));
        }
        TRY_ASSIGN(UniqueFd tree, detached_mount(mount.source));
        trees.push_back(std::move(tree));
    }
    std::vector<int> fds = stdio_fds(spec.process);
    fds.insert(fds.end(), {spec.network_fd, spec.sandbox->ipc.get(), spec.sandbox->uts.get()});
    for (const UniqueFd& tree : trees) fds.push_back(tree.get());
    return request(InitRequest::kStart, spec.pid_namespace_of, encode(spec), std::move(fds),
                   std::move(on_event));
}

/// Before a container runs it still stands in PID 1's root.
Result<> Containers::check_running(ProcessId container) const {
    const auto found = processes_.find(container);
    if (found != processes_.end() && found->second->started) return Ok{};
    return Error(Errc::kNotFound, "the container is not running");
}

Result<ProcessId> Containers::exec(ProcessId container, const ProcessSpec& spec, OnEvent on_event) {
    TRY(check_running(container));
    return request(InitRequest::kExec, container, encode(spec), stdio_fds(spec),
                   std::move(on_event));
}

Result<ProcessId> Containers::request(uint32_t operation, ProcessId target,
                                      const std::string& encoded, std::vector<int> fds,
                                      OnEvent on_event) {
    TRY_ASSIGN(UniqueFd spec, memory_file(encoded));
    TRY_ASSIGN(SocketPair report, SocketPair::create());
    for (int& fd : fds) {
        if (fd < 0) fd = spec.get();  // Keeps its place; the encoded spec says that it is none.
    }
    fds.insert(fds.begin(), {spec.get(), report.right.get()});
    const ProcessId id = ++last_id_;
    const InitRequest message{static_cast<InitRequest::Operation>(operation), id, target, 0};
    TRY(send_packet(init_.get(), {reinterpret_cast<const char*>(&message), sizeof message}, fds)
            .context("ask PID 1"));
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = id;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, report.left.get(), &event) < 0) {
        return Error::from_errno("watch a start");
    }
    auto process = std::make_unique<Process>();
    process->on_event = std::move(on_event);
    process->report = std::move(report.left);
    processes_.emplace(id, std::move(process));
    return id;
}

Result<> Containers::signal(ProcessId process, int signal_number) {
    return tell(InitRequest::kSignal, process, signal_number);
}

Result<> Containers::kill_group(ProcessId process) {
    return tell(InitRequest::kKillGroup, process, SIGKILL);
}

Result<> Containers::tell(uint32_t operation, ProcessId process, int signal_number) {
    if (!processes_.contains(process)) return Ok{};
    const InitRequest message{static_cast<InitRequest::Operation>(operation), process, 0,
                              signal_number};
    return send_packet(init_.get(), {reinterpret_cast<const char*>(&message), sizeof message})
        .context("ask PID 1");
}

void Containers::on_readable() {
    std::array<epoll_event, 64> events;
    const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(), 0);
    for (int i = 0; i < count; ++i) {
        const uint64_t what = events[static_cast<size_t>(i)].data.u64;
        if (what == kInitEvent) {
            read_init();
        } else {
            read_report(static_cast<ProcessId>(what));
        }
    }
}

void Containers::read_init() {
    while (true) {
        auto packet = receive_packet(init_.get(), MSG_DONTWAIT);
        if (!packet) return;
        if (packet->end) {
            // PID 1 has ended, and the kernel is ending this process.
            ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, init_.get(), nullptr);
            return;
        }
        InitEvent event;
        if (packet->bytes.size() != sizeof event) continue;
        std::memcpy(&event, packet->bytes.data(), sizeof event);
        const auto found = processes_.find(event.id);
        if (found == processes_.end()) continue;
        switch (event.kind) {
            case InitEvent::kCloned:
                found->second->pid = event.value;
                deliver_start(event.id);
                break;
            case InitEvent::kCloneFailed:
                found->second->error =
                    event.value == ESRCH
                        ? "the container is not running"
                        : Error::from_errno("clone the process", event.value).text();
                found->second->report.reset();
                deliver_start(event.id);
                processes_.erase(event.id);
                break;
            case InitEvent::kExited:
                deliver_exit(event.id, event.value);
                break;
        }
    }
}

void Containers::read_report(ProcessId id) {
    const auto found = processes_.find(id);
    if (found == processes_.end()) return;
    Process& process = *found->second;
    while (process.report.valid()) {
        auto packet = receive_packet(process.report.get(), MSG_DONTWAIT);
        if (!packet && packet.error().error_number() == EAGAIN) return;
        if (!packet) {
            process.error = packet.error().text();
        } else if (!packet->end) {
            if (packet->bytes[0] == static_cast<char>(ChildReport::kTty) && !packet->fds.empty()) {
                process.tty = std::move(packet->fds[0]);
                continue;
            }
            process.error = packet->bytes.substr(1);
        }
        process.report.reset();
    }
    deliver_start(id);
}

void Containers::deliver_start(ProcessId id) {
    Process& process = *processes_.at(id);
    if (process.report.valid() || process.started || process.failed) return;
    ProcessEvent event{ProcessEvent::Kind::kStarted, id, process.pid, {}, process.error, 0, 0};
    if (!process.error.empty()) {
        process.failed = true;
        event.kind = ProcessEvent::Kind::kFailed;
    } else {
        if (process.pid < 0) return;  // PID 1's word is still under way.
        process.started = true;
        event.tty = std::move(process.tty);
    }
    const OnEvent on_event = process.on_event;  // It may change processes_.
    on_event(std::move(event));
}

void Containers::deliver_exit(ProcessId id, int wait_status) {
    // Its last word may still be unread, and there will be no other.
    read_report(id);
    auto found = processes_.find(id);
    if (found == processes_.end()) return;
    Process& unfinished = *found->second;
    unfinished.report.reset();
    deliver_start(id);
    found = processes_.find(id);
    if (found == processes_.end()) return;
    const std::unique_ptr<Process> process = std::move(found->second);
    processes_.erase(found);
    if (process->failed) return;
    ProcessEvent event{ProcessEvent::Kind::kExited, id, process->pid, {}, "", 0, 0};
    if (WIFSIGNALED(wait_status)) {
        event.signal = WTERMSIG(wait_status);
        event.exit_code = 128 + event.signal;
    } else {
        event.exit_code = WEXITSTATUS(wait_status);
    }
    process->on_event(std::move(event));
}

}  // namespace kin::netns
