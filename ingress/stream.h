#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "core/http/transport.h"
#include "core/loop/loop.h"

namespace kin::ingress {

/// A socket on the loop, plain or TLS: writes at once and keeps what the socket does not take.
///
/// `ready` is called when the socket may take or give more. Its owner then reads and sends what it
/// can and calls rearm() last. Watching is changed as rarely as possible, because each change costs
/// two system calls: a socket that nobody wants to read stays watched until it has something.
class Stream {
public:
    Stream(Loop& loop, UniqueFd fd, http::SslPtr ssl, std::function<void()> ready);

    /// TLS only. kDone, kBlocked or kFailed.
    http::Transport::Outcome::Kind handshake();

    struct Got {
        enum class What { kBytes, kBlocked, kEnd, kFailed };
        What what = What::kBlocked;
        std::string_view bytes;  ///< In `buffer`.
    };
    Got read(std::span<char> buffer);
    /// Whether read() may give something; after kBlocked not until `ready`.
    bool readable() const { return readable_; }
    /// Looks at the socket although it was not told to be ready: a byte or an end is there.
    bool has_input() const;
    /// The next byte of the socket itself, below TLS; '\0' if there is none yet.
    char peek() const;
    /// Past TLS, as much as the socket takes: for who does not speak it.
    void send_plain(std::string_view bytes);

    /// Keeps `bytes` for later: the next send() takes them along.
    void queue(std::string_view bytes) { out_.append(bytes); }
    /// Sends, after what waits. Failures show in failed().
    void send(std::string_view bytes);
    void flush();
    size_t waiting() const { return out_.size() - sent_; }
    bool failed() const { return failed_; }
    void shutdown_write() { transport_.shutdown_write(); }

    /// `wants_input`: be called when there is something to read.
    void rearm(bool wants_input);
    int fd() const { return transport_.fd(); }
    const SSL* ssl() const { return transport_.ssl(); }

private:
    void on_events(int events);
    /// How many of `bytes` the socket took.
    size_t write(std::string_view bytes);

    http::Transport transport_;
    std::function<void()> ready_;
    std::string out_;
    size_t sent_ = 0;  // Of out_.
    bool readable_ = false;
    bool write_blocked_ = false;
    bool failed_ = false;
    bool tls_wants_write_ = false, tls_wants_read_ = false;  // The other way round than asked.
    int armed_ = 0;
    Watch watch_;
};

}  // namespace kin::ingress
