#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"

struct ssl_ctx_st;
struct ssl_st;

namespace kin::images {

/// A server's certificate with its key, ready for connections.
class TlsIdentity {
public:
    /// From files of PEM. kInvalid, in OpenSSL's words: one cannot be read, or they do not belong
    /// together.
    static Result<TlsIdentity> load(const std::string& certificate_file,
                                    const std::string& key_file);

private:
    friend class TlsSession;
    explicit TlsIdentity(std::shared_ptr<ssl_ctx_st> context) : context_(std::move(context)) {}
    std::shared_ptr<ssl_ctx_st> context_;
};

/// The server's end of one TLS connection, without a socket: bytes of the wire go in and come out.
class TlsSession {
public:
    explicit TlsSession(const TlsIdentity& identity);

    /// Takes what came; what it says in clear is added to `plain`. False: the connection is over,
    /// and what is in wire() is its last word.
    bool receive(std::string_view bytes, std::string& plain);
    /// What is to be said.
    void send(std::string_view plain);
    /// Says that nothing more will come.
    void finish();
    /// What is to go out; whoever sends it takes it off the front.
    std::string& wire() { return wire_; }

private:
    void collect();

    std::shared_ptr<ssl_st> ssl_;
    std::string wire_;
};

}  // namespace kin::images
