#include "netns/images/tls_session.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "core/base/strings.h"

namespace kin::images {
namespace {

Error openssl_error(std::string_view what) {
    char text[256] = "unknown";
    if (const unsigned long code = ERR_get_error()) ERR_error_string_n(code, text, sizeof text);
    ERR_clear_error();
    return Error(Errc::kInvalid, cat(what, ": ", text));
}

}  // namespace

Result<TlsIdentity> TlsIdentity::load(const std::string& certificate_file,
                                      const std::string& key_file) {
    std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
    if (!context) return openssl_error("TLS");
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    if (SSL_CTX_use_certificate_chain_file(context.get(), certificate_file.c_str()) != 1) {
        return openssl_error(cat("cannot load certificate \"", certificate_file, '"'));
    }
    if (SSL_CTX_use_PrivateKey_file(context.get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context.get()) != 1) {
        return openssl_error(cat("cannot load certificate key \"", key_file, '"'));
    }
    return TlsIdentity(std::move(context));
}

TlsSession::TlsSession(const TlsIdentity& identity)
    : ssl_(SSL_new(identity.context_.get()), SSL_free) {
    // The session owns both: what came from the wire, and what is to go there.
    SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(ssl_.get());
}

bool TlsSession::receive(std::string_view bytes, std::string& plain) {
    BIO_write(SSL_get_rbio(ssl_.get()), bytes.data(), static_cast<int>(bytes.size()));
    char buffer[16384];
    int length = 0;
    // Reading shakes hands first.
    while ((length = SSL_read(ssl_.get(), buffer, sizeof buffer)) > 0) {
        plain.append(buffer, static_cast<size_t>(length));
    }
    const bool goes_on = SSL_get_error(ssl_.get(), length) == SSL_ERROR_WANT_READ;
    ERR_clear_error();
    collect();
    return goes_on;
}

void TlsSession::send(std::string_view plain) {
    if (!plain.empty()) SSL_write(ssl_.get(), plain.data(), static_cast<int>(plain.size()));
    ERR_clear_error();
    collect();
}

void TlsSession::finish() {
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
    collect();
}

void TlsSession::collect() {
    BIO* const out = SSL_get_wbio(ssl_.get());
    const size_t before = wire_.size(), more = BIO_ctrl_pending(out);
    wire_.resize(before + more);
    if (more > 0) BIO_read(out, wire_.data() + before, static_cast<int>(more));
}

}  // namespace kin::images
