#include "ingress/exchange.h"

#include <algorithm>

#include "core/base/log.h"
#include "core/base/strings.h"
#include "ingress/dates.h"

namespace kin::ingress {

using Clock = std::chrono::steady_clock;
using What = Stream::Got::What;

namespace {
constexpr size_t kMaxTries = 3;
// Reads in one turn, so that one fast pair does not keep the loop from all others.
constexpr int kMaxRounds = 32;
// Of a client's next requests, while the present one is served.
constexpr size_t kReadAhead = 16u << 10;
}  // namespace

Exchange::Exchange(Site& site, Client client, const Decision& decision, std::string head,
                   std::function<void()> wake)
    : site_(site),
      client_(client),
      location_(*decision.location),
      head_(std::move(head)),
      wake_(std::move(wake)),
      turn_(site.next_turn(*location_.backend)),
      owes_continue_(client.request.head.expects_continue),
      request_body_(client.request.framing, client.request.head.length_bytes,
                    client.request.framing) {
    begin_try();
}

Exchange::~Exchange() = default;

void Exchange::begin_try() {
    const auto& endpoints = location_.backend->endpoints;
    const Endpoint endpoint = endpoints[(turn_ + tries_) % endpoints.size()];
    client_.record.tries.push_back({endpoint, 0, 0, Clock::now(), {}});
    head_queued_ = request_cut_ = false;
    allow(location_.options.connect_timeout);
    if (!fresh_) {
        if (auto warm = site_.upstreams.reuse(endpoint, !client_.request.repeatable))
            return attach(std::move(warm));
    }
    // This may call back at once; the turn that we are in then goes on with the connection.
    site_.upstreams.connect(
        endpoint, lifetime_.bind([this, number = client_.record.tries.size()](
                                     std::unique_ptr<UpstreamConnection> connection) {
            if (state_ != State::kRunning || number != client_.record.tries.size())
                return;  // Timed out meanwhile.
            if (connection)
                attach(std::move(connection));
            else
                next_endpoint(502);
            wake_();
        }));
}

void Exchange::attach(std::unique_ptr<UpstreamConnection> connection) {
    upstream_ = std::move(connection);
    upstream_->connected = false;
    upstream_->on_ready = [this] { wake_(); };
}

void Exchange::allow(std::chrono::milliseconds time) {
    deadline_ = Clock::now() + (client_ended_ ? std::min(time, kPatienceWithEnded) : time);
}

void Exchange::next_endpoint(int status) {
    this_try().ended = Clock::now();
    if (this_try().status == 0) this_try().status = status;
    upstream_.reset();
    response_text_.clear();
    const size_t count = location_.backend->endpoints.size();
    if (++tries_ >= std::min(kMaxTries, count)) return fail(status);
    begin_try();
}

bool Exchange::unread(bool in_order) const {
    if (!upstream_->connected) return true;
    const size_t given = head_.size() + sent_body_.size() - upstream_->stream.waiting();
    return (in_order || !upstream_->reused) && upstream_->unacknowledged_bytes() >= given;
}

void Exchange::lost(bool in_order) {
    const bool repeatable =
        body_kept_ && response_text_.empty() && (client_.request.repeatable || unread(in_order));
    if (upstream_->reused && repeatable && !std::exchange(fresh_, true)) {
        // It was closed while nobody looked; the endpoint itself may be well.
        upstream_.reset();
        client_.record.tries.pop_back();
        return begin_try();
    }
    if (repeatable) return next_endpoint(502);
    fail(502);
}

void Exchange::fail(int status) {
    upstream_.reset();
    if (status >= 500) this_try().status = status;
    state_ = response_begun_ ? State::kBroken : State::kAnswer;
    status_ = status;
    client_stays_ = !response_begun_ && client_.request.keep_alive && request_body_.done();
}

void Exchange::end_try() {
    Try& last = this_try();
    if (last.ended != Clock::time_point{}) return;
    last.ended = Clock::now();
    last.bytes = response_body_.passed_bytes();
    client_.record.body_bytes = response_body_.passed_bytes();
    client_.record.request_bytes += request_body_.passed_bytes();
}

Exchange::State Exchange::pump() {
    for (int round = 0; state_ == State::kRunning; ++round) {
        if (round == kMaxRounds) {
            again_ = site_.loop.after(std::chrono::milliseconds(0), [this] { wake_(); });
            break;
        }
        const bool sent = send_request();
        const bool received = state_ == State::kRunning && receive_response();
        const bool watched = state_ == State::kRunning && watch_client();
        if (!sent && !received && !watched) break;
    }
    if (client_.stream.failed() && state_ == State::kRunning) state_ = State::kBroken;
    if (state_ != State::kRunning) end_try();
    return state_;
}

/// True if something moved that could make more possible.
bool Exchange::send_request() {
    if (!upstream_ || request_cut_) return false;
    Stream& stream = upstream_->stream;
    if (!std::exchange(head_queued_, true)) {
        stream.queue(head_);
        stream.queue(sent_body_);
    }
    const size_t waited = stream.waiting();
    stream.flush();
    if (upstream_->connected && stream.waiting() < waited) touch();  // It reads, however slowly.
    if (stream.failed()) {
        if (!upstream_->connected) {
            lost(false);
            return true;
        }
        request_cut_ = true;  // It may have answered before it closed.
        return false;
    }
    if (!upstream_->connected) {
        if (stream.waiting() == head_.size() + sent_body_.size()) return false;
        upstream_->connected = true;
        touch();
    }
    if (request_body_.done() || stream.waiting() > kHighWater) {
        // The tunnel's end is told once all before it has left.
        if (half_closed_ && stream.waiting() == 0 && !request_cut_) {
            request_cut_ = true;
            stream.shutdown_write();
        }
        return false;
    }
    return send_body();
}

bool Exchange::send_body() {
    if (client_.received.empty() && std::exchange(owes_continue_, false))
        client_.stream.send("HTTP/1.1 100 Continue\r\n\r\n");
    std::string_view bytes = client_.received;
    const bool kept = !bytes.empty();
    if (!kept) {
        const auto got = client_.stream.read(site_.buffer);
        if (got.what == What::kBlocked) return false;
        if (got.what != What::kBytes) {
            if (tunnel_ && got.what == What::kEnd) {
                half_closed_ = true;
                request_body_ = Body();
            } else {
                state_ = State::kBroken;
            }
            return true;
        }
        bytes = got.bytes;
    }
    touch();
    const Body::Step step = forward(request_body_, bytes, upstream_->stream);
    if (kept)
        client_.received.erase(0, client_.received.size() - bytes.size());
    else
        client_.received.assign(bytes);
    const uint64_t limit = location_.options.max_body_bytes;
    if (step == Body::Step::kBroken)
        fail(400);
    else if (!tunnel_ && limit != 0 && request_body_.passed_bytes() > limit)
        fail(413);
    return true;
}

/// While an endpoint is busy with the request: what a client sends now begins its next one, and its
/// end is worth knowing.
bool Exchange::watch_client() {
    if (!watches_client()) return false;
    const auto got = client_.stream.read(site_.buffer);
    if (got.what == What::kBlocked) return false;
    if (got.what == What::kBytes) {
        client_.received.append(got.bytes);
    } else if (got.what == What::kEnd) {
        client_ended_ = true;
        touch();
    } else {
        state_ = State::kBroken;
    }
    return true;
}

bool Exchange::watches_client() const {
    return state_ == State::kRunning && request_body_.done() && !tunnel_ && !client_ended_ &&
           client_.received.size() < kReadAhead;
}

/// For another endpoint.
void Exchange::keep(std::string_view sent) {
    body_kept_ = body_kept_ && !response_begun_ && sent_body_.size() + sent.size() <= kKeptBody;
    if (body_kept_)
        sent_body_.append(sent);
    else
        sent_body_ = std::string();
}

/// Bytes that need no new framing are sent from where they were read.
Body::Step Exchange::forward(Body& body, std::string_view& bytes, Stream& to) {
    if (body.unchanged()) {
        const size_t count = body.take(bytes.size());
        if (&body == &request_body_) keep(bytes.substr(0, count));
        to.send(bytes.substr(0, count));
        bytes.remove_prefix(count);
        return body.done() ? Body::Step::kDone : Body::Step::kMore;
    }
    std::string framed;
    const Body::Step step = body.pass(bytes, framed);
    if (&body == &request_body_) keep(framed);
    to.send(framed);
    return step;
}

bool Exchange::receive_response() {
    if (!upstream_) return false;
    const size_t waited = client_.stream.waiting();
    client_.stream.flush();
    if (client_.stream.waiting() < waited) touch();  // It reads, however slowly.
    if (!upstream_->connected || client_.stream.waiting() > kHighWater) return false;
    const auto got = upstream_->stream.read(site_.buffer);
    if (got.what == What::kBlocked) return false;
    touch();
    if (got.what == What::kBytes)
        received(got.bytes);
    else
        upstream_ended(got.what == What::kEnd);
    return true;
}

void Exchange::received(std::string_view bytes) {
    std::string held;  // What `bytes` points into, if the head came in pieces.
    while (!response_begun_ && !bytes.empty() && state_ == State::kRunning)
        received_head(held, bytes);
    if (!response_begun_ || state_ != State::kRunning) return;
    const Body::Step step = forward(response_body_, bytes, client_.stream);
    if (step == Body::Step::kBroken) {
        state_ = State::kBroken;
    } else if (step == Body::Step::kDone || response_body_.done()) {
        endpoint_stays_ = endpoint_stays_ && bytes.empty();
        finish();
    }
}

void Exchange::received_head(std::string& held, std::string_view& bytes) {
    if (!response_text_.empty()) {
        response_text_.append(bytes);
        held = std::exchange(response_text_, {});
        bytes = held;
    }
    const size_t size = find_response_head(bytes);
    if (size == 0 && bytes.size() <= kMaxResponseHead) {
        response_text_ = std::string(bytes);
        bytes = {};
        return;
    }
    const auto parsed =
        size == 0 || size > kMaxResponseHead
            ? std::variant<ResponseHead, std::string_view>("the head is too long")
            : read_response(bytes.substr(0, size), client_.request.head.method == "HEAD");
    if (const auto* why = std::get_if<std::string_view>(&parsed)) {
        log_debug("ingress", "an endpoint answered nonsense",
                  {{"endpoint", cat(this_try().endpoint.address, ':', this_try().endpoint.port)},
                   {"why", std::string(*why)}});
        return fail(502);
    }
    use_head(std::get<ResponseHead>(parsed));
    bytes.remove_prefix(size);
}

void Exchange::use_head(const ResponseHead& head) {
    const int minor_version = client_.request.head.minor_version;
    if (head.interim()) {
        // 100 was the proxy's to say; HTTP/1.0 knows no others.
        if (head.status != 100 && minor_version == 1)
            client_.stream.send(client_head(head, {Framing::kNone, 1, true}));
        return;
    }
    this_try().status = head.status;
    if (head.status == 101 && (client_.request.upgrade.empty() || !request_body_.done()))
        return fail(502);
    response_begun_ = true;
    status_ = head.status;
    endpoint_stays_ = head.keep_alive;
    if (head.status == 101) {
        tunnel_ = true;
        endpoint_stays_ = false;
        request_body_ = response_body_ = Body(Framing::kUntilClose, 0, Framing::kUntilClose);
        client_.stream.queue(
            client_head(head, {Framing::kNone, 1, false, client_.door == Door::kHttps}));
        return;
    }
    // A client whose body is not wanted any more cannot say where its next request begins.
    const bool stays = client_.request.keep_alive && request_body_.done() && !site_.draining;
    ClientSide side = client_side(head, minor_version, stays);
    side.tls = client_.door == Door::kHttps;
    side.date = http_date(std::chrono::system_clock::now());
    client_stays_ = side.keep_alive;
    response_body_ = Body(head.framing, head.length_bytes, side.framing);
    client_.stream.queue(client_head(head, side));
}

void Exchange::upstream_ended(bool in_order) {
    if (!response_begun_) return lost(in_order);
    std::string last;
    if (!in_order || response_body_.end(last) != Body::Step::kDone) {
        client_.stream.flush();
        state_ = State::kBroken;
        return;
    }
    client_.stream.send(last);
    endpoint_stays_ = false;
    finish();
}

void Exchange::finish() {
    client_.stream.flush();
    if (endpoint_stays_ && request_body_.done() && !request_cut_ &&
        upstream_->stream.waiting() == 0)
        site_.upstreams.give_back(std::move(upstream_));
    upstream_.reset();
    client_stays_ = client_stays_ && request_body_.done() && !client_ended_;
    state_ = State::kDone;
}

bool Exchange::wants_client_input() const {
    return watches_client() ||
           (state_ == State::kRunning && upstream_ && upstream_->connected &&
            !request_body_.done() && !request_cut_ && upstream_->stream.waiting() <= kHighWater);
}

void Exchange::on_deadline() {
    if (client_ended_) {
        state_ = State::kBroken;
        return;
    }
    if (!upstream_ || !upstream_->connected) return next_endpoint(504);
    if (client_.stream.waiting() > 0 || tunnel_) {
        state_ = State::kBroken;
    } else if (!request_body_.done() && !request_cut_ && upstream_->stream.waiting() == 0) {
        fail(408);
    } else {
        fail(504);
    }
}

void Exchange::rearm() {
    if (upstream_) upstream_->stream.rearm(client_.stream.waiting() <= kHighWater);
}

}  // namespace kin::ingress
