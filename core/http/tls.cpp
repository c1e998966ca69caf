#include "core/http/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "core/base/strings.h"
#include "core/http/openssl.h"

namespace kin::http {

namespace {
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, FreeWith<X509_EXTENSION_free>>;

/// The oldest complaint in OpenSSL's queue, which is emptied.
Error openssl_error(std::string_view what, Errc code = Errc::kSystem) {
    char text[256] = "unknown reason";
    if (const unsigned long number = ERR_get_error()) ERR_error_string_n(number, text, sizeof text);
    ERR_clear_error();
    return Error(code, cat(what, ": ", text));
}

std::string text_of(BIO* bio) {
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(bio, &bytes);
    return std::string(bytes, static_cast<size_t>(size));
}

Result<std::string> to_pem(EVP_PKEY* key) {
    const BioPtr bio(BIO_new(BIO_s_mem()));
    if (!PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr))
        return openssl_error("write private key");
    return text_of(bio.get());
}
Result<std::string> to_pem(X509* certificate) {
    const BioPtr bio(BIO_new(BIO_s_mem()));
    if (!PEM_write_bio_X509(bio.get(), certificate)) return openssl_error("write certificate");
    return text_of(bio.get());
}
Result<PkeyPtr> parse_key(const std::string& pem) {
    PkeyPtr key(PEM_read_bio_PrivateKey(reader(pem).get(), nullptr, nullptr, nullptr));
    if (!key) return openssl_error("read private key", Errc::kInvalid);
    return key;
}
Result<X509Ptr> parse_certificate(const std::string& pem) {
    X509Ptr certificate(PEM_read_bio_X509(reader(pem).get(), nullptr, nullptr, nullptr));
    if (!certificate) return openssl_error("read certificate", Errc::kInvalid);
    return certificate;
}

Result<PkeyPtr> generate_key() {
    PkeyPtr key(EVP_EC_gen("P-256"));
    if (!key) return openssl_error("make EC P-256 key");
    return key;
}

bool add_name(X509_NAME* name, const char* field, const std::string& value) {
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                      reinterpret_cast<const unsigned char*>(value.data()),
                                      static_cast<int>(value.size()), -1, 0) == 1;
}

bool add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX context{};
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
    return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

/// What makes one certificate differ from another.
struct Recipe {
    ClientCertificate subject;
    std::vector<std::pair<int, std::string>> extensions;  ///< NID and OpenSSL's text for it.
};

/// A certificate with a new key, self-signed if `ca` is null.
Result<KeyPair> make_certificate(const Recipe& recipe, const KeyPair* ca) {
    TRY_ASSIGN(const PkeyPtr key, generate_key());
    const X509Ptr certificate(X509_new());
    X509* const x509 = certificate.get();
    PkeyPtr ca_key;
    X509Ptr ca_certificate;
    if (ca) {
        TRY_ASSIGN(ca_key, parse_key(ca->key_pem));
        TRY_ASSIGN(ca_certificate, parse_certificate(ca->certificate_pem));
    }
    X509* const issuer = ca ? ca_certificate.get() : x509;

    constexpr long kTenYears = 3650L * 24 * 3600;
    // Begins an hour ago, for clients whose clock is a little behind.
    bool ok = X509_set_version(x509, X509_VERSION_3) &&
              X509_gmtime_adj(X509_getm_notBefore(x509), -3600) &&
              X509_gmtime_adj(X509_getm_notAfter(x509), kTenYears) &&
              X509_set_pubkey(x509, key.get()) &&
              BN_to_ASN1_INTEGER(std::unique_ptr<BIGNUM, FreeWith<BN_free>>([] {
                                     BIGNUM* number = BN_new();
                                     BN_rand(number, 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY);
                                     return number;
                                 }())
                                     .get(),
                                 X509_get_serialNumber(x509));
    X509_NAME* const name = X509_get_subject_name(x509);
    for (const std::string& organization : recipe.subject.organizations)
        ok = ok && add_name(name, "O", organization);
    ok = ok && add_name(name, "CN", recipe.subject.common_name) &&
         X509_set_issuer_name(x509, X509_get_subject_name(issuer));
    for (const auto& [nid, value] : recipe.extensions)
        ok = ok && add_extension(x509, issuer, nid, value);
    ok = ok && X509_sign(x509, ca ? ca_key.get() : key.get(), EVP_sha256()) > 0;
    if (!ok) return openssl_error(cat("make certificate ", recipe.subject.common_name));

    KeyPair pair;
    TRY_ASSIGN(pair.certificate_pem, to_pem(x509));
    TRY_ASSIGN(pair.key_pem, to_pem(key.get()));
    return pair;
}
}  // namespace

Result<KeyPair> make_ca(const std::string& common_name) {
    return make_certificate({{common_name, {}},
                             {{NID_basic_constraints, "critical,CA:TRUE"},
                              {NID_key_usage, "critical,keyCertSign,cRLSign,digitalSignature"},
                              {NID_subject_key_identifier, "hash"}}},
                            nullptr);
}

Result<KeyPair> make_server_certificate(const KeyPair& ca, const std::string& common_name,
                                        const std::vector<std::string>& names) {
    return make_certificate({{common_name, {}},
                             {{NID_basic_constraints, "critical,CA:FALSE"},
                              {NID_key_usage, "critical,digitalSignature"},
                              {NID_ext_key_usage, "serverAuth"},
                              {NID_authority_key_identifier, "keyid"},
                              {NID_subject_alt_name, join(names, ",")}}},
                            &ca);
}

Result<KeyPair> make_client_certificate(const KeyPair& ca, const ClientCertificate& subject) {
    return make_certificate({subject,
                             {{NID_basic_constraints, "critical,CA:FALSE"},
                              {NID_key_usage, "critical,digitalSignature"},
                              {NID_ext_key_usage, "clientAuth"},
                              {NID_authority_key_identifier, "keyid"}}},
                            &ca);
}

Result<std::string> make_private_key() {
    TRY_ASSIGN(const PkeyPtr key, generate_key());
    return to_pem(key.get());
}

namespace {
/// Chooses http/1.1 whenever the client offers it; without it goes on without ALPN, which every
/// client reads as HTTP/1.1.
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

Result<std::shared_ptr<const TlsContext>> TlsContext::create(const KeyPair& server,
                                                             const std::string& client_ca_pem) {
    ContextPtr context(SSL_CTX_new(TLS_server_method()));
    if (!context) return openssl_error("make TLS context");
    SSL_CTX* const raw = context.get();
    SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
    SSL_CTX_set_options(
        raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    // Writes are repeated from wherever the bytes then lie; idle connections keep no buffers.
    SSL_CTX_set_mode(raw, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
    // Without it, resumption of a session with a client certificate would be refused.
    static constexpr unsigned char kSessionContext[] = "kin";
    SSL_CTX_set_session_id_context(raw, kSessionContext, sizeof kSessionContext - 1);

    TRY_ASSIGN(const X509Ptr certificate, parse_certificate(server.certificate_pem));
    TRY_ASSIGN(const PkeyPtr key, parse_key(server.key_pem));
    if (SSL_CTX_use_certificate(raw, certificate.get()) != 1 ||
        SSL_CTX_use_PrivateKey(raw, key.get()) != 1 || SSL_CTX_check_private_key(raw) != 1)
        return openssl_error("use server certificate", Errc::kInvalid);
    if (!client_ca_pem.empty()) {
        TRY_ASSIGN(const X509Ptr client_ca, parse_certificate(client_ca_pem));
        if (X509_STORE_add_cert(SSL_CTX_get_cert_store(raw), client_ca.get()) != 1 ||
            SSL_CTX_add_client_CA(raw, client_ca.get()) != 1)
            return openssl_error("use client CA", Errc::kInvalid);
        SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nullptr);
    }
    return std::shared_ptr<const TlsContext>(new TlsContext(context.release()));
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

Result<SslPtr> TlsContext::accept(int fd) const {
    SslPtr ssl(SSL_new(context_));
    if (!ssl || SSL_set_fd(ssl.get(), fd) != 1) return openssl_error("make TLS connection");
    SSL_set_accept_state(ssl.get());
    return ssl;
}

std::optional<ClientCertificate> peer_certificate(const SSL* ssl) {
    const X509Ptr certificate(SSL_get1_peer_certificate(ssl));
    if (!certificate || SSL_get_verify_result(ssl) != X509_V_OK) return {};
    ClientCertificate subject;
    const X509_NAME* name = X509_get_subject_name(certificate.get());
    for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
        const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name, i);
        unsigned char* utf8 = nullptr;
        const int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(entry));
        if (size < 0) continue;
        std::string text(reinterpret_cast<const char*>(utf8), static_cast<size_t>(size));
        OPENSSL_free(utf8);
        const int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
        if (nid == NID_commonName) subject.common_name = std::move(text);
        if (nid == NID_organizationName) subject.organizations.push_back(std::move(text));
    }
    return subject;
}

}  // namespace kin::http
