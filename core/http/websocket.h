#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/http/server.h"

namespace kin::http {

/// The server's side of a WebSocket (RFC 6455): whole messages in and out, pings answered, no
/// compression.
///
/// Made by accept_websocket() on a worker; belongs to its Loop's thread from start() on, where it
/// must be destroyed. Destroying it cuts the connection; close() says goodbye properly.
class WebSocket {
public:
    struct Events {
        /// A complete message, text or binary; valid during the call only.
        std::function<void(std::string_view)> on_message = {};
        /// Everything sent has been handed to the kernel.
        std::function<void()> on_drained = {};
        /// The connection is over; called once, also after close(). `code` is the peer's close
        /// code, 1006 when it vanished without one.
        std::function<void(int code)> on_closed = {};
    };

    WebSocket(std::unique_ptr<Upgraded> connection, std::string protocol, size_t max_message_bytes);
    ~WebSocket();

    /// Begins to read and write on `loop`. On the loop's thread; events come from its next turn
    /// on.
    void start(Loop& loop, Events events);
    /// The subprotocol that was agreed on, "" if none was offered.
    const std::string& protocol() const;
    /// Sends one binary message. False once closed or closing. The caller bounds the queue by
    /// queued_bytes() and on_drained.
    bool send(std::string_view message);
    /// The same as a text, which is UTF-8.
    bool send_text(std::string_view message);
    size_t queued_bytes() const;
    /// While it is paused the peer is pinged, so that the end of one that has died is noticed.
    void pause_reading();
    void resume_reading();
    /// Sends Close behind everything else and waits a while for the peer's Close.
    void close(int code = 1000, std::string_view why = {});

private:
    struct State;
    std::shared_ptr<State> state_;
};

/// Answers a WebSocket handshake with 101 and the first of `protocols` (best first) that the
/// client offers. Fails with kInvalid, having answered nothing, if the request is no proper
/// handshake or offers none of them (an offer of nothing is taken if `protocols` has ""). Messages
/// over `max_message_bytes` end the connection with code 1009.
Result<std::unique_ptr<WebSocket>> accept_websocket(const Request& request, Responder& responder,
                                                    const std::vector<std::string>& protocols,
                                                    size_t max_message_bytes = 1u << 20);

}  // namespace kin::http
