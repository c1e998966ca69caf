#include "core/http/websocket.h"

#include <gtest/gtest.h>

#include <future>

#include "core/base/strings.h"
#include "core/loop/loop.h"
#include "raw_client.h"

namespace kin::http {
namespace {

using test::RawClient;

enum Opcode { kContinuation = 0, kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };

/// A frame as a client sends it: masked.
std::string frame(int opcode, std::string_view payload, bool final = true, bool masked = true) {
    std::string out;
    out.push_back(static_cast<char>((final ? 0x80 : 0) | opcode));
    const int mask_bit = masked ? 0x80 : 0;
    if (payload.size() < 126) {
        out.push_back(static_cast<char>(mask_bit | static_cast<int>(payload.size())));
    } else if (payload.size() < 65536) {
        out.push_back(static_cast<char>(mask_bit | 126));
        for (int shift : {8, 0}) out.push_back(static_cast<char>(payload.size() >> shift));
    } else {
        out.push_back(static_cast<char>(mask_bit | 127));
        for (int shift = 56; shift >= 0; shift -= 8)
            out.push_back(static_cast<char>(payload.size() >> shift));
    }
    if (!masked) return out.append(payload);
    const char mask[] = {0x12, 0x34, 0x56, 0x78};
    out.append(mask, 4);
    for (size_t i = 0; i < payload.size(); ++i)
        out.push_back(static_cast<char>(payload[i] ^ mask[i % 4]));
    return out;
}

std::string closing(int code) {
    return frame(kClose, std::string{static_cast<char>(code >> 8), static_cast<char>(code)});
}

struct Frame {
    int opcode = -1;
    std::string payload;
    bool operator==(const Frame&) const = default;
};
void PrintTo(const Frame& f, std::ostream* out) {
    *out << "opcode " << f.opcode << ", " << f.payload.size()
         << " bytes: " << f.payload.substr(0, 40);
}

/// One whole unmasked frame from the server.
Frame read_frame(RawClient& client) {
    const std::string head = client.read_exactly(2);
    if (head.size() < 2) return {};
    const auto byte = [](char c) { return static_cast<size_t>(static_cast<unsigned char>(c)); };
    size_t size = byte(head[1]);
    EXPECT_LT(size, 128u) << "the server must not mask";
    if (size >= 126) {
        const std::string more = client.read_exactly(size == 126 ? 2 : 8);
        size = 0;
        for (const char c : more) size = size << 8 | byte(c);
    }
    EXPECT_EQ(byte(head[0]) & 0xf0, 0x80u);
    return {static_cast<int>(byte(head[0]) & 0x0f), client.read_exactly(size)};
}
Frame close_frame(int code) {
    return {kClose, std::string{static_cast<char>(code >> 8), static_cast<char>(code)}};
}

/// A server that sends every message back.
class WebSocketTest : public testing::Test {
protected:
    void SetUp() override {
        auto server = Server::create({.workers = 1}, [this](Request& request,
                                                            Responder& responder) {
            auto made = accept_websocket(request, responder,
                                         {"v5.channel.k8s.io", "v4.channel.k8s.io", ""}, 100'000);
            if (!made) return responder.send(Response(400, "text/plain", made.error().text()));
            loop_.post([this, socket = std::move(*made)]() mutable { echo(std::move(socket)); });
        });
        ASSERT_TRUE(server);
        server_ = std::move(*server);
        port_ = *server_->listen_plain(0);
    }
    void TearDown() override {
        server_.reset();
        loop_.call([this] { socket_.reset(); });
    }
    void echo(std::unique_ptr<WebSocket> socket) {
        socket_ = std::move(socket);
        socket_->start(loop_, {.on_message =
                                   [this](std::string_view message) {
                                       if (message == "drop") return socket_.reset();
                                       if (message == "close") return socket_->close();
                                       socket_->send(message);
                                   },
                               .on_drained = {},
                               .on_closed =
                                   [this](int code) {
                                       socket_.reset();
                                       closed_.set_value(code);
                                   }});
    }
    static std::string handshake(const std::string& more = "") {
        return "GET /ws HTTP/1.1\r\nHost: kin\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
               "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
               more + "\r\n";
    }
    RawClient open() {
        auto client = RawClient::to_port(port_);
        client.send(handshake()).read_until("\r\n\r\n");
        return client;
    }

    Loop loop_{"kin-streams"};
    std::unique_ptr<Server> server_;
    std::unique_ptr<WebSocket> socket_;
    std::promise<int> closed_;
    uint16_t port_ = 0;
};

TEST_F(WebSocketTest, TheHandshakeProvesItselfAndChoosesOneProtocol) {
    auto client = RawClient::to_port(port_);
    client.send(
        handshake("Sec-WebSocket-Protocol: channel.k8s.io, v4.channel.k8s.io\r\n"
                  "Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n"
                  "Sec-WebSocket-Extensions: permessage-deflate\r\n"));
    EXPECT_EQ(client.read_until("\r\n\r\n"),
              "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
              "Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n");
}

TEST_F(WebSocketTest, ImproperHandshakesAreRefused) {
    const std::string good = handshake();
    const auto without = [&](const std::string& line) {
        std::string text = good;
        text.erase(text.find(line), line.size());
        return text;
    };
    for (const std::string& text :
         {without("Upgrade: websocket\r\n"), without("Sec-WebSocket-Version: 13\r\n"),
          without("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
          handshake("Sec-WebSocket-Protocol: base64.channel.k8s.io\r\n")})
        EXPECT_TRUE(
            RawClient::to_port(port_).send(text).read_response().starts_with("HTTP/1.1 400"))
            << text;
}

TEST_F(WebSocketTest, MessagesOfAllSizesComeBack) {
    auto client = open();
    for (const size_t size : {0, 1, 125, 126, 127, 65535, 65536, 100'000}) {
        const std::string message(size, 'm');
        client.send(frame(size % 2 ? kText : kBinary, message));
        EXPECT_EQ(read_frame(client), (Frame{kBinary, message}));
    }
}

TEST_F(WebSocketTest, FragmentsAreOneMessageAndPingsMayComeBetween) {
    auto client = open();
    client.send(frame(kBinary, "one ", false) + frame(kPing, "?") +
                frame(kContinuation, "two ", false) + frame(kContinuation, "three"));
    EXPECT_EQ(read_frame(client), (Frame{kPong, "?"}));
    EXPECT_EQ(read_frame(client), (Frame{kBinary, "one two three"}));
}

TEST_F(WebSocketTest, FramesMayArriveByteByByteAndManyAtOnce) {
    auto client = open();
    for (const char c : frame(kBinary, "slow")) client.send({&c, 1});
    EXPECT_EQ(read_frame(client), (Frame{kBinary, "slow"}));
    std::string all;
    for (int i = 0; i < 1000; ++i) all += frame(kBinary, cat("message ", i));
    client.send(all);
    for (int i = 0; i < 1000; ++i)
        ASSERT_EQ(read_frame(client), (Frame{kBinary, cat("message ", i)}));
}

TEST_F(WebSocketTest, TheClientsCloseIsAnsweredAndReported) {
    auto client = open();
    client.send(closing(1001));
    EXPECT_EQ(read_frame(client), close_frame(1001));
    EXPECT_TRUE(client.closed_by_peer());
    EXPECT_EQ(closed_.get_future().get(), 1001);
}

TEST_F(WebSocketTest, TheServersCloseWaitsForTheClients) {
    auto client = open();
    client.send(frame(kBinary, "a") + frame(kBinary, "close"));
    EXPECT_EQ(read_frame(client), (Frame{kBinary, "a"}));
    EXPECT_EQ(read_frame(client), close_frame(1000));
    client.send(closing(1000));
    EXPECT_TRUE(client.closed_by_peer());
    EXPECT_EQ(closed_.get_future().get(), 1000);
}

TEST_F(WebSocketTest, AClientThatVanishesIsReportedAs1006) {
    { auto client = open(); }
    EXPECT_EQ(closed_.get_future().get(), 1006);
}

TEST_F(WebSocketTest, ASocketMayBeDroppedByItsOwnMessage) {
    auto client = open();
    client.send(frame(kBinary, "drop") + frame(kBinary, "more"));
    EXPECT_TRUE(client.closed_by_peer());
}

struct Violation {
    const char* name;
    std::string bytes;
    int code;
};
class WebSocketViolationTest : public WebSocketTest,
                               public testing::WithParamInterface<Violation> {};
TEST_P(WebSocketViolationTest, EndsTheConnection) {
    auto client = open();
    client.send(GetParam().bytes);
    const Frame last = read_frame(client);
    EXPECT_EQ(last.opcode, kClose);
    EXPECT_EQ(hex(last.payload.substr(0, 2)), hex(close_frame(GetParam().code).payload));
    client.shut_down_sending();
    EXPECT_TRUE(client.closed_by_peer());
}
INSTANTIATE_TEST_SUITE_P(
    Frames, WebSocketViolationTest,
    testing::Values(Violation{"Unmasked", frame(kBinary, "x", true, false), 1002},
                    Violation{"Oversize", frame(kBinary, std::string(100'001, 'x')), 1009},
                    Violation{"OversizeInFragments",
                              frame(kBinary, std::string(60'000, 'x'), false) +
                                  frame(kContinuation, std::string(60'000, 'x')),
                              1009},
                    Violation{"ReservedBit", "\xC2" + frame(kBinary, "x").substr(1), 1002},
                    Violation{"UnknownOpcode", frame(3, "x"), 1002},
                    Violation{"ContinuationOfNothing", frame(kContinuation, "x"), 1002},
                    Violation{"MessageInAMessage", frame(kBinary, "x", false) + frame(kBinary, "y"),
                              1002},
                    Violation{"FragmentedPing", frame(kPing, "x", false), 1002},
                    Violation{"LongPing", frame(kPing, std::string(126, 'x')), 1002},
                    Violation{"TextThatIsNoUtf8", frame(kText, "\xff\xfe"), 1007},
                    Violation{"CloseWithAReservedCode", closing(1005), 1002}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace kin::http
