#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/http/message.h"

namespace kin::http {

/// A certificate and its private key, both PEM. Whoever stores the key does so with mode 0600.
struct KeyPair {
    std::string certificate_pem;
    std::string key_pem;
};

/// Makes a self-signed certificate authority (EC P-256), good for ten years.
Result<KeyPair> make_ca(const std::string& common_name);
/// Makes a server certificate signed by `ca`; each name is "DNS:localhost" or "IP:127.0.0.1".
Result<KeyPair> make_server_certificate(const KeyPair& ca, const std::string& common_name,
                                        const std::vector<std::string>& names);
/// Makes a client certificate: Kubernetes reads CN as the user and each O as a group.
Result<KeyPair> make_client_certificate(const KeyPair& ca, const ClientCertificate& subject);
/// Makes a fresh EC P-256 private key, PEM: for signing service account tokens.
Result<std::string> make_private_key();

struct FreeSsl {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using SslPtr = std::unique_ptr<SSL, FreeSsl>;

/// What a TLS listener shows and accepts: TLS 1.2 and 1.3, ALPN http/1.1. Immutable, shared by
/// all connections; thread-safe.
class TlsContext {
public:
    /// Clients may show a certificate; then it must be signed by `client_ca_pem` (if not empty),
    /// or the handshake fails. Fails with kInvalid if a PEM is broken or does not fit its key.
    static Result<std::shared_ptr<const TlsContext>> create(const KeyPair& server,
                                                            const std::string& client_ca_pem);
    ~TlsContext();

    /// The server's side of a connection on `fd`, which stays the caller's.
    Result<SslPtr> accept(int fd) const;

private:
    explicit TlsContext(SSL_CTX* context) : context_(context) {}
    SSL_CTX* const context_;
};

/// The subject of the certificate that the peer showed, if it showed one. After the handshake.
std::optional<ClientCertificate> peer_certificate(const SSL* ssl);

}  // namespace kin::http
