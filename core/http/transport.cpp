#include "core/http/transport.h"

#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <climits>

namespace kin::http {

using Kind = Transport::Outcome::Kind;
using Wait = Transport::Outcome::Wait;

namespace {
int ssl_size(size_t size) { return static_cast<int>(std::min<size_t>(size, INT_MAX)); }
}  // namespace

Transport::~Transport() = default;

Transport::Outcome Transport::after_ssl(int result) {
    if (result > 0) return {Kind::kDone, static_cast<size_t>(result), Wait::kReadable};
    switch (SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_WANT_READ:
            return {Kind::kBlocked, 0, Wait::kReadable};
        case SSL_ERROR_WANT_WRITE:
            return {Kind::kBlocked, 0, Wait::kWritable};
        case SSL_ERROR_ZERO_RETURN:
            return {Kind::kEnd, 0, Wait::kReadable};
        default:
            ssl_failed_ = true;
            ERR_clear_error();
            return {};
    }
}

Transport::Outcome Transport::handshake() {
    if (!ssl_) return {Kind::kDone, 0, Wait::kReadable};
    ERR_clear_error();
    return after_ssl(SSL_do_handshake(ssl_.get()));
}

Transport::Outcome Transport::read(char* buffer, size_t size) {
    if (ssl_) {
        ERR_clear_error();
        return after_ssl(SSL_read(ssl_.get(), buffer, ssl_size(size)));
    }
    ssize_t got = 0;
    do {
        got = ::recv(fd_.get(), buffer, size, 0);
    } while (got < 0 && errno == EINTR);
    if (got > 0) return {Kind::kDone, static_cast<size_t>(got), Wait::kReadable};
    if (got == 0) return {Kind::kEnd, 0, Wait::kReadable};
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {Kind::kBlocked, 0, Wait::kReadable};
    return {};
}

Transport::Outcome Transport::write(const char* bytes, size_t size) {
    if (ssl_) {
        ERR_clear_error();
        return after_ssl(SSL_write(ssl_.get(), bytes, ssl_size(size)));
    }
    ssize_t sent = 0;
    do {
        sent = ::send(fd_.get(), bytes, size, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent >= 0) return {Kind::kDone, static_cast<size_t>(sent), Wait::kReadable};
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {Kind::kBlocked, 0, Wait::kWritable};
    return {};
}

void Transport::shutdown_write() {
    // The close_notify may be lost if the socket is full: then the peer sees only TCP's end.
    if (ssl_ && !ssl_failed_ && SSL_is_init_finished(ssl_.get())) {
        ERR_clear_error();
        if (SSL_shutdown(ssl_.get()) < 0) ERR_clear_error();
    }
    ::shutdown(fd_.get(), SHUT_WR);
}

}  // namespace kin::http
