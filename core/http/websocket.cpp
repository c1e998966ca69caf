#include "core/http/websocket.h"

#include <openssl/sha.h>
#include <wslay/wslay.h>

#include <cstring>

#include "core/base/assert.h"
#include "core/base/strings.h"
#include "core/loop/loop.h"

namespace kin::http {

namespace {
constexpr std::chrono::milliseconds kGoodbyePatience{5000};
// How often a peer that is not read from is asked for a sign of life.
constexpr std::chrono::milliseconds kHeartbeat{5000};
constexpr int kAbnormal = WSLAY_CODE_ABNORMAL_CLOSURE;

struct FreeContext {
    void operator()(wslay_event_context* context) const { wslay_event_context_free(context); }
};
}  // namespace

/// Shared with callbacks that are running, so that an event may destroy the WebSocket.
struct WebSocket::State : std::enable_shared_from_this<WebSocket::State> {
    State(std::unique_ptr<Upgraded> connection_, std::string protocol_, size_t max_message_bytes)
        : connection(std::move(connection_)), protocol(std::move(protocol_)) {
        wslay_event_callbacks callbacks{};
        callbacks.recv_callback = give_received;
        callbacks.send_callback = take_frame;
        callbacks.on_msg_recv_callback = on_message;
        wslay_event_context_ptr made = nullptr;
        KIN_ASSERT(wslay_event_context_server_init(&made, &callbacks, this) == 0);
        context.reset(made);
        wslay_event_config_set_max_recv_msg_length(made, max_message_bytes);
    }

    static ssize_t give_received(wslay_event_context_ptr ctx, uint8_t* to, size_t size, int,
                                 void* self) {
        State& state = *static_cast<State*>(self);
        const size_t count = std::min(size, state.received.size() - state.used);
        if (count == 0 || state.paused || state.over) {
            wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
            return -1;
        }
        std::memcpy(to, state.received.data() + state.used, count);
        state.used += count;
        return static_cast<ssize_t>(count);
    }

    static ssize_t take_frame(wslay_event_context_ptr, const uint8_t* bytes, size_t size, int,
                              void* self) {
        const auto* const text = reinterpret_cast<const char*>(bytes);
        static_cast<State*>(self)->connection->write(std::string_view(text, size));
        return static_cast<ssize_t>(size);
    }

    static void on_message(wslay_event_context_ptr, const wslay_event_on_msg_recv_arg* message,
                           void* self) {
        State& state = *static_cast<State*>(self);
        if (wslay_is_ctrl_frame(message->opcode) || state.closing || state.over) return;
        const auto current = state.events;
        if (current && current->on_message)
            current->on_message({reinterpret_cast<const char*>(message->msg), message->msg_length});
    }

    /// Lets wslay read what has come, and sends what it and the events then have to say.
    void pump() {
        if (over || pumping) return;
        const auto keep = shared_from_this();
        pumping = true;
        const bool broken = wslay_event_recv(context.get()) != 0;
        pumping = false;
        received.erase(0, std::exchange(used, 0));
        if (over) return;
        if (broken) {
            // A frame that wslay could not even take apart. It would say goodbye without a code.
            connection->write(std::string_view("\x88\x02\x03\xea", 4));
            return leave();
        }
        send_frames();
    }

    /// Empties wslay's queues at once, also from within on_message: a Close that waits there
    /// together with messages would be sent before them.
    void send_frames() {
        if (over) return;
        if (wslay_event_send(context.get()) != 0) return end(kAbnormal);
        if (!wslay_event_get_close_sent(context.get())) return;
        const bool answered = wslay_event_get_close_received(context.get()) != 0;
        // After a violation the peer is not trusted to say goodbye: wslay stopped reading.
        if (answered || !wslay_event_get_read_enabled(context.get())) return leave();
        closing = true;
        if (loop && !patience.active())
            patience = loop->after(kGoodbyePatience, [this] { leave(); });
    }

    bool send(uint8_t opcode, std::string_view message) {
        if (over || closing || !connection->open()) return false;
        const wslay_event_msg frame{opcode, reinterpret_cast<const uint8_t*>(message.data()),
                                    message.size()};
        if (wslay_event_queue_msg(context.get(), &frame) != 0) return false;
        send_frames();
        return true;
    }

    /// Both sides have said goodbye, or the peer would not.
    void leave() {
        closing = true;
        patience = Timer();
        connection->close_after_writing();
    }

    /// Behind a full window the goodbye of a peer cannot arrive; a kernel whose program has gone
    /// answers a ping with a reset.
    void beat() {
        if (over || closing || !paused) return;
        const auto keep = shared_from_this();
        const wslay_event_msg ping{WSLAY_PING, nullptr, 0};
        (void)wslay_event_queue_msg(context.get(), &ping);
        send_frames();
        if (!over) heartbeat = loop->after(kHeartbeat, [this] { beat(); });
    }

    void end(int code) {
        if (over) return;
        const auto keep = shared_from_this();
        const auto current = std::move(events);
        shut();
        if (current && current->on_closed) current->on_closed(code);
    }

    void shut() {
        over = true;
        events.reset();
        patience = Timer();
        soon = Timer();
        heartbeat = Timer();
        connection->close();
    }

    int peer_code() const {
        if (!wslay_event_get_close_received(context.get())) return kAbnormal;
        return wslay_event_get_status_code_received(context.get());
    }

    std::unique_ptr<Upgraded> connection;
    const std::string protocol;
    std::unique_ptr<wslay_event_context, FreeContext> context;
    std::shared_ptr<const Events> events;
    Loop* loop = nullptr;
    std::string received;  // Not yet read by wslay from `used` on.
    size_t used = 0;
    bool pumping = false;
    bool paused = false;
    bool closing = false;
    bool over = false;
    Timer patience;
    Timer soon;
    Timer heartbeat;
};

WebSocket::WebSocket(std::unique_ptr<Upgraded> connection, std::string protocol,
                     size_t max_message_bytes)
    : state_(
          std::make_shared<State>(std::move(connection), std::move(protocol), max_message_bytes)) {}

WebSocket::~WebSocket() { state_->shut(); }

void WebSocket::start(Loop& loop, Events events) {
    State* const state = state_.get();
    state->loop = &loop;
    state->events = std::make_shared<const Events>(std::move(events));
    state->connection->start(
        loop, {.on_data =
                   [state](std::string_view bytes) {
                       state->received.append(bytes);
                       state->pump();
                   },
               .on_drained =
                   [state] {
                       const auto current = state->events;
                       if (current && current->on_drained && !state->closing) current->on_drained();
                   },
               .on_closed = [state](const std::string&) { state->end(state->peer_code()); }});
}

const std::string& WebSocket::protocol() const { return state_->protocol; }

bool WebSocket::send(std::string_view message) { return state_->send(WSLAY_BINARY_FRAME, message); }

bool WebSocket::send_text(std::string_view message) {
    return state_->send(WSLAY_TEXT_FRAME, message);
}

size_t WebSocket::queued_bytes() const { return state_->connection->queued_bytes(); }

void WebSocket::pause_reading() {
    State* const state = state_.get();
    if (std::exchange(state->paused, true)) return;
    state->connection->pause_reading();
    if (state->loop && !state->over)
        state->heartbeat = state->loop->after(kHeartbeat, [state] { state->beat(); });
}

void WebSocket::resume_reading() {
    State* const state = state_.get();
    if (!std::exchange(state->paused, false)) return;
    state->heartbeat = Timer();
    state->connection->resume_reading();
    // In a turn of its own: whoever resumes need not expect messages, or its own end, meanwhile.
    if (state->loop && !state->over && !state->soon.active())
        state->soon = state->loop->after(std::chrono::milliseconds(0), [state] { state->pump(); });
}

void WebSocket::close(int code, std::string_view why) {
    const auto state = state_;
    if (state->over || state->closing) return;
    state->closing = true;
    wslay_event_queue_close(state->context.get(), static_cast<uint16_t>(code),
                            reinterpret_cast<const uint8_t*>(why.data()),
                            std::min<size_t>(why.size(), 123));
    if (state->paused) {  // The peer's Close must be seen.
        state->paused = false;
        state->connection->resume_reading();
    }
    state->send_frames();
}

namespace {
std::string accept_key(std::string_view key) {
    const std::string text = cat(key, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    unsigned char digest[SHA_DIGEST_LENGTH];
    SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
    return base64_encode({reinterpret_cast<const char*>(digest), sizeof digest});
}

std::optional<std::string> choose_protocol(const Request& request,
                                           const std::vector<std::string>& protocols) {
    const bool offers_some = request.headers.has("Sec-WebSocket-Protocol");
    for (const std::string& protocol : protocols)
        if (protocol.empty() ? !offers_some
                             : request.headers.has_token("Sec-WebSocket-Protocol", protocol))
            return protocol;
    return {};
}
}  // namespace

Result<std::unique_ptr<WebSocket>> accept_websocket(const Request& request, Responder& responder,
                                                    const std::vector<std::string>& protocols,
                                                    size_t max_message_bytes) {
    const Headers& headers = request.headers;
    if (request.method != "GET" || !request.wants_upgrade("websocket"))
        return Error(Errc::kInvalid, "this is no WebSocket handshake");
    if (headers.get("Sec-WebSocket-Version") != "13")
        return Error(Errc::kInvalid, "only version 13 of the WebSocket protocol is spoken here");
    const auto key = headers.get("Sec-WebSocket-Key");
    const auto nonce = base64_decode(key);
    if (!nonce || nonce->size() != 16)
        return Error(Errc::kInvalid, "Sec-WebSocket-Key is not 16 bytes in base64");
    auto protocol = choose_protocol(request, protocols);
    if (!protocol)
        return Error(Errc::kInvalid, cat("none of the offered subprotocols is spoken here, but: ",
                                         join(protocols, ", ")));
    Response head(101);
    head.headers = {{"Upgrade", "websocket"},
                    {"Connection", "Upgrade"},
                    {"Sec-WebSocket-Accept", accept_key(key)}};
    if (!protocol->empty()) head.headers.add("Sec-WebSocket-Protocol", *protocol);
    return std::make_unique<WebSocket>(responder.upgrade(std::move(head)), std::move(*protocol),
                                       max_message_bytes);
}

}  // namespace kin::http
