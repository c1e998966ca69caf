#include "pod_streams_fixture.h"
#include "spdy_client.h"

namespace kin::apiserver {
namespace {

using namespace test;

/// A "pod" that is this machine: its web server answers every request with its path.
class PortForwardTest : public PodStreamsTest {
protected:
    void SetUp() override {
        PodStreamsTest::SetUp();
        web_ = *http::Server::create(
            {.workers = 1}, [](http::Request& request, http::Responder& responder) {
                responder.send(http::Response(200, "", cat("you asked for ", request.target)));
            });
        web_port_ = *web_->listen_plain(0);
    }
    /// What a client sends for one connection to `port`. In two steps: each block of headers is
    /// packed on the ones before, and the operands of a `+` have no order.
    static std::string open_pair(SpdyFrames& frames, uint32_t first, int id, uint16_t port) {
        const std::string number = cat(id), port_text = cat(port);
        const auto headers = [&](const char* type) {
            return spdy::Headers{{"streamtype", type}, {"port", port_text}, {"requestid", number}};
        };
        std::string sent = frames.open(first, headers("error"), true);
        return sent.append(frames.open(first + 2, headers("data")));
    }
    static std::string ask(const std::string& path) {
        return cat("GET ", path, " HTTP/1.0\r\n\r\n");
    }
    std::unique_ptr<http::Server> web_;
    uint16_t web_port_ = 0;
};

TEST_F(PortForwardTest, ManyConnectionsShareOneSpdySession) {
    auto client = open_spdy("/web/portforward", "portforward.k8s.io");
    SpdyFrames frames;
    client.send(frames.ping(1));
    for (int i = 0; i < 20; ++i) {
        const auto first = static_cast<uint32_t>(4 * i + 1);
        client.send(open_pair(frames, first, i, web_port_));
        client.send(frames.data(first + 2, ask(cat("/", i)), true));
    }
    SpdyHeard heard;
    heard.listen([&](size_t size) { return client.read_exactly(size); },
                 [](const SpdyHeard& so_far) {
                     const auto& all = so_far.streams;
                     return all.size() == 40 && std::all_of(all.begin(), all.end(),
                                                            [](auto& s) { return s.second.ended; });
                 });
    EXPECT_EQ(heard.replies, 40);
    EXPECT_EQ(heard.pings, 1);
    for (int i = 0; i < 20; ++i) {
        const auto first = static_cast<uint32_t>(4 * i + 1);
        EXPECT_EQ(heard.streams[first].bytes, "");
        EXPECT_TRUE(heard.streams[first + 2].bytes.ends_with(cat("you asked for /", i)));
    }
}

TEST_F(PortForwardTest, TheTunnelThroughAWebSocketMayBeCutAnywhere) {
    auto client = open("/web/portforward", "SPDY/3.1+portforward.k8s.io");
    SpdyFrames frames;
    const std::string sent =
        open_pair(frames, 1, 0, web_port_) + frames.data(3, ask("/tunnel"), true);
    for (size_t at = 0; at < sent.size(); at += 3)
        client.send(frame(kBinary, sent.substr(at, 3)) + frame(kBinary, ""));
    std::string received;
    const auto read_exactly = [&](size_t size) {
        while (received.size() < size) {
            const Frame next = read_frame(client);
            if (next.opcode != kBinary) break;
            received += next.payload;
        }
        std::string taken = received.substr(0, size);
        received.erase(0, taken.size());
        return taken;
    };
    SpdyHeard heard;
    heard.listen(read_exactly, [](const SpdyHeard& so_far) {
        return so_far.streams.contains(3) && so_far.streams.at(3).ended;
    });
    EXPECT_TRUE(heard.streams[3].bytes.ends_with("you asked for /tunnel"));
}

TEST_F(PortForwardTest, AClosedPortIsToldOnTheErrorStream) {
    const uint16_t closed = *web_->listen_plain(0);
    web_.reset();
    auto client = open_spdy("/web/portforward", "portforward.k8s.io");
    SpdyFrames frames;
    client.send(open_pair(frames, 1, 0, closed));
    SpdyHeard heard;
    heard.listen([&](size_t size) { return client.read_exactly(size); },
                 [](const SpdyHeard& so_far) {
                     return so_far.streams.contains(3) && so_far.streams.at(3).ended;
                 });
    EXPECT_NE(
        heard.streams[1].bytes.find(cat("error forwarding port ", closed, " to pod default/web: ")),
        std::string::npos);
    EXPECT_TRUE(heard.streams[1].ended);
}

TEST_F(PortForwardTest, TheJavaScriptClientsChannelsCarryBytes) {
    auto client = open(cat("/web/portforward?ports=", web_port_), "v4.channel.k8s.io");
    const std::string port{static_cast<char>(web_port_ & 0xff), static_cast<char>(web_port_ >> 8)};
    EXPECT_EQ(read_frame(client), (Frame{kBinary, cat('\0', port)}));
    EXPECT_EQ(read_frame(client), (Frame{kBinary, cat('\1', port)}));
    client.send(frame(kBinary, cat('\0', ask("/channel"))));
    std::string received;
    for (Frame next = read_frame(client); next.opcode == kBinary; next = read_frame(client)) {
        EXPECT_EQ(next.payload.at(0), '\0');
        received += next.payload.substr(1);
    }
    EXPECT_TRUE(received.ends_with("you asked for /channel")) << received;
}

TEST_F(PortForwardTest, BadRequestsAreRefusedBeforeTheUpgrade) {
    put("new", R"({"metadata":{"name":"new","namespace":"default","resourceVersion":""},
        "spec":{"nodeName":"n","containers":[{"name":"a"}]},"status":{"phase":"Pending"}})");
    EXPECT_NE(get("/new/portforward").find("pod is not running. Current status=Pending"),
              std::string::npos);
    EXPECT_TRUE(get("/none/portforward").starts_with("HTTP/1.1 404"));
    EXPECT_TRUE(get("/web/portforward").starts_with("HTTP/1.1 400"));
    auto client = connect();
    client.send(
        handshake("/web/portforward?ports=0", "Sec-WebSocket-Protocol: v4.channel.k8s.io\r\n"));
    EXPECT_TRUE(client.read_response().starts_with("HTTP/1.1 400"));
}

}  // namespace
}  // namespace kin::apiserver
