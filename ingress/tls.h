#pragma once

#include <map>
#include <memory>

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

    /// For handshakes from now on. Certificates stay ready while a table names them.
    void set_routes(std::shared_ptr<const RouteTable> routes);
    Result<http::SslPtr> accept(int fd);

private:
    struct Shown;
    Tls();
    static int choose(SSL* ssl, int* alert, void* self);

    SSL_CTX* context_ = nullptr;  // Shows the fake one, unless choose() finds a better.
    std::shared_ptr<const RouteTable> routes_;
    // By what they were made of, which each keeps alive.
    std::map<const Certificate*, std::unique_ptr<Shown>> shown_;
    // Beyond so many, those that no table names are looked for and let go.
    static constexpr size_t kShownKept = 256;
    size_t sweep_at_ = kShownKept;
};

}  // namespace kin::ingress
