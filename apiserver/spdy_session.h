#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "apiserver/byte_wire.h"
#include "apiserver/spdy_frames.h"

namespace kin::apiserver::spdy {

/// The server's side of one SPDY/3.1 connection: answers pings and new streams by itself. There is
/// no flow control in these clients; TCP slows them down. Owned by the loop's thread.
class Session {
public:
    struct Events {
        std::function<void(const Opened&)> on_stream;
        std::function<void(StreamId, std::string_view)> on_data;
        std::function<void(StreamId)> on_end;    ///< The client sends nothing more on it.
        std::function<void(StreamId)> on_reset;  ///< The client is done with it altogether.
        std::function<void()> on_drained;
        std::function<void()> on_closed;  ///< Once, also after close().
    };

    explicit Session(std::unique_ptr<ByteWire> wire) : wire_(std::move(wire)) {}

    void start(Loop& loop, Events events);
    void send(StreamId stream, std::string_view bytes, bool ends = false);
    size_t queued_bytes() const { return wire_->queued_bytes(); }
    void pause_reading() { wire_->pause_reading(); }
    void resume_reading() { wire_->resume_reading(); }
    void close() { wire_->close(); }

private:
    void read(std::string_view bytes);
    void take(const Frame& frame);

    const std::unique_ptr<ByteWire> wire_;
    Events events_;
    Decoder decoder_;
    Encoder encoder_;
};

}  // namespace kin::apiserver::spdy
