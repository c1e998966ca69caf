#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "netns/images/http.h"
#include "netns/images/sockets.h"
#include "netns/images/tls_session.h"

namespace kin::images {

/// The sockets, timers and signals of one built-in program, on one thread with poll().
///
/// HTTP/1.1 with keep-alive and pipelining, UDP, and TCP by lines. Connections beyond 1,000 wait in
/// the kernel's queue; one that is silent for 75 s is closed. Made once per process: it takes over
/// SIGTERM, SIGINT, SIGQUIT and SIGCHLD.
class Service {
public:
    using Answer = std::function<HttpResponse(const HttpRequest&)>;
    /// Called after each answer, for access logs: the bytes of the body that went out.
    using Log = std::function<void(const HttpRequest&, const HttpResponse&, size_t body_bytes)>;
    using Datagram = std::function<std::string(std::string_view text, const Peer& peer)>;

    /// Raw TCP: what is sent at the start, and for each line that comes.
    struct Lines {
        std::function<std::string(const Peer&)> greeting;
        std::function<std::string(std::string_view line)> reply;
        bool close_after_greeting = false;
    };

    /// Raw TCP with a memory: takes whole messages off the front of `input` and gives what is to be
    /// sent back. One per connection.
    using Session = std::function<std::string(std::string& input)>;

    Service();
    ~Service();
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    /// All listen on every address, IPv4 and IPv6. kSystem: the port is taken.
    Result<> listen_http(uint16_t port, Answer answer);
    Result<> listen_https(uint16_t port, const TlsIdentity& identity, Answer answer);
    Result<> listen_udp(uint16_t port, Datagram answer);
    Result<> listen_lines(uint16_t port, Lines lines);
    Result<> listen_sessions(uint16_t port, std::function<Session()> open);
    /// The Server header; "" (the default) for none.
    void set_server_name(std::string name) { server_name_ = std::move(name); }
    void set_log(Log log) { log_ = std::move(log); }
    /// Called at SIGTERM, SIGINT or SIGQUIT, on this thread. The default stops with code 0.
    void on_stop_signal(std::function<void(int signal)> stop) { on_stop_ = std::move(stop); }
    /// Connections that begin as HTTP/2 get gRPC's health service, which says that all is well.
    void answer_grpc_health() { grpc_health_ = true; }
    /// Called at SIGHUP, on this thread. The default does nothing.
    void on_hangup(std::function<void()> reload) { on_hangup_ = std::move(reload); }
    /// Runs `task` once, after `delay_ms`.
    void after(int delay_ms, std::function<void()> task);
    /// Serves until stop(); gives its code. From then on nobody new is let in, answers under way
    /// are finished and open connections get one more answer, for at most 1 s.
    int run();
    void stop(int code);

private:
    struct Listener;
    struct Connection;
    struct Timer {
        int64_t at_ms;
        std::function<void()> task;
    };

    Result<> add_listener(uint16_t port, int type, std::unique_ptr<Listener> listener);
    int next_timeout_ms() const;
    void run_timers();
    void read_signals();
    void poll_once();
    void accept_from(Listener& listener);
    void read_datagrams(Listener& listener);
    void read_from(Connection& connection);
    void write_to(Connection& connection);
    void handle_input(Connection& connection);
    bool handle_request(Connection& connection);
    void handle_lines(Connection& connection);
    void handle_session(Connection& connection);
    void answer(Connection& connection, const HttpRequest& request, const HttpResponse& response);
    void answer_in_child(Connection& connection, const HttpRequest& request,
                         const HttpResponse& response);
    void close_silent_connections();

    UniqueFd signals_;
    std::vector<std::unique_ptr<Listener>> listeners_;
    std::vector<std::unique_ptr<Connection>> connections_;
    std::vector<Timer> timers_;
    std::string server_name_;
    Log log_;
    std::function<void(int)> on_stop_;
    std::function<void()> on_hangup_;
    bool grpc_health_ = false;
    bool stopping_ = false;
    int64_t stop_by_ms_ = 0;
    int exit_code_ = 0;
};

}  // namespace kin::images
