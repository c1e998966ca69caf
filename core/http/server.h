#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "core/http/message.h"
#include "core/http/stream_writer.h"
#include "core/http/upgraded.h"

namespace kin::http {

class Connection;
class TlsContext;

/// How a handler answers one request: exactly one of send(), stream(), upgrade() and take_over(),
/// before the handler returns.
class Responder {
public:
    void send(Response response);
    /// Sends the head of `head` (its body, if any, goes first) and hands over the rest of the
    /// response as a stream. The connection is closed when that ends.
    std::unique_ptr<StreamWriter> stream(Response head);
    /// Sends `head`, normally a 101 with its Connection, Upgrade and other headers, and hands over
    /// the connection.
    std::unique_ptr<Upgraded> upgrade(Response head);
    /// Hands over the connection with nothing sent: the answer is the caller's to write, and to
    /// end the connection behind it.
    std::unique_ptr<Upgraded> take_over();
    bool answered() const;

private:
    friend class Connection;
    explicit Responder(Connection& connection) : connection_(connection) {}
    Connection& connection_;
};

/// Serves HTTP/1.1 on any number of listeners with a few threads.
///
/// A connection holds a thread only while its handler runs: idle ones, slow senders and slow
/// readers wait together on one epoll set. Requests are read whole before the handler sees them.
/// Broken requests, oversize bodies and exceptions are answered here, through Options::refusal.
/// Thread-safe; its threads are born in the network namespace of create()'s caller.
class Server {
public:
    /// Called on a worker thread, on several at once. May block for as long as answering takes.
    using Handler = std::function<void(Request&, Responder&)>;

    struct Options {
        std::string name = "kin-http";  ///< Of the threads: kin-http-0, ...
        int workers = 8;
        size_t body_limit_bytes = 3u << 20;  ///< Beyond: 413, without reading the rest.
        size_t max_connections = 8192;       ///< Beyond: closed on arrival.
        std::chrono::milliseconds idle_timeout{180'000};  ///< Between requests.
        std::chrono::milliseconds head_timeout{15'000};   ///< From a head's first byte to its last.
        std::chrono::milliseconds body_timeout{60'000};   ///< The same for a body.
        std::chrono::milliseconds write_timeout{60'000};  ///< Without any progress.
        /// Makes the body of the server's own refusals: 400, 408, 413, 414, 431, 500, 501, 505.
        std::function<Response(int status, std::string_view why)> refusal = {};
    };

    static Result<std::unique_ptr<Server>> create(Options options, Handler handler);
    /// Waits for handlers that still run, closes every connection that was not handed over.
    ~Server();

    /// Listens on a unix socket that only this user can open (0600). A socket file that nobody
    /// serves any more is replaced; kExists if somebody does.
    Result<> listen_unix(const std::string& path);
    /// Listens on 127.0.0.1 with TLS, on the first free port from `port` on (0: any); returns it.
    Result<uint16_t> listen_tls(uint16_t port, std::shared_ptr<const TlsContext> tls);
    /// The same without TLS.
    Result<uint16_t> listen_plain(uint16_t port);
    /// Serves a TCP socket that already listens, wherever it was opened; without TLS if `tls`
    /// is null.
    Result<> adopt(UniqueFd listening, std::shared_ptr<const TlsContext> tls);

    size_t connection_count() const;  ///< Handed-over ones not counted.

private:
    struct Impl;
    explicit Server(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace kin::http
