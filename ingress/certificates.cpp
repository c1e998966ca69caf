#include "ingress/certificates.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "core/base/strings.h"
#include "core/http/openssl.h"

namespace kin::ingress {

namespace {
using http::BioPtr, http::PkeyPtr, http::X509Ptr, http::reader;

/// A key that is locked by a passphrase is none: nobody is there to be asked for it.
int no_passphrase(char*, int, int, void*) { return 0; }

X509Ptr parse_certificate(const std::string& pem) {
    X509Ptr out(PEM_read_bio_X509(reader(pem).get(), nullptr, no_passphrase, nullptr));
    ERR_clear_error();
    return out;
}

Result<std::string> text_of(const Secret& secret, std::string_view name) {
    const Json* encoded = find(*secret.object, {"data", name});
    const auto text = encoded && encoded->is_string()
                          ? base64_decode(encoded->get_ref<const std::string&>())
                          : std::nullopt;
    if (!text || text->empty()) return Error(Errc::kInvalid, cat("it has no ", name));
    return *text;
}
}  // namespace

Result<Certificate> read_certificate(const Secret& secret) {
    Certificate out;
    out.secret = secret.key().to_string();
    TRY_ASSIGN(out.certificate_pem, text_of(secret, "tls.crt"));
    TRY_ASSIGN(out.key_pem, text_of(secret, "tls.key"));
    const X509Ptr certificate = parse_certificate(out.certificate_pem);
    if (!certificate) return Error(Errc::kInvalid, "its tls.crt is no certificate in PEM");
    const PkeyPtr key(
        PEM_read_bio_PrivateKey(reader(out.key_pem).get(), nullptr, no_passphrase, nullptr));
    const bool fits = key && X509_check_private_key(certificate.get(), key.get()) == 1;
    ERR_clear_error();
    if (!key) return Error(Errc::kInvalid, "its tls.key is no private key in PEM");
    if (!fits) return Error(Errc::kInvalid, "its tls.key does not belong to its tls.crt");
    return out;
}

bool covers(const Certificate& certificate, const std::string& host) {
    const X509Ptr parsed = parse_certificate(certificate.certificate_pem);
    return parsed && X509_check_host(parsed.get(), host.data(), host.size(), 0, nullptr) == 1;
}

Result<std::shared_ptr<const Certificate>> Certificates::read(const Secret& secret) {
    Entry& entry = entries_[secret.key()];
    if (entry.revision != secret.meta.revision || (!entry.certificate && entry.why.empty())) {
        auto read = read_certificate(secret);
        entry.revision = secret.meta.revision;
        const bool same = read && entry.certificate &&
                          entry.certificate->certificate_pem == read->certificate_pem &&
                          entry.certificate->key_pem == read->key_pem;
        if (!same) {
            entry.why = read ? "" : read.error().text();
            entry.certificate =
                read ? std::make_shared<const Certificate>(std::move(*read)) : nullptr;
        }
    }
    if (!entry.certificate) return Error(Errc::kInvalid, entry.why);
    return entry.certificate;
}

}  // namespace kin::ingress
