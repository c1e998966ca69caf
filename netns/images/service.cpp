#include "netns/images/service.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "core/base/strings.h"
#include "netns/images/grpc_health.h"
#include "netns/images/programs.h"

namespace kin::images {
namespace {

constexpr size_t kMaxConnections = 1000;
constexpr int64_t kSilenceMs = 75000;
constexpr size_t kMaxLine = 64 << 10;

int64_t now_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

}  // namespace

struct Service::Listener {
    UniqueFd fd;
    uint16_t port = 0;
    Answer http;
    std::optional<TlsIdentity> identity;
    Datagram datagram;
    Lines lines;
    std::function<Session()> open_session;
};

struct Service::Connection {
    UniqueFd fd;
    const Listener* listener = nullptr;
    Peer peer;
    std::optional<TlsSession> tls;
    Session session;
    std::string input;
    std::string output;
    int64_t last_active_ms = 0;
    bool continued = false;  ///< "100 Continue" went out for the request under way.
    bool close_after_output = false;
    bool finished = false;  ///< TLS: the end has been said.

    /// The bytes that are to go out next, sealed if the connection is TLS.
    std::string& wire() {
        if (!tls) return output;
        tls->send(output);
        output.clear();
        return tls->wire();
    }
    bool has_output() { return !output.empty() || (tls && !tls->wire().empty()); }
};

Service::Service() {
    sigset_t mask;
    sigemptyset(&mask);
    for (const int number : {SIGTERM, SIGINT, SIGQUIT, SIGCHLD, SIGHUP}) sigaddset(&mask, number);
    ::sigprocmask(SIG_BLOCK, &mask, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    signals_.reset(::signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK));
    on_stop_ = [this](int) { stop(0); };
}

Service::~Service() = default;

Result<> Service::add_listener(uint16_t port, int type, std::unique_ptr<Listener> listener) {
    TRY_ASSIGN(listener->fd, open_listener(port, type));
    listener->port = port;
    listeners_.push_back(std::move(listener));
    return Ok{};
}

Result<> Service::listen_http(uint16_t port, Answer answer) {
    auto listener = std::make_unique<Listener>();
    listener->http = std::move(answer);
    return add_listener(port, SOCK_STREAM, std::move(listener));
}

Result<> Service::listen_https(uint16_t port, const TlsIdentity& identity, Answer answer) {
    auto listener = std::make_unique<Listener>();
    listener->http = std::move(answer);
    listener->identity.emplace(identity);
    return add_listener(port, SOCK_STREAM, std::move(listener));
}

Result<> Service::listen_udp(uint16_t port, Datagram answer) {
    auto listener = std::make_unique<Listener>();
    listener->datagram = std::move(answer);
    return add_listener(port, SOCK_DGRAM, std::move(listener));
}

Result<> Service::listen_lines(uint16_t port, Lines lines) {
    auto listener = std::make_unique<Listener>();
    listener->lines = std::move(lines);
    return add_listener(port, SOCK_STREAM, std::move(listener));
}

Result<> Service::listen_sessions(uint16_t port, std::function<Session()> open) {
    auto listener = std::make_unique<Listener>();
    listener->open_session = std::move(open);
    return add_listener(port, SOCK_STREAM, std::move(listener));
}

void Service::after(int delay_ms, std::function<void()> task) {
    timers_.push_back({now_ms() + delay_ms, std::move(task)});
}

void Service::stop(int code) {
    if (stopping_) return;
    stopping_ = true;
    exit_code_ = code;
    stop_by_ms_ = now_ms() + 1000;
    for (const auto& listener : listeners_) {
        // Whoever is in the queue has been let in: closing it would reset them.
        if (!listener->datagram && listener->fd.valid()) accept_from(*listener);
        // The listeners stay, because connections point to theirs.
        listener->fd.reset();
    }
}

int Service::run() {
    runs();
    // A client that keeps its connection learns from its next answer that this is the last one.
    while (!stopping_ || (!connections_.empty() && now_ms() < stop_by_ms_)) poll_once();
    return exit_code_;
}

int Service::next_timeout_ms() const {
    // Without connections and timers nothing has to be looked at: an idle pod costs nothing.
    int64_t at = connections_.empty() ? INT64_MAX : now_ms() + kSilenceMs / 5;
    for (const Timer& timer : timers_) at = std::min(at, timer.at_ms);
    if (stopping_) at = std::min(at, stop_by_ms_);
    if (at == INT64_MAX) return -1;
    return static_cast<int>(std::max<int64_t>(at - now_ms(), 0));
}

void Service::run_timers() {
    for (size_t i = 0; i < timers_.size();) {
        if (timers_[i].at_ms > now_ms()) {
            ++i;
            continue;
        }
        const auto task = std::move(timers_[i].task);
        timers_.erase(timers_.begin() + static_cast<std::ptrdiff_t>(i));
        task();
    }
}

void Service::read_signals() {
    signalfd_siginfo signal;
    while (::read(signals_.get(), &signal, sizeof signal) == sizeof signal) {
        if (signal.ssi_signo == SIGCHLD) {
            // As pid 1 of its container it also gets the orphans.
            while (::waitpid(-1, nullptr, WNOHANG) > 0) {
            }
        } else if (signal.ssi_signo == SIGHUP) {
            if (on_hangup_) on_hangup_();
        } else {
            on_stop_(static_cast<int>(signal.ssi_signo));
        }
    }
}

void Service::poll_once() {
    std::vector<pollfd> polls{{signals_.get(), POLLIN, 0}};
    const bool full = connections_.size() >= kMaxConnections;
    for (const auto& listener : listeners_) {
        polls.push_back({full && !listener->datagram ? -1 : listener->fd.get(), POLLIN, 0});
    }
    const size_t connection_count = connections_.size();
    for (const auto& connection : connections_) {
        // Who does not take the answers is not asked for more.
        const short events = connection->has_output() ? POLLOUT : POLLIN;
        polls.push_back({connection->fd.get(), events, 0});
    }
    if (::poll(polls.data(), polls.size(), next_timeout_ms()) < 0 && errno != EINTR) return;
    if (polls[0].revents) read_signals();
    run_timers();
    for (size_t i = 0; i < connection_count; ++i) {
        const short events = polls[1 + listeners_.size() + i].revents;
        if (events & POLLOUT) {
            write_to(*connections_[i]);
        } else if (events) {
            read_from(*connections_[i]);
        }
    }
    for (size_t i = 0; i < listeners_.size(); ++i) {
        if (!polls[1 + i].revents || !listeners_[i]->fd.valid()) continue;
        if (listeners_[i]->datagram) {
            read_datagrams(*listeners_[i]);
        } else {
            accept_from(*listeners_[i]);
        }
    }
    close_silent_connections();
}

void Service::close_silent_connections() {
    const int64_t limit = now_ms() - kSilenceMs;
    std::erase_if(connections_, [&](const auto& connection) {
        return !connection->fd.valid() || connection->last_active_ms < limit;
    });
}

void Service::accept_from(Listener& listener) {
    while (connections_.size() < kMaxConnections) {
        sockaddr_storage address{};
        socklen_t size = sizeof address;
        UniqueFd fd(::accept4(listener.fd.get(), reinterpret_cast<sockaddr*>(&address), &size,
                              SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (!fd.valid()) return;
        const int on = 1;
        ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        auto connection = std::make_unique<Connection>();
        connection->fd = std::move(fd);
        connection->listener = &listener;
        connection->peer = peer_of(address);
        connection->last_active_ms = now_ms();
        if (listener.identity) connection->tls.emplace(*listener.identity);
        if (listener.open_session) connection->session = listener.open_session();
        if (listener.lines.greeting) {
            connection->output = listener.lines.greeting(connection->peer);
            connection->close_after_output = listener.lines.close_after_greeting;
            write_to(*connection);
        }
        connections_.push_back(std::move(connection));
    }
}

void Service::read_datagrams(Listener& listener) {
    char buffer[65536];
    // A bounded turn, so that a flood does not starve the rest.
    for (int i = 0; i < 100; ++i) {
        sockaddr_storage address{};
        socklen_t size = sizeof address;
        const ssize_t length = ::recvfrom(listener.fd.get(), buffer, sizeof buffer, 0,
                                          reinterpret_cast<sockaddr*>(&address), &size);
        if (length < 0) return;
        const std::string reply = listener.datagram(
            std::string_view(buffer, static_cast<size_t>(length)), peer_of(address));
        ::sendto(listener.fd.get(), reply.data(), reply.size(), 0,
                 reinterpret_cast<sockaddr*>(&address), size);
    }
}

void Service::read_from(Connection& connection) {
    char buffer[65536];
    const ssize_t length = ::recv(connection.fd.get(), buffer, sizeof buffer, 0);
    if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (length <= 0) return connection.fd.reset();
    connection.last_active_ms = now_ms();
    const std::string_view bytes(buffer, static_cast<size_t>(length));
    if (!connection.tls) {
        connection.input += bytes;
    } else if (!connection.tls->receive(bytes, connection.input)) {
        connection.close_after_output = true;
    }
    handle_input(connection);
    if (connection.has_output() || connection.close_after_output) write_to(connection);
}

void Service::write_to(Connection& connection) {
    while (connection.has_output()) {
        std::string& wire = connection.wire();
        const ssize_t length = ::send(connection.fd.get(), wire.data(), wire.size(), MSG_NOSIGNAL);
        if (length < 0 && errno == EAGAIN) return;
        if (length < 0) {
            wire.clear();
            return connection.fd.reset();
        }
        connection.last_active_ms = now_ms();
        wire.erase(0, static_cast<size_t>(length));
        if (!wire.empty()) continue;
        if (!connection.close_after_output) {
            handle_input(connection);
        } else if (connection.tls && !std::exchange(connection.finished, true)) {
            connection.tls->finish();
        }
    }
    if (connection.close_after_output) connection.fd.reset();
}

void Service::handle_input(Connection& connection) {
    if (connection.session) return handle_session(connection);
    if (!connection.listener->http) return handle_lines(connection);
    while (connection.fd.valid() && connection.output.empty() && !connection.close_after_output &&
           handle_request(connection)) {
    }
}

void Service::handle_lines(Connection& connection) {
    for (size_t end; (end = connection.input.find('\n')) != std::string::npos;) {
        std::string_view line = std::string_view(connection.input).substr(0, end);
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (connection.listener->lines.reply) {
            connection.output += connection.listener->lines.reply(line);
        }
        connection.input.erase(0, end + 1);
    }
    if (connection.input.size() > kMaxLine) connection.fd.reset();
}

void Service::handle_session(Connection& connection) {
    connection.output += connection.session(connection.input);
    if (connection.input.size() > kMaxBody) connection.fd.reset();
}

/// True when a whole request was there and has been answered.
bool Service::handle_request(Connection& connection) {
    if (connection.input.empty()) return false;
    if (grpc_health_ && connection.input.starts_with("PRI * HTTP/2.0\r\n")) {
        connection.session = grpc_health_session([] { return true; });
        handle_session(connection);
        return false;
    }
    HttpParse parse = parse_http(connection.input);
    parse.request.peer_address = connection.peer.address;
    parse.request.peer_port = connection.peer.port;
    parse.request.local_port = connection.listener->port;
    parse.request.tls = connection.tls.has_value();
    switch (parse.state) {
        case HttpParse::State::kIncomplete:
            if (parse.wants_continue && !connection.continued) {
                connection.continued = true;
                connection.output = "HTTP/1.1 100 Continue\r\n\r\n";
            }
            return false;
        case HttpParse::State::kInvalid: {
            connection.input.clear();
            parse.request.keep_alive = false;
            answer(connection, parse.request, HttpResponse::error(parse.error_status));
            return false;
        }
        case HttpParse::State::kRequest:
            break;
    }
    connection.input.erase(0, parse.consumed);
    connection.continued = false;
    HttpResponse response = connection.listener->http(parse.request);
    if (stopping_) response.close = true;
    if (!response.in_child) return answer(connection, parse.request, response), true;
    return answer_in_child(connection, parse.request, response), true;
}

void Service::answer(Connection& connection, const HttpRequest& request,
                     const HttpResponse& response) {
    connection.output = serialize(response, request, server_name_);
    connection.close_after_output = response.close || !request.keep_alive;
    if (log_) log_(request, response, request.method == "HEAD" ? 0 : response.body.size());
}

void Service::answer_in_child(Connection& connection, const HttpRequest& request,
                              const HttpResponse& response) {
    const pid_t pid = ::fork();
    if (pid < 0) return answer(connection, request, HttpResponse::error(503));
    if (pid > 0) return connection.fd.reset();
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    HttpResponse result = response.in_child();
    result.close = true;
    connection.output = serialize(result, request, server_name_);
    std::string_view left = connection.wire();
    while (!left.empty()) {
        const ssize_t length = ::send(connection.fd.get(), left.data(), left.size(), MSG_NOSIGNAL);
        if (length < 0 && errno == EAGAIN) {
            pollfd writable{connection.fd.get(), POLLOUT, 0};
            if (::poll(&writable, 1, 10000) <= 0) break;
            continue;
        }
        if (length < 0) break;
        left.remove_prefix(static_cast<size_t>(length));
    }
    ::_exit(0);
}

}  // namespace kin::images
