#include "fake_pods.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pty.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/strings.h"

namespace kin::test {

namespace {
/// What a child needs to become the command, made before the fork.
struct Child {
    std::vector<char*> argv;
    int in = -1, out = -1, error = -1;
    bool tty = false;

    /// Only what is safe after a fork in a program with threads.
    [[noreturn]] void become() const {
        ::setsid();
        if (tty) ::ioctl(in, TIOCSCTTY, 0);
        ::dup2(in, 0);
        ::dup2(out, 1);
        ::dup2(error, 2);
        ::execvp(argv[0], argv.data());
        ::_exit(127);
    }
};

struct Pipe {
    UniqueFd read, write;
    Pipe() {
        int ends[2] = {-1, -1};
        if (::pipe2(ends, O_CLOEXEC) == 0) {
            read.reset(ends[0]);
            write.reset(ends[1]);
        }
    }
};

/// Kills the process when it is let go; nothing if it has ended.
std::shared_ptr<void> lease_of(pid_t pid) {
    // glibc 2.36 declares these without C linkage.
    auto pidfd = std::make_shared<UniqueFd>(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    return {nullptr, [pidfd](void*) {
                ::syscall(SYS_pidfd_send_signal, pidfd->get(), SIGKILL, nullptr, 0);
            }};
}
}  // namespace

FakePods::~FakePods() {
    for (std::thread& thread : waiting_) thread.join();
}

void FakePods::exec(ExecRequest request, Started started, Exited exited) {
    auto command = request.command;
    run(request, std::move(command), std::move(started), std::move(exited));
}

void FakePods::attach(ExecRequest request, Started started, Exited exited) {
    run(request, attached_command, std::move(started), std::move(exited));
}

void FakePods::run(const ExecRequest& request, std::vector<std::string> command, Started started,
                   Exited exited) {
    if (command[0] == "fail") return started(internal_error("the container is gone"));
    Child child;
    for (std::string& word : command) child.argv.push_back(word.data());
    child.argv.push_back(nullptr);
    child.tty = request.tty;
    Pipe in, out, error;
    ExecStreams streams;
    UniqueFd terminal;
    if (request.tty) {
        int master = -1, slave = -1;
        ::openpty(&master, &slave, nullptr, nullptr, nullptr);
        ::fcntl(master, F_SETFD, FD_CLOEXEC);
        streams.terminal.reset(master);
        terminal.reset(slave);
        child.in = child.out = child.error = slave;
    } else {
        child.in = in.read.get();
        child.out = out.write.get();
        child.error = error.write.get();
        streams.stdin_write = std::move(in.write);
        streams.stdout_read = std::move(out.read);
        streams.stderr_read = std::move(error.read);
    }
    const pid_t pid = ::fork();
    if (pid == 0) child.become();
    if (!request.want_stdin) streams.stdin_write.reset();
    streams.lease = lease_of(pid);
    started(std::move(streams));
    waiting_.emplace_back([pid, exited = std::move(exited)] {
        int status = 0;
        ::waitpid(pid, &status, 0);
        ExitStatus exit;
        exit.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        if (exit.code == 127) exit = {127, "no such file", false};
        exited(exit);
    });
}

void FakePods::connect(const ObjectKey&, uint16_t port,
                       std::function<void(Answer<UniqueFd>)> connected) {
    UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0)
        return connected(internal_error(Error::from_errno("connect")));
    connected(std::move(fd));
}

void FakePods::find_log(LogRequest, std::function<void(Answer<LogFile>)> found) {
    found(LogFile{log_path, log_running});
}

std::shared_ptr<void> FakePods::follow_log(const std::string&,
                                           std::function<void(bool running)> changed) {
    const int number = ++last_follower_;
    followers_.with([&](auto& all) { all.emplace(number, std::move(changed)); });
    return std::shared_ptr<void>(
        nullptr, [this, number](void*) { followers_.with([&](auto& all) { all.erase(number); }); });
}

void FakePods::tell_log_changed(bool running) {
    log_running = running;
    followers_.with([&](auto& all) {
        for (const auto& [number, changed] : all) changed(running);
    });
}

}  // namespace kin::test
