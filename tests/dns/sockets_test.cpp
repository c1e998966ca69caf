#include "dns/sockets.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "tests/dns/messages.h"
#include "tests/dns/zones.h"

namespace kin::dns {
namespace {

using test::Answer;
using test::AnswerReader;
using test::question;

constexpr int kPatienceMs = 10'000;

sockaddr_in loopback(uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}

UniqueFd bound_socket(int type) {
    UniqueFd fd(::socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_in address = loopback(0);
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_TRUE(type != SOCK_STREAM || ::listen(fd.get(), 128) == 0);
    return fd;
}

uint16_t port_of(const UniqueFd& fd) {
    sockaddr_in address{};
    socklen_t length = sizeof address;
    ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length);
    return ntohs(address.sin_port);
}

UniqueFd connected(int type, uint16_t port) {
    UniqueFd fd(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
    const sockaddr_in address = loopback(port);
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return fd;
}

/// Up to `size` bytes; "" when the peer closed, or said nothing in time.
std::string receive(const UniqueFd& fd, size_t size) {
    pollfd waiting{fd.get(), POLLIN, 0};
    if (::poll(&waiting, 1, kPatienceMs) != 1) return "";
    std::string out(size, '\0');
    const ssize_t count = ::recv(fd.get(), out.data(), size, 0);
    out.resize(static_cast<size_t>(std::max<ssize_t>(count, 0)));
    return out;
}

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
        UniqueFd udp = bound_socket(SOCK_DGRAM);
        UniqueFd tcp = bound_socket(SOCK_STREAM);
        udp_port_ = port_of(udp);
        tcp_port_ = port_of(tcp);
        loop_.call([&] {
            source_.zone = builder.snapshot();
            udp_ = std::make_unique<UdpSocket>(loop_, source_, std::move(udp));
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
