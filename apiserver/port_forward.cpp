#include "apiserver/port_forward.h"

#include "core/base/strings.h"

namespace kin::apiserver {

namespace {
// Beyond these the faster side waits.
constexpr size_t kClientBytes = 1u << 20;
constexpr size_t kPodBytes = 256u << 10;
// Connections that one client may have open at a time.
constexpr size_t kMaxPairs = 1024;

std::string header(const spdy::Headers& headers, const std::string& name) {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
}

/// As a kubelet words it; kubectl prints "an error occurred forwarding 8080 -> 80: " before it.
std::string failure_text(uint16_t port, const ObjectKey& pod, const std::string& why) {
    return cat("error forwarding port ", port, " to pod ", pod, ": ", why);
}
}  // namespace

PortForward::PortForward(Loop& loop, std::unique_ptr<spdy::Session> session,
                         std::function<void()> ended)
    : loop_(loop), session_(std::move(session)), ended_(std::move(ended)) {}

void PortForward::start(PodAccess& pods, const ObjectKey& pod) {
    pods_ = &pods;
    pod_ = pod;
    session_->start(loop_, {.on_stream = [this](const spdy::Opened& opened) { open(opened); },
                            .on_data = [this](spdy::StreamId id,
                                              std::string_view bytes) { from_client(id, bytes); },
                            .on_end = [this](spdy::StreamId id) { end_of(id); },
                            .on_reset = [this](spdy::StreamId id) { cut(id); },
                            .on_drained =
                                [this] {
                                    for (auto& [id, pair] : pairs_)
                                        if (pair.connection) pair.connection->resume();
                                },
                            .on_closed =
                                [this] {
                                    ids_.clear();
                                    pairs_.clear();
                                    ended_();
                                }});
}

void PortForward::open(const spdy::Opened& opened) {
    const std::string id = header(opened.headers, "requestid");
    const std::string type = header(opened.headers, "streamtype");
    const auto port = parse_number<uint16_t>(header(opened.headers, "port"));
    const bool known = type == "data" || type == "error";
    if (!known || !port || *port == 0 || (!pairs_.contains(id) && pairs_.size() >= kMaxPairs))
        return session_->send(opened.stream, {}, true);
    Pair& pair = pairs_[id];
    pair.port = *port;
    if (type == "data") {
        pair.data = opened.stream;
        ids_[opened.stream] = id;
    } else {
        pair.error = opened.stream;
    }
    if (pair.data != 0 && pair.error != 0 && !pair.connection) connect(id, pair);
}

void PortForward::connect(const std::string& id, Pair& pair) {
    // The pair stays where it is in the map until it is forgotten, with its connection.
    Pair* const lasting = &pair;
    pair.connection = std::make_shared<ForwardedConnection>(
        loop_, ForwardedConnection::Events{
                   .on_bytes = [this, lasting](auto bytes) { from_pod(*lasting, bytes); },
                   .on_end = [this, id] { end_of_pod(id); },
                   .on_failed = [this, id](const std::string& why) { fail(id, why); },
                   .on_drained = [this] { session_->resume_reading(); }});
    pair.connection->open(*pods_, pod_, pair.port);
}

void PortForward::from_client(spdy::StreamId stream, std::string_view bytes) {
    const auto found = find(stream);
    if (found == pairs_.end() || !found->second.connection) return;
    ForwardedConnection& connection = *found->second.connection;
    connection.send(bytes);
    if (connection.waiting_bytes() > kPodBytes) session_->pause_reading();
}

void PortForward::end_of(spdy::StreamId stream) {
    const auto found = find(stream);
    if (found == pairs_.end() || !found->second.connection) return;
    found->second.connection->end();
    forget_if_done(std::string(found->first));
}

/// The client wants nothing more of this connection, whatever is under way.
void PortForward::cut(spdy::StreamId stream) {
    const auto found = find(stream);
    if (found == pairs_.end()) return;
    ids_.erase(stream);
    pairs_.erase(found);
    session_->resume_reading();  // It may have waited for this connection.
}

void PortForward::from_pod(const Pair& pair, std::string_view bytes) {
    session_->send(pair.data, bytes);
    if (session_->queued_bytes() > kClientBytes) pair.connection->pause();
}

void PortForward::end_of_pod(const std::string& id) {
    const Pair& pair = pairs_.at(id);
    session_->send(pair.data, {}, true);
    session_->send(pair.error, {}, true);
    forget_if_done(id);
}

void PortForward::fail(const std::string& id, const std::string& why) {
    const Pair& pair = pairs_.at(id);
    session_->send(pair.error, failure_text(pair.port, pod_, why), true);
    session_->send(pair.data, {}, true);
    session_->resume_reading();  // It may have waited for this connection.
    forget_if_done(id);
}

void PortForward::forget_if_done(const std::string& id) {
    const auto found = pairs_.find(id);
    if (!found->second.connection->ended_both_ways()) return;
    ids_.erase(found->second.data);
    // The connection may be telling us just now: it goes in a turn of its own.
    loop_.post([last = std::move(found->second.connection)] {});
    pairs_.erase(found);
}

PortForward::Pairs::iterator PortForward::find(spdy::StreamId data_stream) {
    const auto id = ids_.find(data_stream);
    return id == ids_.end() ? pairs_.end() : pairs_.find(id->second);
}

ChannelPortForward::ChannelPortForward(Loop& loop, std::unique_ptr<http::WebSocket> socket,
                                       std::vector<uint16_t> ports, std::function<void()> ended)
    : loop_(loop), socket_(std::move(socket)), ports_(std::move(ports)), ended_(std::move(ended)) {}

void ChannelPortForward::start(PodAccess& pods, const ObjectKey& pod) {
    socket_->start(loop_, {.on_message = [this](std::string_view message) { from_client(message); },
                           .on_drained =
                               [this] {
                                   for (const auto& connection : connections_) connection->resume();
                               },
                           .on_closed = [this](int) { ended_(); }});
    for (size_t i = 0; i < ports_.size(); ++i) {
        const std::string port{static_cast<char>(ports_[i] & 0xff),
                               static_cast<char>(ports_[i] >> 8)};
        send(2 * i, port);
        send(2 * i + 1, port);
        connections_.push_back(std::make_shared<ForwardedConnection>(
            loop_,
            ForwardedConnection::Events{.on_bytes =
                                            [this, i](std::string_view bytes) {
                                                send(2 * i, bytes);
                                                if (socket_->queued_bytes() > kClientBytes)
                                                    connections_[i]->pause();
                                            },
                                        .on_end = [this, i] { end_of(i); },
                                        .on_failed =
                                            [this, i, pod](const std::string& why) {
                                                send(2 * i + 1, failure_text(ports_[i], pod, why));
                                                end_of(i);
                                            },
                                        .on_drained = [this] { socket_->resume_reading(); }}));
        connections_.back()->open(pods, pod, ports_[i]);
    }
}

void ChannelPortForward::from_client(std::string_view message) {
    if (message.empty()) return;
    const auto channel = static_cast<unsigned char>(message[0]);
    const size_t index = channel / 2;
    if (channel % 2 != 0 || index >= connections_.size()) return;
    connections_[index]->send(message.substr(1));
    if (connections_[index]->waiting_bytes() > kPodBytes) socket_->pause_reading();
}

void ChannelPortForward::send(size_t channel, std::string_view bytes) {
    std::string message(1, static_cast<char>(channel));
    socket_->send(message.append(bytes));
}

/// There is no sign for one port's end; the session ends with the last one.
void ChannelPortForward::end_of(size_t) {
    if (++ended_count_ == ports_.size()) socket_->close();
}

}  // namespace kin::apiserver
