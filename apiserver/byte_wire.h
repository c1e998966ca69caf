#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/http/upgraded.h"
#include "core/http/websocket.h"

namespace kin::apiserver {

/// A stream of bytes to a client: a raw connection, or the messages of a WebSocket strung
/// together. Made on a worker; from start() on it belongs to the loop's thread.
class ByteWire {
public:
    struct Events {
        std::function<void(std::string_view)> on_bytes;
        std::function<void()> on_drained;
        std::function<void()> on_closed;  ///< Once, also after close().
    };
    virtual ~ByteWire() = default;
    virtual void start(Loop& loop, Events events) = 0;
    virtual void send(std::string_view bytes) = 0;
    virtual size_t queued_bytes() const = 0;
    virtual void pause_reading() = 0;
    virtual void resume_reading() = 0;
    virtual void close() = 0;  ///< In order, behind what was sent.
};

std::unique_ptr<ByteWire> raw_wire(std::unique_ptr<http::Upgraded> connection);
std::unique_ptr<ByteWire> tunnel_wire(std::unique_ptr<http::WebSocket> socket);

}  // namespace kin::apiserver
