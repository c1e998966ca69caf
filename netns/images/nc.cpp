// netcat with the flags that lessons use, whatever the host has: OpenBSD's -z -u -v -k -l -p -w -n
// -N -q, and busybox's -ll and -e.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>

#include "core/base/strings.h"
#include "core/base/unique_fd.h"
#include "netns/images/dial.h"
#include "netns/images/programs.h"
#include "netns/images/sockets.h"

namespace kin::images {
namespace {

constexpr int kProbeMs = 1000;  ///< How long a UDP port has to say that nobody is there.

struct Options {
    bool listen = false, keep = false, udp = false, scan = false, verbose = false;
    int wait_ms = -1;  ///< -w: for the connection, and for a silent end.
    int quit_ms = -1;  ///< -q: after the end of stdin.
    std::string source_port;
    Strings execute;  ///< -e: the program and its arguments.
    Strings words;    ///< Host and ports.
};

int complain(std::string_view text) {
    std::fprintf(stderr, "nc: %s\n", std::string(text).c_str());
    return 1;
}

std::optional<int> seconds_in_ms(const std::string& text) {
    const auto number = parse_number<int>(text);
    if (!number || *number < 0 || *number > 1000000) return {};
    return *number * 1000;
}

/// Nothing, and a complaint, for flags that nobody has.
std::optional<Options> parse(const Strings& args) {
    Options out;
    for (size_t i = 1; i < args.size(); ++i) {
        if (args[i].size() < 2 || args[i][0] != '-') {
            out.words.push_back(args[i]);
            continue;
        }
        for (size_t at = 1; at < args[i].size(); ++at) {
            const char letter = args[i][at];
            if (std::strchr("n46Ntdr", letter)) continue;
            if (letter == 'l') out.keep = out.keep || out.listen, out.listen = true;
            if (letter == 'k') out.keep = true;
            if (letter == 'u') out.udp = true;
            if (letter == 'z') out.scan = true;
            if (letter == 'v') out.verbose = true;
            if (std::strchr("lkuzv", letter)) continue;
            if (letter == 'e') {
                out.execute.assign(args.begin() + static_cast<std::ptrdiff_t>(i) + 1, args.end());
                return out;
            }
            std::string value = args[i].substr(at + 1);
            if (value.empty() && i + 1 < args.size()) value = args[++i];
            const auto ms = seconds_in_ms(value);
            if (letter == 'p') {
                out.source_port = value;
            } else if (std::strchr("wqi", letter) && ms) {
                if (letter == 'w') out.wait_ms = *ms;
                if (letter == 'q') out.quit_ms = *ms;
            } else if (letter != 's') {
                complain(cat("invalid option or value: -", std::string(1, letter), ' ', value));
                return {};
            }
            break;
        }
    }
    return out;
}

/// In busybox's images, whose messages differ.
bool is_busybox() {
    char target[64] = "";
    return ::readlink("/bin", target, sizeof target - 1) > 0 &&
           std::string_view(target) == "/.kin/busybox";
}

void tell_open(const Options& options, const std::string& host, const std::string& port, int fd) {
    if (!options.verbose) return;
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    char address[NI_MAXHOST] = "?";
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &size) == 0) {
        ::getnameinfo(reinterpret_cast<sockaddr*>(&storage), size, address, sizeof address, nullptr,
                      0, NI_NUMERICHOST);
    }
    if (is_busybox()) {
        std::fprintf(stderr, "%s (%s:%s) open\n", host.c_str(), address, port.c_str());
    } else {
        std::fprintf(stderr, "Connection to %s (%s) %s port [%s/*] succeeded!\n", host.c_str(),
                     address, port.c_str(), options.udp ? "udp" : "tcp");
    }
}

bool wait_readable(int fd, int timeout_ms) {
    pollfd poll{fd, POLLIN, 0};
    return ::poll(&poll, 1, timeout_ms) > 0;
}

bool send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t length = ::write(fd, bytes.data(), bytes.size());
        if (length < 0 && errno == EAGAIN) {
            pollfd writable{fd, POLLOUT, 0};
            ::poll(&writable, 1, -1);
            continue;
        }
        if (length < 0) return false;
        bytes.remove_prefix(static_cast<size_t>(length));
    }
    return true;
}

/// Copies both ways until the other end is done, or is silent for too long.
int copy(const Options& options, int fd) {
    char buffer[65536];
    bool reading = true;
    while (true) {
        pollfd polls[2] = {{fd, POLLIN, 0}, {reading ? STDIN_FILENO : -1, POLLIN, 0}};
        int timeout_ms = options.wait_ms;
        if (!reading && options.quit_ms >= 0) timeout_ms = options.quit_ms;
        const int ready = ::poll(polls, 2, timeout_ms);
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) return 0;
        if (polls[0].revents) {
            const ssize_t length = ::recv(fd, buffer, sizeof buffer, 0);
            if (length < 0 && errno == EAGAIN) continue;
            if (length < 0) return complain(std::strerror(errno));
            if (length == 0 && !options.udp) return 0;
            if (!send_all(STDOUT_FILENO, {buffer, static_cast<size_t>(length)})) return 1;
        }
        if (polls[1].revents) {
            const ssize_t length = ::read(STDIN_FILENO, buffer, sizeof buffer);
            if (length > 0) {
                if (!send_all(fd, {buffer, static_cast<size_t>(length)})) return 1;
                continue;
            }
            reading = false;
            // What asks on one line learns by it that nothing more comes.
            if (!options.udp) ::shutdown(fd, SHUT_WR);
        }
    }
}

int serve(const Options& options, int fd) {
    if (options.execute.empty()) return copy(options, fd);
    const pid_t pid = ::fork();
    if (pid > 0) {
        int status = 0;
        ::waitpid(pid, &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    }
    for (int standard = 0; standard < 3; ++standard) ::dup2(fd, standard);
    std::vector<char*> argv;
    for (const std::string& word : options.execute) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
}

/// "80" or "80-90".
std::optional<std::pair<int, int>> range_of(const std::string& text) {
    const size_t dash = text.find('-');
    const auto first = parse_number<uint16_t>(text.substr(0, dash));
    const auto last =
        dash == std::string::npos ? first : parse_number<uint16_t>(text.substr(dash + 1));
    if (!first || !last || *first > *last) return {};
    return std::pair<int, int>(*first, *last);
}

Result<UniqueFd> connect_udp(const std::string& host, const std::string& port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_DGRAM;
    addrinfo* list = nullptr;
    if (const int failure = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &list)) {
        return Error(Errc::kNotFound, cat("lookup ", host, ": ", ::gai_strerror(failure)));
    }
    UniqueFd fd(::socket(list->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const bool connected = fd.valid() && ::connect(fd.get(), list->ai_addr, list->ai_addrlen) == 0;
    ::freeaddrinfo(list);
    if (!connected) return Error::from_errno(cat("dial udp ", host, ":", port));
    return fd;
}

/// A datagram that nobody takes comes back as a refusal; silence counts as open.
Result<> probe_udp(int fd) {
    if (::send(fd, "X", 1, MSG_NOSIGNAL) < 0) return Error::from_errno("send");
    char byte;
    if (wait_readable(fd, kProbeMs) && ::recv(fd, &byte, 1, 0) < 0) {
        return Error::from_errno("connect");
    }
    return Ok{};
}

int connect_to(const Options& options, const std::string& host, const std::string& port) {
    const int timeout_ms = options.wait_ms > 0 ? options.wait_ms : 127000;
    auto fd = options.udp ? connect_udp(host, port) : connect_tcp(host, port, timeout_ms);
    if (fd && options.udp && options.scan) {
        if (auto probed = probe_udp(fd->get()); !probed) fd = probed.error();
    }
    if (!fd) {
        if (fd.error().code() == Errc::kNotFound) return complain(fd.error().text());
        const bool quiet = options.scan && !options.verbose;
        const int number = fd.error().error_number();
        if (!quiet) {
            std::fprintf(stderr, "nc: connect to %s port %s (%s) failed: %s\n", host.c_str(),
                         port.c_str(), options.udp ? "udp" : "tcp",
                         number == ETIMEDOUT ? "Operation timed out" : std::strerror(number));
        }
        return 1;
    }
    tell_open(options, host, port, fd->get());
    return options.scan ? 0 : serve(options, fd->get());
}

/// As open_listener(), but blocking; invalid if the port is taken.
UniqueFd bind_to(uint16_t port, int type) {
    auto opened = open_listener(port, type);
    if (!opened || ::fcntl(opened->get(), F_SETFL, 0) < 0) return {};
    return std::move(opened).value();
}

/// The first datagram says who the other end is.
int serve_datagrams(const Options& options, int fd) {
    char byte;
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    if (::recvfrom(fd, &byte, 1, MSG_PEEK, reinterpret_cast<sockaddr*>(&peer), &size) < 0) return 1;
    // Whoever keeps listening keeps hearing everybody.
    if (!options.keep) ::connect(fd, reinterpret_cast<sockaddr*>(&peer), size);
    return serve(options, fd);
}

int listen_on(const Options& options) {
    std::string text = options.source_port;
    if (text.empty() && !options.words.empty()) text = options.words.back();
    const auto port = parse_number<uint16_t>(text);
    if (!port) return complain("-l needs a port: nc -l -p PORT");
    const UniqueFd fd = bind_to(*port, options.udp ? SOCK_DGRAM : SOCK_STREAM);
    if (!fd.valid()) return complain(cat("bind: ", std::strerror(errno)));
    runs();
    if (options.verbose) std::fprintf(stderr, "Listening on 0.0.0.0 %d\n", *port);
    if (options.udp) return serve_datagrams(options, fd.get());
    while (true) {
        const UniqueFd client(::accept4(fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!client.valid()) {
            if (errno == EINTR) continue;
            return complain(cat("accept: ", std::strerror(errno)));
        }
        if (options.verbose) std::fprintf(stderr, "Connection received\n");
        if (!options.keep) return serve(options, client.get());
        // With a program the next one need not wait; without it stdin and stdout are for one only.
        const pid_t pid = options.execute.empty() ? -1 : ::fork();
        if (pid == 0) ::_exit(serve(options, client.get()));
        if (pid < 0) (void)serve(options, client.get());
        while (::waitpid(-1, nullptr, WNOHANG) > 0) {
        }
    }
}

}  // namespace

int nc_main(const Strings& args, const Strings&) {
    const auto options = parse(args);
    if (!options) return 1;
    ::signal(SIGPIPE, SIG_IGN);
    if (options->listen) return listen_on(*options);
    runs();
    if (options->words.size() != 2) {
        return complain("usage: nc [-klnNuvz] [-p PORT] [-q SEC] [-w SEC] [-e PROG] HOST PORT");
    }
    const auto ports = range_of(options->words[1]);
    if (!ports) return complain(cat("port number invalid: ", options->words[1]));
    int result = 1;
    for (int port = ports->first; port <= ports->second; ++port) {
        if (connect_to(*options, options->words[0], cat(port)) == 0) result = 0;
    }
    return result;
}

}  // namespace kin::images
