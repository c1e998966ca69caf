#include "core/http/connection.h"

#include "core/base/assert.h"
#include "core/base/strings.h"

namespace kin::http {

using Kind = Transport::Outcome::Kind;
using Wait = Transport::Outcome::Wait;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {
constexpr HeadLimits kHeadLimits;
constexpr size_t kDrainLimit = 64u << 20;
constexpr milliseconds kLingerTimeout{2000};
constexpr milliseconds kHandshakeTimeout{15'000};

Connection::Next waiting(const Transport::Outcome& outcome) {
    if (outcome.kind != Kind::kBlocked) return Connection::Next::kClose;
    return outcome.wait == Wait::kReadable ? Connection::Next::kWaitReadable
                                           : Connection::Next::kWaitWritable;
}
}  // namespace

Response Connection::Surroundings::refusal(int status, std::string_view why) const {
    if (options.refusal) return options.refusal(status, why);
    return Response(status, "text/plain", cat(why, "\n"));
}

Connection::Connection(std::unique_ptr<Transport> transport, Peer peer,
                       const Surroundings& surroundings)
    : surroundings_(surroundings),
      transport_(std::move(transport)),
      fd_(transport_->fd()),
      peer_(std::move(peer)),
      phase_(transport_->ssl() ? Phase::kHandshake : Phase::kServing) {}

Connection::Next Connection::advance(Codec& codec) {
    if (phase_ == Phase::kHandshake) {
        if (const auto next = shake_hands()) return *next;
    }
    while (true) {
        // One answer leaves before the next request is looked at: pipelining cannot pile up.
        const auto flushed = output_.flush(*transport_);
        if (flushed.kind != Kind::kDone) return waiting(flushed);
        if (phase_ == Phase::kLingering) return linger();
        if (last_) {
            transport_->shutdown_write();
            if (!drain_) return Next::kClose;
            phase_ = Phase::kLingering;
            continue;
        }
        const Step step = take_request();
        if (step == Step::kReady) serve(codec);
        if (!transport_) return Next::kHandedOver;
        if (step != Step::kIncomplete) continue;
        if (const auto next = read()) return *next;
    }
}

std::optional<Connection::Next> Connection::shake_hands() {
    const auto outcome = transport_->handshake();
    if (outcome.kind != Kind::kDone) return waiting(outcome);
    phase_ = Phase::kServing;
    begin_next_request();
    return {};
}

void Connection::begin_next_request() {
    head_.reset();
    head_text_.clear();
    chunks_ = ChunkedDecoder();
    response_.reset();
    request_ = Request();
    started_ = steady_clock::now();
    // An idle connection keeps no memory of a large request.
    if (received_.empty() && received_.capacity() > 4096) received_ = std::string();
}

std::optional<Connection::Next> Connection::read() {
    char buffer[16u << 10];
    const auto outcome = transport_->read(buffer, sizeof buffer);
    if (outcome.kind != Kind::kDone) return waiting(outcome);
    if (received_.empty() && !head_) started_ = steady_clock::now();
    received_.append(buffer, outcome.bytes);
    return {};
}

Connection::Step Connection::take_request() {
    if (!head_) {
        if (const auto step = take_head()) return *step;
    }
    return take_body();
}

/// Nothing if a head is there and the body's turn has come.
std::optional<Connection::Step> Connection::take_head() {
    while (received_.starts_with("\r\n")) received_.erase(0, 2);  // Left over by old clients.
    const auto end = find_head_end(received_, kHeadLimits);
    if (const auto* refusal = std::get_if<Refusal>(&end)) return refuse(*refusal);
    const size_t size = std::get<size_t>(end);
    if (size == 0) return Step::kIncomplete;
    head_text_ = received_.substr(0, size);
    received_.erase(0, size);
    auto head = parse_head(head_text_, kHeadLimits);
    if (const auto* refusal = std::get_if<Refusal>(&head)) return refuse(*refusal);
    head_ = std::move(std::get<RequestHead>(head));
    if (const auto refusal = fill_request(*head_, request_)) return refuse(*refusal);
    if (head_->body == RequestHead::Body::kLength &&
        head_->length_bytes > surroundings_.options.body_limit_bytes)
        return refuse({413, "the body is too large"});
    started_ = steady_clock::now();
    if (head_->expects_continue && head_->body != RequestHead::Body::kNone && received_.empty()) {
        output_.push("HTTP/1.1 100 Continue\r\n\r\n");
        return Step::kAgain;
    }
    return {};
}

Connection::Step Connection::take_body() {
    if (head_->body == RequestHead::Body::kLength) {
        const auto length = static_cast<size_t>(head_->length_bytes);
        if (received_.size() < length) return Step::kIncomplete;
        if (received_.size() == length) {
            request_.body = std::exchange(received_, {});
        } else {
            request_.body = received_.substr(0, length);
            received_.erase(0, length);
        }
    } else if (head_->body == RequestHead::Body::kChunked) {
        const auto step = chunks_.feed(received_, request_.body);
        if (step == ChunkedDecoder::Step::kBroken) return refuse({400, "a chunk is malformed"});
        if (request_.body.size() > surroundings_.options.body_limit_bytes)
            return refuse({413, "the body is too large"});
        if (step == ChunkedDecoder::Step::kMore) return Step::kIncomplete;
    }
    return Step::kReady;
}

Connection::Step Connection::refuse(const Refusal& refusal) {
    Response response = surroundings_.refusal(refusal.status, refusal.why);
    output_.push(plain_head(response, {{"Content-Length", std::to_string(response.body_size())},
                                       {"Connection", "close"}}));
    for (Bytes& bytes : response.body) output_.push(std::move(bytes));
    last_ = drain_ = true;
    return Step::kAgain;
}

void Connection::serve(Codec& codec) {
    request_.peer = peer_;
    if (transport_->ssl()) request_.peer.certificate = peer_certificate(transport_->ssl());
    Responder responder(*this);
    auto answer = codec.answer(*head_, !head_->keep_alive, [&]() -> std::optional<Response> {
        surroundings_.handler(request_, responder);
        if (response_) return std::move(response_);
        if (!transport_) return {};
        return surroundings_.refusal(500, "the request was not answered");
    });
    if (!transport_) return;
    KIN_ASSERT(answer);
    output_.push(std::move(answer->head));
    for (Bytes& bytes : answer->body) output_.push(std::move(bytes));
    last_ = !head_->keep_alive;
    begin_next_request();
}

/// Reads and drops what a refused client still sends: closing with unread bytes would reset the
/// connection, and the client might never see why it was refused.
Connection::Next Connection::linger() {
    char buffer[16u << 10];
    while (true) {
        const auto outcome = transport_->read(buffer, sizeof buffer);
        if (outcome.kind != Kind::kDone) return waiting(outcome);
        drained_bytes_ += outcome.bytes;
        if (drained_bytes_ > kDrainLimit) return Next::kClose;
    }
}

milliseconds Connection::patience() const {
    const auto& options = surroundings_.options;
    if (phase_ == Phase::kHandshake) return kHandshakeTimeout;
    if (phase_ == Phase::kLingering) return kLingerTimeout;
    if (!output_.empty()) return options.write_timeout;
    if (!head_ && received_.empty()) return options.idle_timeout;
    const auto limit = head_ ? options.body_timeout : options.head_timeout;
    const auto gone = std::chrono::duration_cast<milliseconds>(steady_clock::now() - started_);
    return std::max(limit - gone, milliseconds(0));
}

std::unique_ptr<Upgraded> Connection::hand_over() {
    surroundings_.forget(fd_);
    return std::make_unique<Upgraded>(std::move(transport_), std::move(received_));
}

bool Responder::answered() const {
    return connection_.response_.has_value() || !connection_.transport_;
}

void Responder::send(Response response) {
    KIN_ASSERT(!answered());
    connection_.response_ = std::move(response);
}

std::unique_ptr<Upgraded> Responder::take_over() {
    KIN_ASSERT(!answered());
    return connection_.hand_over();
}

std::unique_ptr<Upgraded> Responder::upgrade(Response head) {
    auto upgraded = take_over();
    upgraded->write(plain_head(head, {}));
    for (Bytes& bytes : head.body) upgraded->write(std::move(bytes));
    return upgraded;
}

std::unique_ptr<StreamWriter> Responder::stream(Response head) {
    KIN_ASSERT(!answered());
    using Framing = StreamWriter::Framing;
    const bool chunked = connection_.head_->minor_version == 1;
    Framing framing = chunked ? Framing::kChunked : Framing::kUntilClose;
    if (connection_.head_->method == "HEAD") framing = Framing::kNoBody;
    Headers fields{{"Connection", "close"}};
    if (chunked) fields.add("Transfer-Encoding", "chunked");
    auto connection = connection_.hand_over();
    connection->write(plain_head(head, fields));
    auto writer = std::make_unique<StreamWriter>(std::move(connection), framing);
    for (Bytes& bytes : head.body) writer->write(std::move(bytes));
    return writer;
}

}  // namespace kin::http
