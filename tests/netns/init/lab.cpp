#include "tests/netns/init/lab.h"

#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "core/base/files.h"
#include "core/base/strings.h"
#include "netns/init/sys.h"
#include "tests/support/patience.h"

namespace kin::test {
namespace {

const int kPatienceMs = patience_ms(20000);

std::pair<UniqueFd, UniqueFd> make_pipe() {
    int fds[2];
    KIN_ASSERT(::pipe2(fds, O_CLOEXEC) == 0);
    return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

std::string read_all(int fd, std::string_view until = "") {
    std::string text;
    char buffer[4096];
    pollfd poll{fd, POLLIN, 0};
    while ((until.empty() || !text.ends_with(until)) && ::poll(&poll, 1, kPatienceMs) > 0) {
        const ssize_t length = ::read(fd, buffer, sizeof buffer);
        if (length <= 0) break;
        text.append(buffer, static_cast<size_t>(length));
    }
    return text;
}

UniqueFd new_network() {
    UniqueFd network;
    std::thread maker([&] {
        if (::unshare(CLONE_NEWNET) < 0) return;
        network.reset(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
        UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        ifreq request{};
        std::strcpy(request.ifr_name, "lo");
        request.ifr_flags = IFF_UP;
        ::ioctl(socket.get(), SIOCSIFFLAGS, &request);
    });
    maker.join();
    return network;
}

}  // namespace

LaunchedLab::LaunchedLab(Server server, netns::LaunchOptions options) {
    auto pair = netns::SocketPair::create();
    KIN_ASSERT(pair.has_value());
    messages_[0] = std::move(pair->left);
    messages_[1] = std::move(pair->right);
    auto [reader, writer] = make_pipe();
    (void)std::fflush(nullptr);  // What is in stdio's buffers is this process's to say, once.
    launcher_ = ::fork();
    if (launcher_ == 0) {
        reader.reset();
        const auto result = netns::launch(options, [&](netns::ServerContext& context) {
            writer.reset();
            return server(context, *this);
        });
        // The line's end tells that it is complete: a detached lab keeps the pipe open.
        const std::string text =
            result ? cat("exit ", *result, "\n") : cat("error: ", result.error().text(), "\n");
        (void)!::write(writer.get(), text.data(), text.size());
        ::_exit(0);
    }
    messages_[1].reset();
    outcome_ = std::move(reader);
}

LaunchedLab::~LaunchedLab() {
    if (launcher_ <= 0) return;
    ::kill(launcher_, SIGKILL);
    ::waitpid(launcher_, nullptr, 0);
}

void LaunchedLab::say(std::string_view text) const {
    (void)netns::send_packet(messages_[1].get(), text);
}

std::string LaunchedLab::hear() const {
    pollfd poll{messages_[0].get(), POLLIN, 0};
    if (::poll(&poll, 1, kPatienceMs) <= 0) return "";
    auto packet = netns::receive_packet(messages_[0].get());
    return packet ? packet->bytes : "";
}

std::string LaunchedLab::ended() {
    const std::string text(trim(read_all(outcome_.get(), "\n")));
    int status = 0;
    ::waitpid(launcher_, &status, 0);
    launcher_ = -1;
    return WIFSIGNALED(status) ? "killed" : text;
}

std::string in_lab(const std::function<std::string(netns::ServerContext&)>& server,
                   netns::LaunchOptions options) {
    LaunchedLab lab(
        [&](netns::ServerContext& context, LaunchedLab& self) {
            self.say(server(context));
            return 0;
        },
        std::move(options));
    std::string text = lab.hear();
    const std::string end = lab.ended();
    return end == "exit 0" ? text : cat(text, "[", end, "]");
}

std::string why_no_labs() {
    static const std::string reason = [] {
        LaunchedLab lab([](netns::ServerContext&, LaunchedLab&) { return 0; });
        const std::string end = lab.ended();
        return end == "exit 0" ? std::string() : end;
    }();
    return reason;
}

Pods::Pods(netns::ServerContext& context) {
    auto containers = netns::Containers::create(context.take_init_socket());
    KIN_ASSERT(containers.has_value());
    containers_ = std::move(*containers);
    network_ = new_network();
    auto sandbox = netns::Sandbox::create("pod-a");
    if (!sandbox) std::fprintf(stderr, "%s\n", sandbox.error().text().c_str());
    KIN_ASSERT(sandbox.has_value());
    sandbox_ = std::move(*sandbox);
}

bool Pods::listens(uint16_t port) const {
    bool accepted = false;
    std::thread asker([&] {
        if (::setns(network_.get(), CLONE_NEWNET) < 0) return;
        const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in place{};
        place.sin_family = AF_INET;
        place.sin_port = htons(port);
        place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        accepted =
            ::connect(socket.get(), reinterpret_cast<sockaddr*>(&place), sizeof place) == 0;
    });
    asker.join();
    return accepted;
}

netns::Containers::OnEvent Pods::record() {
    return [this](netns::ProcessEvent event) {
        switch (event.kind) {
            case netns::ProcessEvent::Kind::kStarted:
                started_[event.id] = event.pid;
                tty_ = std::move(event.tty);
                break;
            case netns::ProcessEvent::Kind::kFailed:
                failed_ = true;
                error_ = event.error;
                break;
            case netns::ProcessEvent::Kind::kExited:
                exited_[event.id] = event.exit_code;
                break;
        }
    };
}

void Pods::pump_until(const std::function<bool()>& done) {
    while (!done()) {
        pollfd poll{containers_->fd(), POLLIN, 0};
        if (::poll(&poll, 1, kPatienceMs) <= 0) {
            error_ = "nothing happened in time";
            return;
        }
        containers_->on_readable();
    }
}

netns::ProcessId Pods::start(netns::ContainerSpec spec) {
    spec.network_fd = network_.get();
    spec.sandbox = &sandbox_;
    failed_ = false;
    const auto id = containers_->start(spec, record());
    if (!id) {
        error_ = id.error().text();
        return 0;
    }
    pump_until([&] { return failed_ || started_.contains(*id); });
    return failed_ ? 0 : *id;
}

netns::ProcessId Pods::exec(netns::ProcessId container, netns::ProcessSpec spec) {
    failed_ = false;
    const auto id = containers_->exec(container, spec, record());
    if (!id) {
        error_ = id.error().text();
        return 0;
    }
    pump_until([&] { return failed_ || started_.contains(*id); });
    return failed_ ? 0 : *id;
}

int Pods::wait(netns::ProcessId id) {
    pump_until([&] { return exited_.contains(id); });
    return exited_.contains(id) ? exited_[id] : -1;
}

std::string Pods::collect(UniqueFd reader, netns::ProcessId id) {
    if (id == 0) return cat("[failed: ", error_, "]");
    const std::string text = read_all(reader.get());
    return cat(text, "[exit ", wait(id), "]");
}

std::string Pods::run(netns::ContainerSpec spec) {
    auto [reader, writer] = make_pipe();
    spec.process.stdout_fd = spec.process.stderr_fd = writer.get();
    const auto id = start(std::move(spec));
    writer.reset();
    return collect(std::move(reader), id);
}

std::string Pods::run(netns::ProcessId container, netns::ProcessSpec spec) {
    auto [reader, writer] = make_pipe();
    spec.stdout_fd = spec.stderr_fd = writer.get();
    const auto id = exec(container, std::move(spec));
    writer.reset();
    return collect(std::move(reader), id);
}

netns::ContainerSpec container(std::vector<std::string> argv, netns::RootFlavour flavour) {
    netns::ContainerSpec spec;
    spec.process.argv = std::move(argv);
    spec.flavour = flavour;
    if (flavour == netns::RootFlavour::kBusybox) {
        spec.process.env = {"PATH=/bin:/sbin:/usr/bin:/usr/sbin"};
    }
    return spec;
}

std::vector<pid_t> processes_in(const std::string& user_namespace) {
    std::vector<pid_t> found;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const auto pid = parse_number<pid_t>(entry.path().filename().string());
        if (!pid) continue;
        std::error_code error;
        const auto link = std::filesystem::read_symlink(entry.path() / "ns/user", error);
        if (error || link != user_namespace) continue;
        // A zombie is only a number that its parent, maybe the host's init, has not read yet.
        const auto status = read_file((entry.path() / "status").string());
        if (status && status->find("\nState:\tZ") == std::string::npos) found.push_back(*pid);
    }
    return found;
}

bool eventually(int deadline_ms, const std::function<bool()>& holds) {
    const auto deadline = std::chrono::steady_clock::now() + patience(std::chrono::milliseconds(deadline_ms));
    while (!holds()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::yield();
    }
    return true;
}

}  // namespace kin::test
