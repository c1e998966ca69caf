#include "ingress/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "core/base/log.h"
#include "core/base/strings.h"

namespace kin::ingress {

namespace {
template <auto Free>
struct FreeWith {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};
using PkeyPtr = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, FreeWith<X509_free>>;
using BioPtr = std::unique_ptr<BIO, FreeWith<BIO_free_all>>;
void free_chain(STACK_OF(X509) * chain) { sk_X509_pop_free(chain, X509_free); }
using ChainPtr = std::unique_ptr<STACK_OF(X509), FreeWith<free_chain>>;

constexpr const char* kFakeName = "Kubernetes Ingress Controller Fake Certificate";
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
// Beyond it, those that no table names are looked for and let go.
constexpr size_t kParsedKept = 256;

BioPtr reader(const std::string& text) {
    return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

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
}  // namespace

struct Tls::Parsed {
    std::shared_ptr<const Certificate> source;
    X509Ptr certificate;
    PkeyPtr key;
    ChainPtr chain;

    explicit Parsed(std::shared_ptr<const Certificate> from) : source(std::move(from)) {
        const BioPtr bio = reader(source->certificate_pem);
        certificate.reset(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
        key.reset(
            PEM_read_bio_PrivateKey(reader(source->key_pem).get(), nullptr, nullptr, nullptr));
        chain.reset(sk_X509_new_null());
        while (X509* link = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr))
            sk_X509_push(chain.get(), link);
        ERR_clear_error();  // The end of the text is an error to OpenSSL.
        if (certificate && key && X509_check_private_key(certificate.get(), key.get()) == 1) return;
        ERR_clear_error();
        log_warn("ingress", "a certificate cannot be used", {{"secret", source->secret}});
        certificate.reset();
    }
};

Tls::Tls() = default;
Tls::~Tls() { SSL_CTX_free(context_); }

Result<std::unique_ptr<Tls>> Tls::create() {
    std::unique_ptr<Tls> tls(new Tls());
    TRY_ASSIGN(const http::KeyPair ca, http::make_ca(kFakeName));
    TRY_ASSIGN(http::KeyPair pair,
               http::make_server_certificate(ca, kFakeName, {"DNS:ingress.local"}));
    tls->fake_ = std::make_shared<const Certificate>(
        Certificate{std::move(pair.certificate_pem), std::move(pair.key_pem), ""});
    SSL_CTX* const context = tls->context_ = SSL_CTX_new(TLS_server_method());
    if (!context) return Error(Errc::kSystem, "make TLS context");
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(context, kCiphers);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_IGNORE_UNEXPECTED_EOF |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE);
    // Writes are repeated from wherever the bytes then lie; idle connections keep no buffers.
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    // One system call for a record instead of two, for its head and its bytes.
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
    SSL_CTX_set_cert_cb(context, choose, tls.get());
    SSL_CTX_set_num_tickets(context, 1);
    // Tickets hold all that is needed; a cache would be memory that clients fill.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    return tls;
}

void Tls::set_routes(std::shared_ptr<const RouteTable> routes) {
    routes_ = std::move(routes);
    if (parsed_.size() <= kParsedKept) return;
    std::erase_if(parsed_, [](const auto& item) {
        return !item.second || item.second->source.use_count() == 1;
    });
}

const Tls::Parsed* Tls::find(const std::shared_ptr<const Certificate>& certificate) {
    auto& parsed = parsed_[certificate.get()];
    if (!parsed) parsed = std::make_unique<Parsed>(certificate);
    return parsed->certificate ? parsed.get() : nullptr;
}

int Tls::choose(SSL* ssl, void* self) {
    Tls& tls = *static_cast<Tls*>(self);
    const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    std::shared_ptr<const Certificate> wanted;
    if (name && tls.routes_) wanted = tls.routes_->certificate(name);
    const Parsed* parsed = wanted ? tls.find(wanted) : nullptr;
    if (!parsed) parsed = tls.find(tls.fake_);
    return parsed && SSL_use_cert_and_key(ssl, parsed->certificate.get(), parsed->key.get(),
                                          parsed->chain.get(), 1) == 1
               ? 1
               : 0;
}

Result<http::SslPtr> Tls::accept(int fd) {
    http::SslPtr ssl(SSL_new(context_));
    if (!ssl || SSL_set_fd(ssl.get(), fd) != 1) return Error(Errc::kSystem, "make TLS connection");
    SSL_set_accept_state(ssl.get());
    return ssl;
}

}  // namespace kin::ingress
