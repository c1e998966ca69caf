#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "apiserver/channels.h"
#include "apiserver/spdy_session.h"
#include "core/http/websocket.h"

namespace kin::apiserver {

/// How the streams of one exec or attach travel: over WebSocket channels or SPDY streams. Made on
/// a worker; from start() on it belongs to the loop's thread.
class ExecWire {
public:
    struct Events {
        std::function<void(std::string_view)> on_stdin;
        std::function<void()> on_stdin_end;
        std::function<void(uint16_t columns, uint16_t rows)> on_resize;
        std::function<void()> on_drained;  ///< all that was sent has been taken
        std::function<void()> on_closed;   ///< once: the client is gone, or all is said
    };

    virtual ~ExecWire() = default;
    /// Begins to read. `on_ready` is called when the client has all its streams open.
    virtual void start(Loop& loop, Events events, std::function<void()> on_ready) = 0;
    virtual void send(Channel channel, std::string_view bytes) = 0;
    virtual size_t queued_bytes() const = 0;
    virtual void pause_reading() = 0;
    virtual void resume_reading() = 0;
    /// Sends the Status that ends the session and closes in order; on_closed follows.
    virtual void finish(const Json& status) = 0;
};

/// Over WebSocket: `v5.channel.k8s.io` or `v4.channel.k8s.io`.
std::unique_ptr<ExecWire> websocket_exec_wire(std::unique_ptr<http::WebSocket> socket);
/// Over SPDY/3.1 with `v4.channel.k8s.io`; the client opens one stream for each of `channels`.
std::unique_ptr<ExecWire> spdy_exec_wire(std::unique_ptr<spdy::Session> session,
                                         std::vector<Channel> channels);

}  // namespace kin::apiserver
