#include "ingress/connection.h"

#include <algorithm>

#include "core/base/strings.h"

namespace kin::ingress {

using Clock = std::chrono::steady_clock;
using What = Stream::Got::What;
using http::Refusal;

namespace {
// What one connection may have waiting before its next request is looked at.
constexpr size_t kMaxWaiting = 64u << 10;
constexpr size_t kKeptBytes = 4u << 10;

/// A client's own id, if it is one that can be passed on.
bool is_request_id(std::string_view id) { return !id.empty() && id.size() <= 128; }
}  // namespace

Connection::Connection(Site& site, Door door, UniqueFd fd, http::SslPtr ssl, std::string address)
    : site_(site),
      door_(door),
      address_(std::move(address)),
      stream_(site.loop, std::move(fd), std::move(ssl), [this] { turn(); }) {
    if (stream_.ssl())
        enter(Phase::kHandshake, site.patience.handshake);
    else
        enter(Phase::kRequest, site.patience.idle);
}

void Connection::start(List& list, List::iterator self) {
    list_ = &list;
    self_ = self;
}

void Connection::enter(Phase phase, std::chrono::milliseconds patience) {
    phase_ = phase;
    deadline_ = Clock::now() + patience;
}

void Connection::turn() {
    // What happens within a turn is seen by that turn.
    if (std::exchange(turning_, true)) return;
    while (step() == Step::kAgain) {
    }
    turning_ = false;
    if (stream_.failed() && phase_ != Phase::kOver) {
        if (exchange_) record_.status = exchange_->status();
        if (phase_ == Phase::kExchange) request_over(false);
        phase_ = Phase::kOver;
    }
    if (phase_ == Phase::kOver)
        list_->erase(self_);  // Ends this object.
    else
        rearm();
}

void Connection::rearm() {
    bool wants_input = phase_ != Phase::kClosing;
    if (phase_ == Phase::kRequest) wants_input = stream_.waiting() <= kMaxWaiting;
    if (phase_ == Phase::kExchange) {
        wants_input = exchange_->wants_client_input();
        exchange_->rearm();
    }
    stream_.rearm(wants_input);
}

Connection::Step Connection::step() {
    switch (phase_) {
        case Phase::kHandshake:
            return shake_hands();
        case Phase::kRequest:
            stream_.flush();
            if (stream_.waiting() > kMaxWaiting) return Step::kWait;
            return take_request();
        case Phase::kExchange:
            return exchange();
        case Phase::kClosing:
            stream_.flush();
            if (stream_.waiting() > 0 && !stream_.failed()) return Step::kWait;
            if (silent_) {
                phase_ = Phase::kOver;
                return Step::kWait;
            }
            stream_.shutdown_write();
            enter(Phase::kLingering, site_.patience.linger);
            return Step::kAgain;
        case Phase::kLingering:
            linger();
            return Step::kWait;
        case Phase::kOver:
            break;
    }
    return Step::kWait;
}

Connection::Step Connection::shake_hands() {
    using Kind = http::Transport::Outcome::Kind;
    // The first byte of a handshake is 22, that of a request a letter.
    if (!std::exchange(spoken_, true) && stream_.peek() >= 'A') {
        stream_.send_plain(plain_http_page());
        phase_ = Phase::kOver;
        return Step::kWait;
    }
    const Kind kind = stream_.handshake();
    if (kind == Kind::kBlocked) return Step::kWait;
    enter(kind == Kind::kDone ? Phase::kRequest : Phase::kOver, site_.patience.idle);
    return kind == Kind::kDone ? Step::kAgain : Step::kWait;
}

/// A close on unread bytes would be a reset, which can take the last answer from the client.
void Connection::linger() {
    while (true) {
        const auto got = stream_.read(site_.buffer);
        if (got.what == What::kBlocked) return;
        if (got.what == What::kBytes) continue;
        phase_ = Phase::kOver;
        return;
    }
}

Connection::Step Connection::read_more() {
    const auto got = stream_.read(site_.buffer);
    if (got.what == What::kBlocked) return Step::kWait;
    if (got.what != What::kBytes) {
        phase_ = Phase::kOver;
        return Step::kWait;
    }
    if (received_.empty()) enter(Phase::kRequest, site_.patience.head);
    received_.append(got.bytes);
    return Step::kAgain;
}

Connection::Step Connection::take_request() {
    while (received_.starts_with("\r\n")) received_.erase(0, 2);  // Left over by old clients.
    if (received_.empty()) return read_more();
    const auto end = http::find_head_end(received_, kHeadLimits);
    const auto* size = std::get_if<size_t>(&end);
    if (size && *size == 0) return read_more();
    record_ = AccessRecord();
    record_.client = address_;
    record_.began = Clock::now();
    routes_ = site_.routes;
    if (!size) {
        head_text_ = std::exchange(received_, {});
        remember_request();
        answer(std::get<Refusal>(end).status, "", false);
        return Step::kAgain;
    }
    head_text_.assign(received_, 0, *size);
    received_.erase(0, *size);
    auto parsed = read_request(head_text_);
    if (auto* request = std::get_if<ProxyRequest>(&parsed)) request_ = std::move(*request);
    remember_request();
    if (request_)
        serve();
    else
        answer(std::get<Refusal>(parsed).status, "", false);
    return Step::kAgain;
}

void Connection::remember_request() {
    const std::string_view text = head_text_;
    record_.request_bytes = text.size();
    record_.request = text.substr(0, std::min<size_t>(text.find_first_of("\r\n"), 8192));
    std::string_view id;
    if (request_) {
        record_.method = request_->head.method;
        record_.host = request_->target.host_name;
        record_.referer = first_of(request_->head.fields, Field::kReferer);
        record_.user_agent = first_of(request_->head.fields, Field::kUserAgent);
        id = first_of(request_->head.fields, Field::kXRequestId);
    }
    request_id_ = is_request_id(id) ? std::string(id) : site_.make_request_id();
    record_.request_id = request_id_;
}

void Connection::serve() {
    if (door_ == Door::kStatus) return answer_status();
    Decision decision = decide(*routes_, *request_, door_, site_.published);
    if (decision.location) {
        record_.backend = decision.location->backend->name;
        record_.ingress = decision.location->ingress;
        record_.path = decision.location->path;
    }
    // A body that nobody reads leaves no way to tell where the next request begins.
    const bool stays = request_->keep_alive && request_->framing == Framing::kNone;
    if (decision.status != 0) return answer(decision.status, decision.redirect, stays);
    std::string head = endpoint_head(*request_, decision.target, {address_, door_, request_id_});
    phase_ = Phase::kExchange;
    exchange_ = std::make_unique<Exchange>(
        site_, Exchange::Client{stream_, received_, *request_, door_, record_}, decision,
        std::move(head), [this] { turn(); });
}

void Connection::answer(int status, const std::string& redirect, bool keep_alive) {
    keep_alive = keep_alive && !site_.draining;
    const Page page{.status = status,
                    .redirect = redirect,
                    .keep_alive = keep_alive,
                    .head_only = request_ && request_->head.method == "HEAD",
                    .tls = door_ == Door::kHttps};
    stream_.queue(to_text(page));
    record_.status = status;
    record_.body_bytes = body_bytes(page);
    request_over(keep_alive);
}

void Connection::answer_status() {
    const std::string text = site_.status ? site_.status(request_->target.path) : "";
    const bool stays = request_->keep_alive && request_->framing == Framing::kNone;
    if (text.empty()) return answer(404, "", stays);
    stream_.queue(cat("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n",
                      "Content-Length: ", text.size(),
                      "\r\nConnection: ", stays ? "keep-alive" : "close", "\r\n\r\n"));
    if (request_->head.method != "HEAD") stream_.queue(text);
    record_.status = 200;
    request_over(stays);
}

Connection::Step Connection::exchange() {
    using State = Exchange::State;
    switch (exchange_->pump()) {
        case State::kRunning:
            return Step::kWait;
        case State::kAnswer:
            answer(exchange_->status(), "", exchange_->client_stays());
            return Step::kAgain;
        case State::kDone:
            record_.status = exchange_->status();
            request_over(exchange_->client_stays());
            return Step::kAgain;
        case State::kBroken:
            // nginx's number for a client that went away before it was answered.
            record_.status = exchange_->status() == 0 ? 499 : exchange_->status();
            request_over(false);
            phase_ = Phase::kOver;
            return Step::kWait;
    }
    return Step::kWait;
}

/// Nothing more can come from the client than its end: it can be closed on without a reset.
bool Connection::said_all() const {
    if (!request_ || request_->keep_alive || !received_.empty() || stream_.ssl()) return false;
    return exchange_ ? exchange_->request_ended() : request_->framing == Framing::kNone;
}

void Connection::request_over(bool keep_alive) {
    silent_ = said_all();
    if (site_.record && door_ != Door::kStatus) site_.record(record_);
    exchange_.reset();
    request_.reset();
    routes_.reset();
    record_ = AccessRecord();
    // An idle connection keeps no memory of a large request.
    if (head_text_.capacity() > kKeptBytes) head_text_ = std::string();
    if (received_.empty() && received_.capacity() > kKeptBytes) received_ = std::string();
    if (!keep_alive) return enter(Phase::kClosing, site_.patience.send);
    enter(Phase::kRequest, received_.empty() ? site_.patience.idle : site_.patience.head);
    if (site_.draining && received_.empty()) enter(Phase::kClosing, site_.patience.send);
}

void Connection::check(Clock::time_point now) {
    if (phase_ == Phase::kExchange) {
        if (now < exchange_->deadline()) return;
        exchange_->on_deadline();
        return turn();
    }
    if (now < deadline_) return;
    if (phase_ == Phase::kRequest && !received_.empty() && stream_.waiting() == 0) {
        record_.client = address_;
        record_.began = now;
        head_text_ = std::exchange(received_, {});
        remember_request();
        answer(408, "", false);
    } else {
        phase_ = Phase::kOver;
    }
    turn();
}

void Connection::drain() {
    if (idle()) {
        enter(Phase::kClosing, site_.patience.send);
        turn();
    }
}

}  // namespace kin::ingress
