#include "ingress/stream.h"

#include <sys/socket.h>

namespace kin::ingress {

using Outcome = http::Transport::Outcome;
using Kind = Outcome::Kind;

namespace {
constexpr size_t kJoinBytes = 16u << 10;  // Copying so much is cheaper than another call.
constexpr size_t kKeptBytes = 4u << 10;   // What a connection keeps allocated when it is quiet.
}  // namespace

Stream::Stream(Loop& loop, UniqueFd fd, http::SslPtr ssl, std::function<void()> ready)
    : transport_(std::move(fd), std::move(ssl)),
      ready_(std::move(ready)),
      armed_(Readiness::kReadable),
      watch_(loop.watch(transport_.fd(), armed_, [this](int events) { on_events(events); })) {}

void Stream::on_events(int events) {
    if ((events & Readiness::kReadable) != 0) {
        readable_ = true;
        tls_wants_read_ = false;
        if (transport_.ssl()) write_blocked_ = false;
    }
    if ((events & Readiness::kWritable) != 0) {
        write_blocked_ = false;
        if (std::exchange(tls_wants_write_, false)) readable_ = true;
    }
    ready_();
}

Kind Stream::handshake() {
    const Outcome outcome = transport_.handshake();
    if (outcome.kind == Kind::kBlocked) {
        readable_ = false;
        tls_wants_write_ = outcome.wait == Outcome::Wait::kWritable;
    }
    // The client's first request often came along with the end of the handshake.
    if (outcome.kind == Kind::kDone) readable_ = true;
    return outcome.kind == Kind::kEnd ? Kind::kFailed : outcome.kind;
}

Stream::Got Stream::read(std::span<char> buffer) {
    if (!readable_) return {};
    const Outcome outcome = transport_.read(buffer.data(), buffer.size());
    switch (outcome.kind) {
        case Kind::kDone:
            // Of TLS more may be there that the kernel no longer knows about.
            if (outcome.bytes < buffer.size() &&
                !(transport_.ssl() && SSL_has_pending(transport_.ssl())))
                readable_ = false;
            return {Got::What::kBytes, {buffer.data(), outcome.bytes}};
        case Kind::kBlocked:
            readable_ = false;
            tls_wants_write_ = outcome.wait == Outcome::Wait::kWritable;
            return {};
        case Kind::kEnd:
            readable_ = false;
            return {Got::What::kEnd, {}};
        default:
            readable_ = false;
            return {Got::What::kFailed, {}};
    }
}

bool Stream::has_input() const {
    char byte = 0;
    return ::recv(transport_.fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
}

char Stream::peek() const {
    char byte = 0;
    return ::recv(transport_.fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1 ? byte : '\0';
}

void Stream::send_plain(std::string_view bytes) {
    // A close on unread bytes would be a reset, which can take the answer along.
    char unread[4096];
    while (::recv(transport_.fd(), unread, sizeof unread, MSG_DONTWAIT) > 0) {
    }
    (void)::send(transport_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    ::shutdown(transport_.fd(), SHUT_WR);
}

size_t Stream::write(std::string_view bytes) {
    size_t sent = 0;
    while (sent < bytes.size() && !write_blocked_ && !failed_) {
        const Outcome outcome = transport_.write(bytes.data() + sent, bytes.size() - sent);
        if (outcome.kind == Kind::kDone) {
            sent += outcome.bytes;
        } else if (outcome.kind == Kind::kBlocked) {
            write_blocked_ = true;
            tls_wants_read_ = outcome.wait == Outcome::Wait::kReadable;
        } else {
            failed_ = true;
        }
    }
    return sent;
}

void Stream::flush() {
    if (waiting() == 0 || write_blocked_ || failed_) return;
    sent_ += write(std::string_view(out_).substr(sent_));
    if (sent_ == out_.size()) {
        out_.clear();
        sent_ = 0;
        if (out_.capacity() > kKeptBytes) out_ = std::string();
    } else if (sent_ > out_.size() / 2) {
        out_.erase(0, sent_);
        sent_ = 0;
    }
}

void Stream::send(std::string_view bytes) {
    if (failed_) return;
    if (waiting() > 0 && (write_blocked_ || waiting() + bytes.size() <= kJoinBytes)) {
        out_.append(bytes);
        flush();
        return;
    }
    flush();
    const size_t sent = waiting() > 0 ? 0 : write(bytes);
    out_.append(bytes.substr(sent));
}

void Stream::rearm(bool wants_input) {
    int events = tls_wants_write_ || (write_blocked_ && !tls_wants_read_ && waiting() > 0)
                     ? Readiness::kWritable
                     : 0;
    // What is known to be there would wake the loop for ever.
    const bool listen =
        wants_input || tls_wants_read_ || (!readable_ && (armed_ & Readiness::kReadable) != 0);
    if (listen) events |= Readiness::kReadable;
    if (events == armed_) return;
    armed_ = events;
    watch_.set(events);
}

}  // namespace kin::ingress
