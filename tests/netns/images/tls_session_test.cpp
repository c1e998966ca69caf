#include "netns/images/tls_session.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <cstdio>

#include "core/base/strings.h"

namespace kin::images {
namespace {

/// A key and a certificate for "web" that it signed itself, as files that go with this object.
struct Files {
    const std::string certificate = cat(testing::TempDir(), "kin-tls-", ::getpid(), ".crt");
    const std::string key = cat(testing::TempDir(), "kin-tls-", ::getpid(), ".key");

    Files() {
        EVP_PKEY* pair = EVP_EC_gen("P-256");
        X509* x509 = X509_new();
        ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
        X509_gmtime_adj(X509_getm_notBefore(x509), 0);
        X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
        X509_set_pubkey(x509, pair);
        X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
                                   reinterpret_cast<const unsigned char*>("web"), -1, -1, 0);
        X509_set_issuer_name(x509, X509_get_subject_name(x509));
        X509_sign(x509, pair, EVP_sha256());
        if (FILE* file = std::fopen(certificate.c_str(), "w")) {
            PEM_write_X509(file, x509);
            std::fclose(file);
        }
        if (FILE* file = std::fopen(key.c_str(), "w")) {
            PEM_write_PrivateKey(file, pair, nullptr, nullptr, 0, nullptr, nullptr);
            std::fclose(file);
        }
        X509_free(x509);
        EVP_PKEY_free(pair);
    }
    ~Files() {
        ::unlink(certificate.c_str());
        ::unlink(key.c_str());
    }
};

/// OpenSSL as a client, without a socket.
class Client {
public:
    Client() {
        SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        SSL_set_connect_state(ssl_.get());
        SSL_do_handshake(ssl_.get());
    }
    std::string take() {
        std::string out(BIO_ctrl_pending(SSL_get_wbio(ssl_.get())), '\0');
        if (!out.empty()) {
            BIO_read(SSL_get_wbio(ssl_.get()), out.data(), static_cast<int>(out.size()));
        }
        return out;
    }
    /// What the server says in clear.
    std::string receive(const std::string& bytes) {
        BIO_write(SSL_get_rbio(ssl_.get()), bytes.data(), static_cast<int>(bytes.size()));
        char buffer[4096];
        std::string out;
        for (int got; (got = SSL_read(ssl_.get(), buffer, sizeof buffer)) > 0;) {
            out.append(buffer, static_cast<size_t>(got));
        }
        return out;
    }
    void say(std::string_view text) {
        SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()));
    }
    bool told_the_end() const {
        return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
    }
    void finish() { SSL_shutdown(ssl_.get()); }

private:
    std::shared_ptr<SSL_CTX> context_{SSL_CTX_new(TLS_client_method()), SSL_CTX_free};
    std::shared_ptr<SSL> ssl_{SSL_new(context_.get()), SSL_free};
};

class TlsSessionTest : public testing::Test {
protected:
    void SetUp() override {
        const auto identity = TlsIdentity::load(files_.certificate, files_.key);
        ASSERT_TRUE(identity) << identity.error().text();
        server_.emplace(*identity);
    }
    /// Carries bytes both ways until nobody has more; what the client heard in clear.
    std::string carry() {
        std::string heard;
        while (true) {
            const std::string up = client_.take();
            if (!up.empty()) goes_on_ = server_->receive(up, said_);
            const std::string down = std::exchange(server_->wire(), "");
            if (!down.empty()) heard += client_.receive(down);
            if (up.empty() && down.empty()) return heard;
        }
    }

    const Files files_;
    Client client_;
    std::optional<TlsSession> server_;
    std::string said_;
    bool goes_on_ = true;
};

TEST_F(TlsSessionTest, WhatIsSaidArrivesInClearAndIsSealedOnTheWire) {
    EXPECT_EQ(carry(), "");
    client_.say("GET / HTTP/1.1\r\n\r\n");
    carry();
    EXPECT_EQ(said_, "GET / HTTP/1.1\r\n\r\n");
    server_->send("the page");
    EXPECT_EQ(server_->wire().find("the page"), std::string::npos);
    EXPECT_EQ(carry(), "the page");
    EXPECT_TRUE(goes_on_);
}

TEST_F(TlsSessionTest, EachSideLearnsThatTheOtherHasFinished) {
    carry();
    server_->finish();
    carry();
    EXPECT_TRUE(client_.told_the_end());
    client_.finish();
    carry();
    EXPECT_FALSE(goes_on_);
}

TEST_F(TlsSessionTest, WhoSpeaksNoTlsIsToldSoAndLeft) {
    std::string plain;
    EXPECT_FALSE(server_->receive("GET / HTTP/1.1\r\n\r\n", plain));
    EXPECT_EQ(plain, "");
}

TEST_F(TlsSessionTest, FilesThatAreMissingOrDoNotBelongTogetherAreRefused) {
    EXPECT_FALSE(TlsIdentity::load("/nowhere", files_.key));
    const auto swapped = TlsIdentity::load(files_.certificate, files_.certificate);
    ASSERT_FALSE(swapped);
    EXPECT_NE(swapped.error().text().find("cannot load certificate key"), std::string::npos)
        << swapped.error().text();
}

}  // namespace
}  // namespace kin::images
