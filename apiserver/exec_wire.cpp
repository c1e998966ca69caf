#include "apiserver/exec_wire.h"

#include "core/loop/loop.h"

namespace kin::apiserver {

namespace {
class WebSocketExecWire : public ExecWire {
public:
    explicit WebSocketExecWire(std::unique_ptr<http::WebSocket> socket)
        : socket_(std::move(socket)), closes_channels_(socket_->protocol().starts_with("v5.")) {}

    void start(Loop& loop, Events events, std::function<void()> on_ready) override {
        events_ = std::move(events);
        socket_->start(loop, {.on_message = [this](std::string_view message) { read(message); },
                              .on_drained = [this] { events_.on_drained(); },
                              .on_closed = [this](int) { events_.on_closed(); }});
        send(Channel::kStdout, {});  // As kubelets do: it shows the client that all is open.
        on_ready();
    }
    void send(Channel channel, std::string_view bytes) override {
        socket_->send(channel_message(channel, bytes));
    }
    size_t queued_bytes() const override { return socket_->queued_bytes(); }
    void pause_reading() override { socket_->pause_reading(); }
    void resume_reading() override { socket_->resume_reading(); }
    void finish(const Json& status) override {
        send(Channel::kError, to_text(status));
        socket_->close();
    }

private:
    void read(std::string_view message) {
        const auto input = parse_channel_message(message, closes_channels_);
        if (!input) return;
        switch (input->kind) {
            case ChannelInput::Kind::kStdin:
                return events_.on_stdin(input->bytes);
            case ChannelInput::Kind::kStdinEnd:
                return events_.on_stdin_end();
            case ChannelInput::Kind::kResize:
                return events_.on_resize(input->columns, input->rows);
        }
    }

    const std::unique_ptr<http::WebSocket> socket_;
    const bool closes_channels_;
    Events events_;
};

/// The header `streamtype` names the channel of each stream.
class SpdyExecWire : public ExecWire {
public:
    SpdyExecWire(std::unique_ptr<spdy::Session> session, std::vector<Channel> channels)
        : session_(std::move(session)), awaited_(std::move(channels)) {}

    void start(Loop& loop, Events events, std::function<void()> on_ready) override {
        events_ = std::move(events);
        on_ready_ = std::move(on_ready);
        session_->start(loop, {.on_stream = [this](const spdy::Opened& opened) { open(opened); },
                               .on_data = [this](spdy::StreamId id,
                                                 std::string_view bytes) { read(id, bytes); },
                               .on_end =
                                   [this](spdy::StreamId id) {
                                       if (is(id, Channel::kStdin)) events_.on_stdin_end();
                                   },
                               .on_reset = [](spdy::StreamId) {},
                               .on_drained = [this] { events_.on_drained(); },
                               .on_closed = [this] { events_.on_closed(); }});
        patience_ = loop.after(kStreamsPatience, [this] { session_->close(); });
    }
    void send(Channel channel, std::string_view bytes) override {
        const auto stream = streams_.find(channel);
        if (stream != streams_.end()) session_->send(stream->second, bytes);
    }
    size_t queued_bytes() const override { return session_->queued_bytes(); }
    void pause_reading() override { session_->pause_reading(); }
    void resume_reading() override { session_->resume_reading(); }
    void finish(const Json& status) override {
        for (const auto& [channel, stream] : streams_) {
            const bool error = channel == Channel::kError;
            if (channel == Channel::kStdin || channel == Channel::kResize) continue;
            session_->send(stream, error ? to_text(status) : "", true);
        }
        session_->close();
    }

private:
    static constexpr std::chrono::seconds kStreamsPatience{30};

    static std::optional<Channel> channel_of(const spdy::Opened& opened) {
        const auto type = opened.headers.find("streamtype");
        if (type == opened.headers.end()) return {};
        if (type->second == "stdin") return Channel::kStdin;
        if (type->second == "stdout") return Channel::kStdout;
        if (type->second == "stderr") return Channel::kStderr;
        if (type->second == "error") return Channel::kError;
        if (type->second == "resize") return Channel::kResize;
        return {};
    }

    void open(const spdy::Opened& opened) {
        const auto channel = channel_of(opened);
        if (!channel) return;
        streams_[*channel] = opened.stream;
        std::erase(awaited_, *channel);
        if (!awaited_.empty() || !on_ready_) return;
        patience_ = Timer();
        std::exchange(on_ready_, nullptr)();
    }

    void read(spdy::StreamId stream, std::string_view bytes) {
        if (is(stream, Channel::kStdin)) return events_.on_stdin(bytes);
        if (!is(stream, Channel::kResize)) return;
        sizes_.append(bytes.substr(0, 4096));
        for (size_t end = sizes_.find('}'); end != std::string::npos; end = sizes_.find('}')) {
            const auto size = parse_resize(std::string_view(sizes_).substr(0, end + 1));
            if (size) events_.on_resize(size->columns, size->rows);
            sizes_.erase(0, end + 1);
        }
    }

    bool is(spdy::StreamId stream, Channel channel) const {
        const auto found = streams_.find(channel);
        return found != streams_.end() && found->second == stream;
    }

    const std::unique_ptr<spdy::Session> session_;
    std::vector<Channel> awaited_;
    std::map<Channel, spdy::StreamId> streams_;
    std::string sizes_;  // The resize stream's bytes, not yet whole.
    Events events_;
    std::function<void()> on_ready_;
    Timer patience_;
};
}  // namespace

std::unique_ptr<ExecWire> spdy_exec_wire(std::unique_ptr<spdy::Session> session,
                                         std::vector<Channel> channels) {
    return std::make_unique<SpdyExecWire>(std::move(session), std::move(channels));
}

std::unique_ptr<ExecWire> websocket_exec_wire(std::unique_ptr<http::WebSocket> socket) {
    return std::make_unique<WebSocketExecWire>(std::move(socket));
}

}  // namespace kin::apiserver
