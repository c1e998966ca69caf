#include <gmock/gmock.h>
#include <openssl/x509.h>

#include "core/base/strings.h"
#include "proxy_fixture.h"

namespace kin::ingress::test {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

std::shared_ptr<const Certificate> certificate(const std::string& name) {
    const auto ca = http::make_ca("test");
    const auto pair = http::make_server_certificate(*ca, name, {"DNS:" + name});
    return std::make_shared<const Certificate>(
        Certificate{pair->certificate_pem, pair->key_pem, "shop/" + name});
}

std::string common_name(Wire& wire) {
    X509* const shown = SSL_get1_peer_certificate(wire.ssl());
    char name[256] = "";
    if (shown)
        X509_NAME_get_text_by_NID(X509_get_subject_name(shown), NID_commonName, name, sizeof name);
    X509_free(shown);
    return name;
}

TEST_F(ProxyTest, ShowsEachHostItsCertificate) {
    Backend backend(echo);
    const auto here = [&] { return std::vector{location("/", {backend.endpoint()})}; };
    const auto broken =
        std::make_shared<const Certificate>(Certificate{"no", "pem", "shop/broken"});
    routes({{"a.example.com", here(), certificate("a.example.com")},
            {"*.example.com", here(), certificate("*.example.com")},
            {"broken.example.org", here(), broken}});
    const auto shown = [&](const std::string& server_name) {
        Wire wire = Wire::to_tls_port(https_port_, server_name);
        return common_name(wire);
    };
    EXPECT_EQ(shown("a.example.com"), "a.example.com");
    EXPECT_EQ(shown("b.example.com"), "*.example.com");
    for (const char* name : {"", "example.net", "broken.example.org"})
        EXPECT_EQ(shown(name), "Kubernetes Ingress Controller Fake Certificate");
}

TEST_F(ProxyTest, ServesRequestsOverTlsAndSaysSo) {
    Backend backend(echo);
    route({location("/", {backend.endpoint()})}, certificate("shop"), "shop");
    Wire wire = Wire::to_tls_port(https_port_, "shop");
    for (int i = 0; i < 3; ++i) {
        wire.send(get("/"));
        EXPECT_THAT(wire.read_message(), AllOf(HasSubstr("X-Forwarded-Proto: https\r\n"),
                                               HasSubstr("X-Forwarded-Port: 443\r\n")));
    }
    EXPECT_THAT(ask(get("/")),
                AllOf(StartsWith("HTTP/1.1 308 "), HasSubstr("Location: https://shop/\r\n")));
    const std::string body(3u << 20, 'y');
    LocationOptions options;
    options.max_body_bytes = 0;
    route({location("/", {backend.endpoint()}, options)}, certificate("shop"), "shop");
    wire.send(cat("POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: ", body.size(), "\r\n\r\n"));
    wire.send(body);
    EXPECT_THAT(wire.read_message(), EndsWith("\r\n\r\n" + body));
}

TEST_F(ProxyTest, AReplacedCertificateIsShownInTheNextHandshake) {
    Backend backend(echo);
    route({location("/", {backend.endpoint()})}, certificate("old"), "shop");
    Wire before = Wire::to_tls_port(https_port_, "shop");
    EXPECT_EQ(common_name(before), "old");
    route({location("/", {backend.endpoint()})}, certificate("new"), "shop");
    Wire after = Wire::to_tls_port(https_port_, "shop");
    EXPECT_EQ(common_name(after), "new");
    before.send(get("/"));
    EXPECT_THAT(before.read_message(), StartsWith("HTTP/1.1 200 "));
}

class TlsVersionTest : public ProxyTest, public testing::WithParamInterface<int> {};

TEST_P(TlsVersionTest, ResumesSessions) {
    Backend backend(echo);
    route({location("/", {backend.endpoint()})}, certificate("shop"), "shop");
    SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(context, GetParam());
    SSL_CTX_set_max_proto_version(context, GetParam());
    Wire first = Wire::to_tls_port(https_port_, "shop", nullptr, context);
    EXPECT_EQ(SSL_version(first.ssl()), GetParam());
    EXPECT_FALSE(SSL_session_reused(first.ssl()));
    first.send(get("/"));
    first.read_message();  // Tickets of 1.3 come behind the handshake.
    SSL_SESSION* const session = SSL_get1_session(first.ssl());
    Wire second = Wire::to_tls_port(https_port_, "shop", session, context);
    EXPECT_TRUE(SSL_session_reused(second.ssl()));
    second.send(get("/"));
    EXPECT_THAT(second.read_message(), StartsWith("HTTP/1.1 200 "));
    SSL_SESSION_free(session);
    SSL_CTX_free(context);
}

INSTANTIATE_TEST_SUITE_P(Both, TlsVersionTest, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION));

TEST_F(ProxyTest, TellsWhoSpeaksPlainHttpToTheTlsPort) {
    route({});
    Wire wire = Wire::to_port(https_port_);
    wire.send("GET / HTTP/1.1\r\nHost: shop\r\n\r\n");
    EXPECT_THAT(wire.read_to_end(),
                AllOf(StartsWith("HTTP/1.1 400 Bad Request\r\n"),
                      HasSubstr("The plain HTTP request was sent to HTTPS port")));
}

TEST_F(ProxyTest, RefusesOldTls) {
    route({});
    SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
    Wire wire = Wire::to_port(https_port_);
    const http::SslPtr ssl(SSL_new(context));
    SSL_CTX_free(context);
    SSL_set_fd(ssl.get(), wire.fd());
    EXPECT_NE(SSL_connect(ssl.get()), 1);
}

}  // namespace
}  // namespace kin::ingress::test
