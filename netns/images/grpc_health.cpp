#include "netns/images/grpc_health.h"

#include <cstdint>

#include "core/base/strings.h"

namespace kin::images {
namespace {

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
// RFC 9113 section 6.
enum Frame : uint8_t { kData = 0, kHeaders = 1, kSettings = 4, kPing = 6 };
constexpr uint8_t kAck = 0x1, kEndStream = 0x1, kEndHeaders = 0x4;
constexpr size_t kFrameHead = 9;

uint32_t number_at(std::string_view bytes, size_t at, size_t size) {
    uint32_t number = 0;
    for (size_t i = 0; i < size; ++i) number = number << 8 | static_cast<uint8_t>(bytes[at + i]);
    return number;
}

std::string frame(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload) {
    std::string out;
    for (const int shift : {16, 8, 0}) out += static_cast<char>(payload.size() >> shift & 0xff);
    out += static_cast<char>(type);
    out += static_cast<char>(flags);
    for (const int shift : {24, 16, 8, 0}) out += static_cast<char>(stream >> shift & 0xff);
    return out.append(payload);
}

/// RFC 7541 section 6.2.2, for short texts.
std::string literal(std::string_view name, std::string_view value) {
    std::string out(1, '\0');
    for (const std::string_view text : {name, value}) {
        out += static_cast<char>(text.size());
        out += text;
    }
    return out;
}

std::string answer(uint32_t stream, bool serving) {
    // ":status: 200" stands in HPACK's own table; the message is 5 bytes of head and the status.
    const std::string message{'\0', '\0', '\0', '\0', 2, 0x08, static_cast<char>(serving ? 1 : 2)};
    return cat(frame(kHeaders, kEndHeaders, stream,
                     cat("\x88", literal("content-type", "application/grpc"))),
               frame(kData, 0, stream, message),
               frame(kHeaders, kEndHeaders | kEndStream, stream, literal("grpc-status", "0")));
}

/// Whole frames off the front of `input`, and what answers them.
std::string answer_frames(std::string& input, const std::function<bool()>& serving) {
    std::string out;
    while (input.size() >= kFrameHead) {
        const size_t size = number_at(input, 0, 3);
        if (input.size() < kFrameHead + size) break;
        const auto type = static_cast<uint8_t>(input[3]);
        const auto flags = static_cast<uint8_t>(input[4]);
        const uint32_t stream = number_at(input, 5, 4) & 0x7fffffff;
        const std::string payload = input.substr(kFrameHead, size);
        input.erase(0, kFrameHead + size);
        if (type == kSettings && (flags & kAck) == 0) out += frame(kSettings, kAck, 0, "");
        if (type == kPing && (flags & kAck) == 0) out += frame(kPing, kAck, 0, payload);
        const bool asked = (type == kData || type == kHeaders) && (flags & kEndStream) != 0;
        if (asked) out += answer(stream, serving());
    }
    return out;
}

}  // namespace

Service::Session grpc_health_session(std::function<bool()> serving) {
    return [serving = std::move(serving), greeted = false](std::string& input) mutable {
        std::string out;
        if (!greeted) {
            if (input.size() < kPreface.size()) return out;
            input.erase(0, kPreface.size());
            greeted = true;
            out = frame(kSettings, 0, 0, "");
        }
        return out + answer_frames(input, serving);
    };
}

}  // namespace kin::images
