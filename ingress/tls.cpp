#include "ingress/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>

#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/http/openssl.h"

namespace kin::ingress {

namespace {
void free_chain(STACK_OF(X509) * chain) { sk_X509_pop_free(chain, X509_free); }
using http::BioPtr, http::ContextPtr, http::PkeyPtr, http::X509Ptr, http::reader;
using ChainPtr = std::unique_ptr<STACK_OF(X509), http::FreeWith<free_chain>>;

constexpr const char* kFakeName = "Kubernetes Ingress Controller Fake Certificate";
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned int offered_size, void*) {
    static constexpr unsigned char kHttp11[] = "\x08http/1.1";
    unsigned char* match = nullptr;
    if (SSL_select_next_proto(&match, chosen_size, kHttp11, sizeof kHttp11 - 1, offered,
                              offered_size) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *chosen = match;
    return SSL_TLSEXT_ERR_OK;
}

/// What holds for every handshake, whatever certificate is shown.
ContextPtr make_context() {
    ContextPtr context(SSL_CTX_new(TLS_server_method()));
    SSL_CTX* const raw = context.get();
    if (!raw) return nullptr;
    SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(raw, kCiphers);
    SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_CIPHER_SERVER_PREFERENCE);
    // Writes are repeated from wherever the bytes then lie; idle connections keep no buffers.
    SSL_CTX_set_mode(raw, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    // One system call for a record instead of two, for its head and its bytes.
    SSL_CTX_set_read_ahead(raw, 1);
    SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
    SSL_CTX_set_num_tickets(raw, 1);
    // Tickets hold all that is needed; a cache would be memory that clients fill.
    SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
    return context;
}

bool use(SSL_CTX* context, const Certificate& certificate) {
    const BioPtr bio = reader(certificate.certificate_pem);
    const X509Ptr leaf(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    const PkeyPtr key(
        PEM_read_bio_PrivateKey(reader(certificate.key_pem).get(), nullptr, nullptr, nullptr));
    const ChainPtr chain(sk_X509_new_null());
    while (X509* link = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr))
        sk_X509_push(chain.get(), link);
    ERR_clear_error();  // The end of the text is an error to OpenSSL.
    const bool used = leaf && key &&
                      SSL_CTX_use_cert_and_key(context, leaf.get(), key.get(), chain.get(), 1) == 1;
    ERR_clear_error();
    return used;
}
}  // namespace

/// A certificate made ready. A context for each, because to change a connection's context costs
/// less than to give it another certificate: 7 % of a whole handshake.
struct Tls::Shown {
    std::shared_ptr<const Certificate> source;
    ContextPtr context;  // nullptr: it cannot be used.

    explicit Shown(std::shared_ptr<const Certificate> from) : source(std::move(from)) {
        context = make_context();
        if (context && use(context.get(), *source)) return;
        log_warn("ingress", "a certificate cannot be used", {{"secret", source->secret}});
        context.reset();
    }
};

Tls::Tls() = default;
Tls::~Tls() { SSL_CTX_free(context_); }

Result<std::unique_ptr<Tls>> Tls::create() {
    std::unique_ptr<Tls> tls(new Tls());
    TRY_ASSIGN(const http::KeyPair ca, http::make_ca(kFakeName));
    TRY_ASSIGN(http::KeyPair pair,
               http::make_server_certificate(ca, kFakeName, {"DNS:ingress.local"}));
    const Certificate fake{std::move(pair.certificate_pem), std::move(pair.key_pem), ""};
    tls->context_ = make_context().release();
    if (!tls->context_ || !use(tls->context_, fake))
        return Error(Errc::kSystem, "make a TLS context");
    SSL_CTX_set_tlsext_servername_callback(tls->context_, choose);
    SSL_CTX_set_tlsext_servername_arg(tls->context_, tls.get());
    return tls;
}

void Tls::set_routes(std::shared_ptr<const RouteTable> routes) {
    routes_ = std::move(routes);
    if (shown_.size() <= sweep_at_) return;
    std::erase_if(shown_, [](const auto& item) { return item.second->source.use_count() == 1; });
    sweep_at_ = std::max(kShownKept, 2 * shown_.size());  // Looking for them costs all of them.
}

int Tls::choose(SSL* ssl, int*, void* self) {
    Tls& tls = *static_cast<Tls*>(self);
    const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (!name || !tls.routes_) return SSL_TLSEXT_ERR_OK;
    const auto wanted = tls.routes_->certificate(name);
    if (!wanted) return SSL_TLSEXT_ERR_OK;
    auto& shown = tls.shown_[wanted.get()];
    if (!shown) shown = std::make_unique<Shown>(wanted);
    if (shown->context) SSL_set_SSL_CTX(ssl, shown->context.get());
    return SSL_TLSEXT_ERR_OK;
}

Result<http::SslPtr> Tls::accept(int fd) {
    http::SslPtr ssl(SSL_new(context_));
    if (!ssl || SSL_set_fd(ssl.get(), fd) != 1) return Error(Errc::kSystem, "make TLS connection");
    SSL_set_accept_state(ssl.get());
    return ssl;
}

}  // namespace kin::ingress
