#include "core/http/tls.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdio>
#include <fstream>

#include "core/base/strings.h"
#include "core/http/server.h"
#include "core/loop/loop.h"
#include "raw_client.h"

namespace kin::http {
namespace {

std::string output_of(const std::string& command) {
    std::string output;
    std::FILE* pipe = ::popen(command.c_str(), "r");
    if (!pipe) return output;
    char buffer[4096];
    while (const size_t got = std::fread(buffer, 1, sizeof buffer, pipe))
        output.append(buffer, got);
    ::pclose(pipe);
    return output;
}

/// A server behind TLS that says who the client is, with curl as the client.
class TlsTest : public testing::Test {
protected:
    void SetUp() override {
        if (output_of("curl --version 2>/dev/null").empty()) GTEST_SKIP() << "there is no curl";
        ca_ = *make_ca("kin-ca");
        const auto server_pair =
            make_server_certificate(ca_, "kin", {"DNS:localhost", "IP:127.0.0.1"});
        ASSERT_TRUE(server_pair) << server_pair.error().text();
        auto context = TlsContext::create(*server_pair, ca_.certificate_pem);
        ASSERT_TRUE(context) << context.error().text();
        auto server = Server::create(
            {.workers = 2},
            [this](Request& request, Responder& responder) { serve(request, responder); });
        ASSERT_TRUE(server);
        server_ = std::move(*server);
        port_ = *server_->listen_tls(0, *context);
        write("ca.pem", ca_.certificate_pem);
    }
    void serve(Request& request, Responder& responder) {
        if (request.raw_path == "/stream") {
            loop_.post([this, shared = responder.stream(Response(200, "text/plain"))]() mutable {
                shared->start(loop_, {}, [](const std::string&) {});
                for (int i = 0; i < 5; ++i) shared->write(std::string(300'000, 's'));
                shared->finish();
            });
            return;
        }
        const auto& certificate = request.peer.certificate;
        std::string who = "nobody";
        if (certificate)
            who = cat(certificate->common_name, " of ", join(certificate->organizations, "+"));
        responder.send(Response(200, "", cat(who, " ", request.body.size())));
    }
    void write(const std::string& name, const std::string& text) {
        std::ofstream(folder_.file(name)) << text;
    }
    std::string curl(const std::string& options, const std::string& path = "/") {
        return output_of(cat("curl -sS --max-time 20 --cacert ", folder_.file("ca.pem"), ' ',
                             options, " https://127.0.0.1:", port_, path, " 2>&1"));
    }
    std::string show_certificate(const KeyPair& pair) {
        write("client.pem", pair.certificate_pem);
        write("client.key", pair.key_pem);
        return cat("--cert ", folder_.file("client.pem"), " --key ", folder_.file("client.key"));
    }

    const test::TemporaryFolder folder_;
    KeyPair ca_;
    Loop loop_{"kin-streams"};
    std::unique_ptr<Server> server_;
    uint16_t port_ = 0;
};

TEST_F(TlsTest, TheCertificateFitsBothOfItsNames) {
    EXPECT_EQ(curl("--tlsv1.3"), "nobody 0");
    EXPECT_EQ(curl("--tls-max 1.2"), "nobody 0");
    EXPECT_EQ(output_of(cat("curl -sS --cacert ", folder_.file("ca.pem"),
                            " https://localhost:", port_, "/ -4")),
              "nobody 0");
}

TEST_F(TlsTest, AClientCertificateNamesUserAndGroups) {
    const auto client = make_client_certificate(ca_, {"admin", {"system:masters", "dev"}});
    ASSERT_TRUE(client) << client.error().text();
    EXPECT_EQ(curl(show_certificate(*client)), "admin of system:masters+dev 0");
    EXPECT_EQ(curl(show_certificate(*client) + " --tls-max 1.2"), "admin of system:masters+dev 0");
}

TEST_F(TlsTest, ACertificateOfAnotherAuthorityIsRefused) {
    const auto other = make_ca("kin-ca");
    const auto client = make_client_certificate(*other, {"admin", {"system:masters"}});
    const std::string said = curl(show_certificate(*client));
    EXPECT_EQ(said.find("admin"), std::string::npos) << said;
    EXPECT_NE(said.find("curl: ("), std::string::npos) << said;
}

TEST_F(TlsTest, AServerCertificateDoesNotWorkAsAClients) {
    const auto server = make_server_certificate(ca_, "admin", {"DNS:x"});
    EXPECT_EQ(curl(show_certificate(*server)).find("admin"), std::string::npos);
}

TEST_F(TlsTest, LargeBodiesPassBothWays) {
    write("large", std::string(2'500'000, 'x'));
    EXPECT_EQ(curl("-T " + folder_.file("large")), "nobody 2500000");
    EXPECT_EQ(curl("", "/stream"), std::string(1'500'000, 's'));
}

TEST_F(TlsTest, Http11IsChosenAmongWhatIsOffered) {
    EXPECT_NE(curl("--http2 -v").find("ALPN: server accepted http/1.1"), std::string::npos);
}

TEST_F(TlsTest, PlainBytesOnTheTlsPortEndTheConnection) {
    auto client = test::RawClient::to_port(port_);
    client.send("GET / HTTP/1.1\r\nHost: kin\r\n\r\n");
    EXPECT_EQ(client.read_to_end().find("HTTP"), std::string::npos);
}

TEST(TlsContextTest, BrokenPemIsInvalid) {
    const KeyPair ca = *make_ca("kin-ca");
    const auto broken = TlsContext::create({"nonsense", ca.key_pem}, "");
    ASSERT_FALSE(broken);
    EXPECT_EQ(broken.error().code(), Errc::kInvalid);
    const KeyPair other = *make_ca("other");
    const auto foreign_key = TlsContext::create({ca.certificate_pem, other.key_pem}, "");
    ASSERT_FALSE(foreign_key);
    EXPECT_EQ(foreign_key.error().code(), Errc::kInvalid);
}

}  // namespace
}  // namespace kin::http
