#include "apiserver/byte_wire.h"

#include "core/loop/loop.h"

namespace kin::apiserver {

namespace {
class RawWire : public ByteWire {
public:
    explicit RawWire(std::unique_ptr<http::Upgraded> connection)
        : connection_(std::move(connection)) {}

    void start(Loop& loop, Events events) override {
        events_ = std::move(events);
        connection_->start(loop,
                           {.on_data = [this](std::string_view bytes) { events_.on_bytes(bytes); },
                            .on_drained = [this] { events_.on_drained(); },
                            .on_closed = [this](const std::string&) { events_.on_closed(); }});
    }
    void send(std::string_view bytes) override { connection_->write(bytes); }
    size_t queued_bytes() const override { return connection_->queued_bytes(); }
    void pause_reading() override { connection_->pause_reading(); }
    void resume_reading() override { connection_->resume_reading(); }
    void close() override { connection_->close_after_writing(); }

private:
    const std::unique_ptr<http::Upgraded> connection_;
    Events events_;
};

class TunnelWire : public ByteWire {
public:
    explicit TunnelWire(std::unique_ptr<http::WebSocket> socket) : socket_(std::move(socket)) {}

    void start(Loop& loop, Events events) override {
        events_ = std::move(events);
        socket_->start(
            loop, {.on_message = [this](std::string_view message) { events_.on_bytes(message); },
                   .on_drained = [this] { events_.on_drained(); },
                   .on_closed = [this](int) { events_.on_closed(); }});
    }
    void send(std::string_view bytes) override { socket_->send(bytes); }
    size_t queued_bytes() const override { return socket_->queued_bytes(); }
    void pause_reading() override { socket_->pause_reading(); }
    void resume_reading() override { socket_->resume_reading(); }
    void close() override { socket_->close(); }

private:
    const std::unique_ptr<http::WebSocket> socket_;
    Events events_;
};
}  // namespace

std::unique_ptr<ByteWire> raw_wire(std::unique_ptr<http::Upgraded> connection) {
    return std::make_unique<RawWire>(std::move(connection));
}
std::unique_ptr<ByteWire> tunnel_wire(std::unique_ptr<http::WebSocket> socket) {
    return std::make_unique<TunnelWire>(std::move(socket));
}

}  // namespace kin::apiserver
