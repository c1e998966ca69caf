#pragma once

#include <cstddef>

#include "core/base/unique_fd.h"
#include "core/http/tls.h"

namespace kin::http {

/// A connected, non-blocking socket, with TLS or without. Owned by one thread at a time.
class Transport {
public:
    struct Outcome {
        /// kBlocked: nothing happened; try again when the socket is ready for `wait`.
        /// kEnd: the peer has closed in order (reading only). kFailed: the connection is dead.
        enum class Kind { kDone, kBlocked, kEnd, kFailed };
        enum class Wait { kReadable, kWritable };
        Kind kind = Kind::kFailed;
        size_t bytes = 0;
        Wait wait = Wait::kReadable;
    };

    /// `ssl` is null for a plain connection, else on the same descriptor.
    Transport(UniqueFd fd, SslPtr ssl) : fd_(std::move(fd)), ssl_(std::move(ssl)) {}
    ~Transport();
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;

    /// TLS only; done at once for a plain connection.
    Outcome handshake();
    Outcome read(char* buffer, size_t size);
    /// May take fewer bytes than given. After kBlocked, the same bytes (and more) must be offered
    /// next; they may lie elsewhere.
    Outcome write(const char* bytes, size_t size);
    /// Tells the peer that nothing more comes.
    void shutdown_write();

    int fd() const { return fd_.get(); }
    const SSL* ssl() const { return ssl_.get(); }

private:
    Outcome after_ssl(int result);

    UniqueFd fd_;
    SslPtr ssl_;  // After fd_: ends first, while its descriptor is still open.
    bool ssl_failed_ = false;
};

}  // namespace kin::http
