// The node agent as PodAccess and Namespaces: what others do inside pods.
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include <cstring>

#include "core/base/strings.h"
#include "netns/images/images.h"
#include "netns/network/node_links.h"
#include "netns/pod/node_agent.h"

namespace kin::netns {
namespace {

sockaddr_in socket_address(Ipv4 address, uint16_t port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(port);
    out.sin_addr.s_addr = address.network_order();
    return out;
}

/// Runs `open` on this thread inside the namespace behind `fd`, which stays the caller's.
template <class F>
auto inside(int fd, F&& open) -> std::invoke_result_t<F> {
    UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
    if (!copy.valid()) return Error::from_errno("dup");
    return Netns::adopt(std::move(copy)).enter(std::forward<F>(open));
}

Result<UniqueFd> open_socket(Namespaces::SocketType type, Ipv4 address, uint16_t port) {
    const bool tcp = type != Namespaces::SocketType::kUdp;
    UniqueFd fd(
        ::socket(AF_INET, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd.valid()) return Error::from_errno("socket");
    if (type == Namespaces::SocketType::kTcp) return fd;
    const int on = 1;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const sockaddr_in at = socket_address(address, port);
    const std::string where = cat(address, ':', port);
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) < 0) {
        return Error::from_errno(cat("bind ", where));
    }
    if (tcp && ::listen(fd.get(), SOMAXCONN) < 0) return Error::from_errno(cat("listen ", where));
    return fd;
}

/// In the words of Kubernetes' own programs: "dial tcp 127.0.0.1:80: connect: connection refused".
Status cannot_connect(uint16_t port, int error) {
    Status status = internal_error("connect");
    status.message =
        cat("dial tcp 127.0.0.1:", port, ": connect: ", to_lower(std::strerror(error)));
    return status;
}

Status pod_not_found(const ObjectKey& pod) { return not_found(*find_resource("pods"), pod.name); }

}  // namespace

Answer<ContainerRun*> NodeAgent::find_container(const ObjectKey& pod, const std::string& name) {
    PodWorker* worker = find_worker(pod);
    if (!worker) return pod_not_found(pod);
    ContainerRun* run = worker->find_container(name);
    if (run) return run;
    if (!name.empty()) {
        return bad_request(cat("container ", name, " is not valid for pod ", pod.name));
    }
    return bad_request(cat("a container name must be specified for pod ", pod.name,
                           ", choose one of: [", join(worker->container_names(), " "), ']'));
}

void NodeAgent::exec(ExecRequest request, Started started, Exited exited) {
    loop_.post([this, alive = alive_, request = std::move(request), started = std::move(started),
                exited = std::move(exited)] {
        if (*alive) exec_here(request, started, exited);
    });
}

void NodeAgent::exec_here(const ExecRequest& request, const Started& started,
                          const Exited& exited) {
    if (!request.host.empty()) return exec_in_host(request, started, exited);
    auto run = find_container(request.pod, request.container);
    if (!run) return started(std::move(run).error());
    const auto container = (*run)->process();
    if (!container) {
        return started(internal_error(
            (*run)->alive()
                ? cat("container ", (*run)->spec().name, " is a part of kin: no programs run in it")
                : cat("unable to upgrade connection: container not found (\"", (*run)->spec().name,
                      "\")")));
    }
    run_command(request, (*run)->exec_spec(request.command), started, exited,
                [&](const ProcessSpec& process, Containers::OnEvent on_event) {
                    return context_.containers.exec(*container, process, std::move(on_event));
                });
}

void NodeAgent::exec_in_host(const ExecRequest& request, const Started& started,
                             const Exited& exited) {
    const KernelNode* const host = context_.links.find(request.host);
    if (!host) return started(bad_request(cat("there is no host ", request.host)));
    auto sandbox = Sandbox::create(request.host);
    if (!sandbox) return started(internal_error(sandbox.error()));
    ContainerSpec spec = images::container_of(
        {}, request.command, {}, {cat("PS1=", request.host, ":\\w# "), "TERM=xterm-256color"});
    // What a node's administrator does there: addresses, routes, rules, and packets.
    spec.process.capabilities |= capability_bit("NET_ADMIN");
    spec.network_fd = host->netns.fd();
    spec.sandbox = &*sandbox;
    const ProcessSpec process = spec.process;
    run_command(request, process, started, exited,
                [&](const ProcessSpec& with_streams, Containers::OnEvent on_event) {
                    spec.process = with_streams;
                    return context_.containers.start(spec, std::move(on_event));
                });
}

void NodeAgent::run_command(const ExecRequest& request, ProcessSpec process, const Started& started,
                            const Exited& exited, const Start& start) {
    auto pipes = std::make_shared<StdioPipes>();
    process.tty = request.tty;
    if (!request.tty) {
        if (auto opened = pipes->open(request.want_stdin, request.want_stdout, request.want_stderr);
            !opened) {
            return started(internal_error(opened.error()));
        }
        pipes->give_to(process);
    }
    const auto on_event = [this, pipes, started, exited](ProcessEvent event) {
        switch (event.kind) {
            case ProcessEvent::Kind::kStarted: {
                ContainerStreams& ours = pipes->ours;
                if (event.tty.valid()) (void)::fcntl(event.tty.get(), F_SETFL, O_NONBLOCK);
                return started(ExecStreams{std::move(ours.stdin_write), std::move(ours.stdout_read),
                                           std::move(ours.stderr_read), std::move(event.tty),
                                           lease_of(event.id)});
            }
            case ProcessEvent::Kind::kFailed:
                started(ExecStreams{});
                // As runc and shells have it: the program is not there, or is no program.
                return exited({126, event.error, false});
            case ProcessEvent::Kind::kExited:
                return exited({event.exit_code, "", true});
        }
    };
    auto asked = start(process, on_event);
    if (!asked) return started(internal_error(asked.error()));
    // The child has its ends; ours must see the end when the child closes them.
    pipes->stdin_read.reset();
    pipes->stdout_write.reset();
    pipes->stderr_write.reset();
}

std::shared_ptr<void> NodeAgent::lease_of(ProcessId process) {
    const auto end = [this, alive = alive_, &loop = loop_, process](void*) {
        loop.post([this, alive, process] {
            if (*alive) (void)context_.containers.kill_group(process);
        });
    };
    return {nullptr, end};
}

void NodeAgent::attach(ExecRequest request, Started started, Exited exited) {
    loop_.post([this, alive = alive_, request = std::move(request), started = std::move(started),
                exited = std::move(exited)] {
        if (*alive) attach_here(request, started, exited);
    });
}

void NodeAgent::attach_here(const ExecRequest& request, const Started& started, Exited exited) {
    auto run = find_container(request.pod, request.container);
    if (!run) return started(std::move(run).error());
    if (!(*run)->log()) {
        return started(bad_request(cat("container ", (*run)->spec().name, " in pod ",
                                       request.pod.name, " is not running")));
    }
    // The exit code of what one is attached to is read from the pod's status.
    logs_->attach(*(*run)->log(), request, started, [exited = std::move(exited)] {
        exited({0, "", true});
    });
    (*run)->attached();
}

void NodeAgent::connect(const ObjectKey& pod, uint16_t port,
                        std::function<void(Answer<UniqueFd>)> connected) {
    loop_.post([this, alive = alive_, pod, port, connected = std::move(connected)] {
        if (*alive) connect_here(pod, port, connected);
    });
}

void NodeAgent::connect_here(const ObjectKey& pod, uint16_t port,
                             const std::function<void(Answer<UniqueFd>)>& connected) {
    PodWorker* worker = find_worker(pod);
    if (!worker) return connected(pod_not_found(pod));
    if (worker->network_fd() < 0)
        return connected(bad_request(cat("pod ", pod.name, " is not running")));
    auto socket = inside(worker->network_fd(), []() -> Result<UniqueFd> {
        UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        if (!fd.valid()) return Error::from_errno("socket");
        return fd;
    });
    if (!socket) return connected(internal_error(socket.error()));
    const int fd = socket->get();
    const sockaddr_in at = socket_address({0x7F000001}, port);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) < 0 &&
        errno != EINPROGRESS) {
        return connected(cannot_connect(port, errno));
    }
    auto waiting = std::make_unique<Connecting>();
    waiting->socket = std::move(socket).value();
    waiting->connected = connected;
    waiting->watch = loop_.watch(fd, Readiness::kWritable, [this, fd, port](int) {
        const auto done = std::move(connecting_.at(fd));
        connecting_.erase(fd);
        done->watch.cancel();
        int error = 0;
        socklen_t size = sizeof error;
        ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error == 0) return done->connected(std::move(done->socket));
        done->connected(cannot_connect(port, error));
    });
    connecting_[fd] = std::move(waiting);
}

void NodeAgent::find_log(LogRequest request, std::function<void(Answer<LogFile>)> found) {
    loop_.post([this, alive = alive_, request = std::move(request), found = std::move(found)] {
        if (*alive) found(find_log_here(request));
    });
}

Answer<PodAccess::LogFile> NodeAgent::find_log_here(const LogRequest& request) {
    auto found = find_container(request.pod, request.container);
    if (!found) return std::move(found).error();
    const ContainerRun& run = **found;
    const ContainerReport& report = run.report();
    const int attempt = run.attempt() - (request.previous ? 1 : 0);
    if (attempt < 0 && request.previous) {
        return bad_request(cat("previous terminated container \"", report.name, "\" in pod \"",
                               request.pod.name, "\" not found"));
    }
    if (attempt < 0) {
        return bad_request(cat("container \"", report.name, "\" in pod \"", request.pod.name,
                               "\" is waiting to start: ", report.state.reason));
    }
    return LogFile{run.log_path(attempt), !request.previous && run.alive()};
}

std::shared_ptr<void> NodeAgent::follow_log(const std::string& path,
                                            std::function<void(bool running)> changed) {
    return logs_->follow(path, std::move(changed));
}

Result<UniqueFd> NodeAgent::open_in_pod(const ObjectKey& pod, SocketType type, Ipv4 address,
                                        uint16_t port) {
    PodWorker* worker = find_worker(pod);
    if (!worker || worker->network_fd() < 0) {
        return Error(Errc::kNotFound, cat("pod ", pod, " has no network here"));
    }
    return inside(worker->network_fd(), [&] { return open_socket(type, address, port); });
}

Result<UniqueFd> NodeAgent::open_in_node(const std::string& node, SocketType type, Ipv4 address,
                                         uint16_t port) {
    const KernelNode* found = context_.links.find(node);
    if (!found) return Error(Errc::kNotFound, cat("there is no node ", node));
    return found->netns.enter([&] { return open_socket(type, address, port); });
}

}  // namespace kin::netns
