#include <gmock/gmock.h>

#include "core/base/strings.h"
#include "proxy_fixture.h"

namespace kin::ingress::test {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

TEST_F(ProxyTest, ASlowReaderSlowsTheEndpointDown) {
    constexpr size_t kTotal = 256u << 20;
    std::atomic<size_t> sent = 0;
    Backend backend([&](Wire& wire) {
        wire.read_head();
        wire.send(cat("HTTP/1.1 200 OK\r\nContent-Length: ", kTotal, "\r\n\r\n"));
        const std::string piece(1u << 20, 'x');
        while (sent < kTotal && wire.send(piece)) sent += piece.size();
    });
    route({location("/", {backend.endpoint()})});
    Wire wire = client();
    wire.send(get("/"));
    wire.read_head();
    // It stops by itself, far from the end: what is on its way is bounded.
    ASSERT_TRUE(comes_to_rest(sent));
    EXPECT_LT(sent, 64u << 20);
    size_t got = 0;
    while (got < kTotal) {
        const std::string piece = wire.read_exactly(1u << 20);
        if (piece.empty()) break;
        got += piece.size();
    }
    EXPECT_EQ(got, kTotal);
}

TEST_F(ProxyTest, ASlowEndpointSlowsTheClientDown) {
    std::atomic<bool> go = false;
    std::atomic<size_t> got = 0;
    Backend backend([&](Wire& wire) {
        wire.read_head();
        eventually([&] { return go.load(); });
        while (got < (64u << 20)) {
            const size_t size = wire.read_exactly(1u << 20).size();
            if (size == 0) return;
            got += size;
        }
        wire.send(response("all"));
    });
    LocationOptions options;
    options.max_body_bytes = 0;
    route({location("/", {backend.endpoint()}, options)});
    Wire wire = client();
    wire.send(cat("POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: ", 64u << 20, "\r\n\r\n"));
    const std::string piece(1u << 20, 'x');
    std::atomic<size_t> pieces = 0;
    std::thread writer([&] {
        for (int i = 0; i < 64 && wire.send(piece); ++i) ++pieces;
    });
    EXPECT_TRUE(comes_to_rest(pieces));
    EXPECT_LT(pieces, 40u);
    go = true;
    writer.join();
    EXPECT_THAT(wire.read_message(), EndsWith("all"));
    EXPECT_EQ(got, 64u << 20);
}

TEST_F(ProxyTest, EndsWhoSendsAHeadTooSlowlyAndWhoIsIdle) {
    ProxyServer::Options options;
    options.patience.head = std::chrono::milliseconds(40);
    options.patience.idle = std::chrono::milliseconds(80);
    options.tick = std::chrono::milliseconds(10);
    start(options);
    route({});
    Wire slow = client(), idle = client();
    slow.send("GET / HTTP/1.1\r\nHo");
    EXPECT_THAT(slow.read_to_end(), StartsWith("HTTP/1.1 408 Request Time-out\r\n"));
    EXPECT_EQ(idle.read_to_end(), "");
    EXPECT_TRUE(idle.ended());
}

TEST_F(ProxyTest, AnEndpointThatDiesHalfWayIsSeenByTheClient) {
    Backend backend([](Wire& wire) {
        wire.read_head();
        wire.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    });
    route({location("/", {backend.endpoint()})});
    Wire wire = client();
    wire.send(get("/"));
    EXPECT_THAT(wire.read_to_end(), EndsWith("5\r\nhello\r\n"));
    EXPECT_TRUE(wire.ended());
}

TEST_F(ProxyTest, WhoAsksForTheLastTimeGetsItAllHoweverLateItIsRead) {
    const std::string body(1u << 20, 'x');
    Backend backend([&](Wire& wire) {
        while (!wire.read_message().empty()) wire.send(response(body));
    });
    route({location("/", {backend.endpoint()})});
    for (const char* more : {"Connection: close\r\n", ""}) {
        Wire wire = client();
        wire.send(get("/", more));
        if (*more == '\0') wire.shut_down_sending();
        // All of it has left the endpoint, and most of it the proxy.
        wire.read_until("\r\n\r\n");
        ASSERT_TRUE(eventually([&] { return log_lines(1).size() > 0; }));
        EXPECT_EQ(wire.read_to_end().size(), body.size());
    }
}

TEST_F(ProxyTest, ACallerWhoGoesAwayIsNoticed) {
    std::atomic<int> asked = 0, left = 0;
    Backend backend([&](Wire& wire) {
        wire.read_head();
        ++asked;
        wire.read_to_end();
        left += wire.ended();
    });
    LocationOptions patient;
    patient.read_timeout = std::chrono::minutes(10);
    route({location("/", {backend.endpoint()}, patient)});
    {
        Wire closes = client(), resets = client(), tls = Wire::to_tls_port(https_port_, "shop");
        for (Wire* wire : {&closes, &resets, &tls}) wire->send(get("/"));
        ASSERT_TRUE(eventually([&] { return asked == 3; }));
        resets.reset();
    }
    EXPECT_TRUE(eventually([&] { return left == 3; }));
    for (const std::string& line : log_lines(3)) EXPECT_THAT(line, HasSubstr(" 499 0 "));
}

TEST_F(ProxyTest, ACallerWhoOnlyEndsItsHalfGetsItsAnswer) {
    std::atomic<bool> go = false;
    Backend backend([&](Wire& wire) {
        wire.read_head();
        eventually([&] { return go.load(); });
        wire.send(response("answer"));
    });
    route({location("/", {backend.endpoint()})});
    Wire wire = client();
    wire.send(get("/"));
    wire.shut_down_sending();
    go = true;
    EXPECT_THAT(wire.read_to_end(), EndsWith("answer"));
}

TEST_F(ProxyTest, AStoppedPodFinishesWhatItHasBegun) {
    std::atomic<bool> asked = false, go = false;
    Backend backend([&](Wire& wire) {
        while (!wire.read_message().empty()) {
            asked = true;
            eventually([&] { return go.load(); });
            wire.send(response("done"));
        }
    });
    route({location("/", {backend.endpoint()})});
    Wire busy = client(), idle = client();
    busy.send(get("/"));
    ASSERT_TRUE(eventually([&] { return asked.load(); }));
    control_.call([&] { proxy_->stop(pod_); });
    EXPECT_EQ(idle.read_to_end(), "");
    go = true;
    EXPECT_THAT(busy.read_to_end(), AllOf(EndsWith("done"), HasSubstr("Connection: close")));
}

}  // namespace
}  // namespace kin::ingress::test
