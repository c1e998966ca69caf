#include "dns/sockets.h"

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/dns/loopback.h"
#include "tests/dns/messages.h"
#include "tests/dns/zones.h"

namespace kin::dns {
namespace {

using test::Answer;
using test::AnswerReader;
using test::bound_socket;
using test::connected;
using test::port_of;
using test::question;
using test::receive;

std::string receive_all(const UniqueFd& fd, size_t size) {
    std::string out;
    while (out.size() < size) {
        const std::string more = receive(fd, size - out.size());
        if (more.empty()) break;
        out += more;
    }
    return out;
}

std::string framed(const std::string& message) {
    std::string out;
    put_u16(out, static_cast<uint16_t>(message.size()));
    return out + message;
}

Answer read_framed(const UniqueFd& fd) {
    const std::string length = receive_all(fd, 2);
    if (length.size() != 2) return {};
    const size_t size =
        size_t{static_cast<uint8_t>(length[0])} << 8 | static_cast<uint8_t>(length[1]);
    return AnswerReader(receive_all(fd, size)).read();
}

void send_all(const UniqueFd& fd, const std::string& bytes) {
    ASSERT_EQ(::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
}

class SocketsTest : public testing::Test {
protected:
    SocketsTest() {
        ZoneBuilder builder{ZoneOptions{}};
        test::fill(builder);
        auto udp = UdpPair::open([this] {
            UniqueFd fd = bound_socket(SOCK_DGRAM, udp_port_);
            udp_port_ = port_of(fd);
            return Result<UniqueFd>(std::move(fd));
        });
        UniqueFd tcp = bound_socket(SOCK_STREAM);
        tcp_port_ = port_of(tcp);
        loop_.call([&] {
            source_.zone = builder.snapshot();
            udp_ = std::make_unique<UdpSocket>(loop_, source_, std::move(*udp));
            tcp_ = std::make_unique<TcpSocket>(
                loop_, source_, std::move(tcp),
                TcpSocket::Limits{.idle = std::chrono::milliseconds(500), .connections = 4});
        });
    }
    ~SocketsTest() override {
        loop_.call([&] {
            udp_.reset();
            tcp_.reset();
        });
    }

    Loop loop_{"dns-test"};
    Source source_;
    std::unique_ptr<UdpSocket> udp_;
    std::unique_ptr<TcpSocket> tcp_;
    uint16_t udp_port_ = 0, tcp_port_ = 0;
};

TEST_F(SocketsTest, ADatagramIsAnswered) {
    const UniqueFd fd = connected(SOCK_DGRAM, udp_port_);
    send_all(fd, question("web.shop.svc.cluster.local", Type::kA));
    EXPECT_THAT(AnswerReader(receive(fd, 2000)).read().answers,
                testing::ElementsAre("web.shop.svc.cluster.local. A 10.96.0.20"));
}

TEST_F(SocketsTest, RubbishBeforeAQuestionDoesNotStopTheAnswer) {
    const UniqueFd fd = connected(SOCK_DGRAM, udp_port_);
    for (int i = 0; i < 100; ++i) send_all(fd, "rubbish");
    send_all(fd, question("web.shop.svc.cluster.local", Type::kA));
    EXPECT_EQ(AnswerReader(receive(fd, 2000)).read().answers.size(), 1U);
}

TEST_F(SocketsTest, ABurstOfMoreThanABatchIsAnsweredInOrder) {
    const UniqueFd fd = connected(SOCK_DGRAM, udp_port_);
    constexpr int kBurst = 150;
    const std::string asked = question("web.shop.svc.cluster.local", Type::kA);
    // Sent while the server's thread is held, so that they are all there when it looks.
    loop_.call([&] {
        for (int i = 0; i < kBurst; ++i) send_all(fd, static_cast<char>(i) + asked.substr(1));
    });
    for (int i = 0; i < kBurst; ++i) {
        const std::string answer = receive(fd, 2000);
        ASSERT_EQ(AnswerReader(answer).read().answers.size(), 1U) << i;
        ASSERT_EQ(static_cast<uint8_t>(answer[0]), i);
    }
}

TEST_F(SocketsTest, AHundredQuestionsOnOneConnectionGetAHundredAnswers) {
    const UniqueFd fd = connected(SOCK_STREAM, tcp_port_);
    std::string questions;
    for (int i = 0; i < 100; ++i) {
        questions += framed(question("web.shop.svc.cluster.local", Type::kA));
    }
    send_all(fd, questions);
    for (int i = 0; i < 100; ++i) ASSERT_EQ(read_framed(fd).answers.size(), 1U) << i;
}

TEST_F(SocketsTest, AQuestionInPiecesIsAnsweredWhenItIsWhole) {
    const UniqueFd fd = connected(SOCK_STREAM, tcp_port_);
    for (const char byte : framed(question("web.shop.svc.cluster.local", Type::kA))) {
        send_all(fd, std::string(1, byte));
    }
    EXPECT_EQ(read_framed(fd).answers.size(), 1U);
}

TEST_F(SocketsTest, HalfALengthIsNotWaitedForLongerThanTheIdleTime) {
    const UniqueFd fd = connected(SOCK_STREAM, tcp_port_);
    const auto start = std::chrono::steady_clock::now();
    send_all(fd, std::string(1, '\0'));
    EXPECT_EQ(receive(fd, 1), "");
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

TEST_F(SocketsTest, BeyondTheLimitTheLongestSilentConnectionMakesRoom) {
    std::vector<UniqueFd> held;
    for (int i = 0; i < 5; ++i) held.push_back(connected(SOCK_STREAM, tcp_port_));
    EXPECT_EQ(receive(held.front(), 1), "");
    send_all(held.back(), framed(question("web.shop.svc.cluster.local", Type::kA)));
    EXPECT_EQ(read_framed(held.back()).answers.size(), 1U);
}

std::string run(const std::string& command) {
    std::string out;
    FILE* pipe = ::popen(command.c_str(), "r");
    if (!pipe) return out;
    char buffer[512];
    while (const size_t count = std::fread(buffer, 1, sizeof buffer, pipe))
        out.append(buffer, count);
    ::pclose(pipe);
    return out;
}

TEST_F(SocketsTest, DigUnderstandsTheAnswers) {
    if (run("dig -v 2>&1").find("DiG") == std::string::npos) GTEST_SKIP() << "dig is not installed";
    const auto dig = [&](const std::string& arguments) {
        return run(
            cat("dig +tries=1 +timeout=5 @127.0.0.1 -p ", udp_port_, ' ', arguments, " 2>&1"));
    };
    EXPECT_EQ(dig("+short web.shop.svc.cluster.local"), "10.96.0.20\n");
    EXPECT_EQ(dig("+short -x 10.96.0.20"), "web.shop.svc.cluster.local.\n");
    EXPECT_EQ(dig("+short _http._tcp.db.shop.svc.cluster.local SRV | sort"),
              "0 50 5432 10-244-2-2.db.shop.svc.cluster.local.\n"
              "0 50 5432 db-0.db.shop.svc.cluster.local.\n");
    EXPECT_EQ(dig("+short dns-version.cluster.local TXT"), "\"1.1.0\"\n");
    EXPECT_THAT(dig("none.shop.svc.cluster.local"), testing::HasSubstr("status: NXDOMAIN"));
    EXPECT_THAT(dig("+edns=1 +noednsnegotiation web.shop.svc.cluster.local"),
                testing::HasSubstr("BADVERS"));
    EXPECT_THAT(dig("+opcode=15 +header-only"), testing::HasSubstr("NOTIMP"));
    for (const char* arguments : {"web.shop.svc.cluster.local", "none.shop.svc.cluster.local SRV",
                                  "+noedns alias.shop.svc.cluster.local", "cluster.local SOA",
                                  "+dnssec +nsid +subnet=1.2.3.0/24 web.shop.svc.cluster.local"}) {
        EXPECT_THAT(dig(arguments), testing::Not(testing::HasSubstr("Warning"))) << arguments;
        EXPECT_THAT(dig(arguments), testing::Not(testing::HasSubstr("malformed"))) << arguments;
    }
}

}  // namespace
}  // namespace kin::dns
