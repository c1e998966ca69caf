#include "parsers.h"

#include <sys/socket.h>

#include <condition_variable>
#include <mutex>

#include "apiserver/channels.h"
#include "apiserver/spdy_frames.h"
#include "core/base/assert.h"
#include "core/base/strings.h"
#include "core/http/chunked.h"
#include "core/http/head.h"
#include "core/http/message.h"
#include "core/http/transport.h"
#include "core/http/websocket.h"
#include "core/kernel/packet_log.h"
#include "core/loop/loop.h"
#include "policy/drop_log.h"
#include "spdy_client.h"
#include "websocket_frames.h"

namespace kin::test {
namespace {

namespace spdy = apiserver::spdy;

bool within(std::string_view part, std::string_view whole) {
    return part.empty() || (part.data() >= whole.data() &&
                            part.data() + part.size() <= whole.data() + whole.size());
}

/// A head ends where its last byte is, and what is accepted points into it and keeps the limits.
void read_http_head(std::string_view bytes) {
    const http::HeadLimits limits;
    const auto end = http::find_head_end(bytes, limits);
    const auto* size = std::get_if<size_t>(&end);
    if (!size || *size == 0) return;
    KIN_ASSERT(*size <= bytes.size() && *size <= limits.total_bytes);
    const auto shorter = http::find_head_end(bytes.substr(0, *size - 1), limits);
    KIN_ASSERT(std::holds_alternative<http::Refusal>(shorter) || std::get<size_t>(shorter) == 0);
    const std::string_view text = bytes.substr(0, *size);
    const auto parsed = http::parse_head(text, limits);
    const auto* head = std::get_if<http::RequestHead>(&parsed);
    if (!head) return;
    KIN_ASSERT(!head->method.empty() && !head->target.empty());
    KIN_ASSERT(head->fields.size() <= limits.fields && within(head->target, text));
    for (const auto& [name, value] : head->fields)
        KIN_ASSERT(!name.empty() && within(name, text) && within(value, text) &&
                   value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
    http::Request request;
    (void)http::fill_request(*head, request);
}

/// A body is the same however the network cuts it.
void read_chunks(std::string_view bytes) {
    std::string whole(bytes), body_of_whole, body_of_pieces, received;
    http::ChunkedDecoder at_once, piecewise;
    using Step = http::ChunkedDecoder::Step;
    const Step expected = at_once.feed(whole, body_of_whole);
    Step step = Step::kMore;
    size_t fed = 0;
    for (; fed < bytes.size() && step == Step::kMore; ++fed) {
        received += bytes[fed];
        step = piecewise.feed(received, body_of_pieces);
    }
    // One that sees more may refuse earlier, but never take different bytes.
    if (expected == Step::kDone) KIN_ASSERT(step == Step::kDone && body_of_pieces == body_of_whole);
    if (step == Step::kDone) KIN_ASSERT(expected == Step::kDone);
}

struct Heard {
    std::vector<spdy::Frame> frames;
    bool broken = false;
};

Heard hear(std::string_view bytes, size_t piece) {
    spdy::Decoder decoder;
    Heard heard;
    for (size_t at = 0; at < bytes.size(); at += piece) {
        decoder.feed(bytes.substr(at, piece));
        while (auto frame = decoder.next()) heard.frames.push_back(std::move(*frame));
    }
    heard.broken = decoder.broken();
    return heard;
}

void read_spdy(std::string_view bytes) {
    const Heard whole = hear(bytes, std::max<size_t>(bytes.size(), 1));
    const Heard cut = hear(bytes, 3);
    KIN_ASSERT(whole.broken == cut.broken && whole.frames.size() == cut.frames.size());
    for (size_t i = 0; i < whole.frames.size(); ++i) {
        KIN_ASSERT(whole.frames[i].index() == cut.frames[i].index());
        if (const auto* data = std::get_if<spdy::Data>(&whole.frames[i]))
            KIN_ASSERT(data->bytes == std::get<spdy::Data>(cut.frames[i]).bytes);
        if (const auto* opened = std::get_if<spdy::Opened>(&whole.frames[i]))
            KIN_ASSERT(opened->headers == std::get<spdy::Opened>(cut.frames[i]).headers);
    }
}

void read_channels(std::string_view bytes) {
    for (const bool closes : {false, true}) {
        const auto input = apiserver::parse_channel_message(bytes, closes);
        if (!input) continue;
        KIN_ASSERT(within(input->bytes, bytes));
        using Kind = apiserver::ChannelInput::Kind;
        KIN_ASSERT(closes || input->kind != Kind::kStdinEnd);
        KIN_ASSERT((input->kind == Kind::kResize) == (input->columns > 0 && input->rows > 0));
    }
}

/// Frames of a client to a real WebSocket, which must come to an end when the client does.
void read_websocket(std::string_view bytes) {
    static Loop loop("kin-fuzz");
    int ends[2] = {-1, -1};
    KIN_ASSERT(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    UniqueFd client(ends[1]);
    std::unique_ptr<http::WebSocket> socket;
    std::mutex mutex;
    std::condition_variable changed;
    bool closed = false;
    loop.call([&] {
        auto transport = std::make_unique<http::Transport>(UniqueFd(ends[0]), nullptr);
        socket = std::make_unique<http::WebSocket>(
            std::make_unique<http::Upgraded>(std::move(transport), std::string(bytes)), "", 4096);
        socket->start(loop, {.on_message =
                                 [&](std::string_view message) {
                                     KIN_ASSERT(message.size() <= 4096);
                                     socket->send(message);
                                 },
                             .on_drained = {},
                             .on_closed =
                                 [&](int) {
                                     const std::lock_guard lock(mutex);
                                     closed = true;
                                     changed.notify_one();
                                 }});
    });
    ::shutdown(client.get(), SHUT_WR);
    {
        std::unique_lock lock(mutex);
        KIN_ASSERT(changed.wait_for(lock, std::chrono::seconds(20), [&] { return closed; }));
    }
    loop.call([&] { socket.reset(); });
}

/// What the kernel logs of a packet that somebody in a pod made up.
void read_logged(std::string_view bytes) {
    LoggedPacket logged;
    if (read_logged_packet(bytes, logged))
        KIN_ASSERT(within(logged.prefix, bytes) && within(logged.payload, bytes));
    const auto packet = policy::read_packet(bytes);
    KIN_ASSERT(!packet || bytes.size() >= 20);
}

/// A message of nfnetlink_log with a TCP packet.
std::string logged_seed() {
    std::string out("\x30\0\0\0\0\x04\0\0\0\0\0\0\0\0\0\0\x02\0\0\0", 20);
    out += std::string("\x0b\0\x0a\0egress-\0", 12);
    out += std::string(
        "\x1c\0\x09\0\x45\0\0\x18\0\0\0\0\x40\x06\0\0\x0a\xf4\1\2\x0a\xf4\2\3"
        "\x9c\x40\0\x50",
        28);
    out[0] = static_cast<char>(out.size());
    return out;
}

std::string spdy_seed() {
    SpdyFrames client;
    std::string sent = client.open(1, {{"streamtype", "error"}, {"port", "80"}}, true);
    sent += client.open(3, {{"streamtype", "data"}, {"port", "80"}, {"requestid", "0"}});
    sent += client.data(3, "hello", false);
    sent += client.ping(7);
    sent += client.data(3, "", true);
    sent += spdy::Encoder().reset(3);
    return sent + spdy::control_frame(7, 0, std::string(8, '\0'));
}

const std::vector<std::string> kHeads = {
    "GET /api/v1/pods?limit=500&continue=a%20b HTTP/1.1\r\nHost: kin\r\nAccept: */*\r\n\r\n",
    "POST /x HTTP/1.1\r\nHost: kin\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
    "PUT /y HTTP/1.0\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n",
    handshake("/api/v1/namespaces/default/pods/p/exec?command=ls&stdout=true",
              "Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n")};
const std::vector<std::string> kChunks = {
    "5\r\nhello\r\n0\r\n\r\n", "a;name=value\r\n0123456789\r\n1\r\nx\r\n0\r\nA: b\r\n\r\n"};
const std::vector<std::string> kChannels = {std::string("\0hello", 6), std::string("\xff\0", 2),
                                            "\x04{\"Width\":100,\"Height\":30}\n"};
std::vector<Parser> all_parsers() {
    std::vector<Parser> all = {
        {"HttpHead", read_http_head, kHeads},
        {"Chunks", read_chunks, kChunks},
        {"Spdy", read_spdy, {spdy_seed()}},
        {"Channels", read_channels, kChannels},
        {"LoggedPacket", read_logged, {logged_seed(), logged_seed().substr(36)}},
        {"WebSocket",
         read_websocket,
         {frame(kBinary, "hello") + frame(kPing, "p") + closing(1000),
          frame(kText, "a", false) + frame(kContinuation, std::string(300, 'b')) + closing(1001)}}};
    for (Parser& parser : ingress_parsers()) all.push_back(std::move(parser));
    return all;
}
}  // namespace

const std::vector<Parser>& parsers() {
    static const std::vector<Parser> all = all_parsers();
    return all;
}

}  // namespace kin::test
