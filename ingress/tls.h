#pragma once

#include <map>
#include <memory>
#include <set>

#include "core/base/result.h"
#include "core/http/tls.h"
#include "ingress/route_table.h"

namespace kin::ingress {

/// The server's side of TLS for all hosts: 1.2 and 1.3 with AEAD ciphers, ALPN http/1.1, sessions
/// resumed by tickets. Which certificate is shown is decided in each handshake, by the routes of
/// that moment. Owned by the data loop.
class Tls {
public:
    /// Makes the certificate that is shown where no other fits, "Kubernetes Ingress Controller Fake
    /// Certificate".
    static Result<std::unique_ptr<Tls>> create();
    ~Tls();

    /// For handshakes from now on. Certificates stay parsed while a table names them.
    void set_routes(std::shared_ptr<const RouteTable> routes);
    Result<http::SslPtr> accept(int fd);

private:
    struct Parsed;
    Tls();
    static int choose(SSL* ssl, void* self);
    const Parsed* find(const std::shared_ptr<const Certificate>& certificate);

    SSL_CTX* context_ = nullptr;
    std::shared_ptr<const Certificate> fake_;
    std::shared_ptr<const RouteTable> routes_;
    // By what they were parsed from, which each Parsed keeps alive; broken ones are kept empty.
    std::map<const Certificate*, std::unique_ptr<Parsed>> parsed_;
};

}  // namespace kin::ingress
