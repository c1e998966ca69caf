#include "netns/pod/grpc_health.h"

#include <array>
#include <cstdint>

#include "core/base/strings.h"

namespace kin::netns {
namespace {

// RFC 9113 section 6.
enum Frame : uint8_t { kData = 0, kHeaders = 1, kReset = 3, kSettings = 4, kGoAway = 7 };
constexpr uint8_t kEndStream = 0x1, kEndHeaders = 0x4, kPadded = 0x8;
constexpr size_t kFrameHead = 9;
constexpr uint32_t kStream = 1;

std::string frame(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload) {
    std::string out;
    for (const int shift : {16, 8, 0}) out += static_cast<char>(payload.size() >> shift & 0xff);
    out += static_cast<char>(type);
    out += static_cast<char>(flags);
    for (const int shift : {24, 16, 8, 0}) out += static_cast<char>(stream >> shift & 0xff);
    return out.append(payload);
}

/// RFC 7541 section 6.2.2: a header that no table keeps, in plain text. Texts under 127 bytes.
std::string literal(std::string_view name, std::string_view value) {
    std::string out(1, '\0');
    for (const std::string_view text : {name, value.substr(0, 126)}) {
        out += static_cast<char>(text.size());
        out += text;
    }
    return out;
}

/// A message of gRPC: a flag, the length, protobuf.
std::string message(std::string_view protobuf) {
    std::string out(1, '\0');
    for (const int shift : {24, 16, 8, 0})
        out += static_cast<char>(protobuf.size() >> shift & 0xff);
    return out.append(protobuf);
}

uint32_t number_at(std::string_view bytes, size_t at, size_t size) {
    uint32_t number = 0;
    for (size_t i = 0; i < size; ++i) number = number << 8 | static_cast<uint8_t>(bytes[at + i]);
    return number;
}

/// HealthCheckResponse: field 1 is the status; absent means UNKNOWN.
GrpcHealth of_message(std::string_view protobuf) {
    constexpr std::array<std::string_view, 4> kStatus{"UNKNOWN", "SERVING", "NOT_SERVING",
                                                      "SERVICE_UNKNOWN"};
    size_t status = 0;
    if (protobuf.size() >= 2 && protobuf[0] == 0x08) status = static_cast<uint8_t>(protobuf[1]);
    if (status == 1) return {GrpcHealth::State::kServing, ""};
    return {GrpcHealth::State::kNotServing,
            std::string(status < kStatus.size() ? kStatus[status] : kStatus[0])};
}

}  // namespace

std::string grpc_health_question(std::string_view service, std::string_view authority) {
    service = service.substr(0, 120);
    std::string protobuf;
    if (!service.empty()) {
        protobuf = cat("\x0a", std::string(1, static_cast<char>(service.size())), service);
    }
    // ":method: POST" and ":scheme: http" stand in HPACK's own table.
    const std::string headers =
        cat("\x83\x86", literal(":path", "/grpc.health.v1.Health/Check"),
            literal(":authority", authority), literal("te", "trailers"),
            literal("content-type", "application/grpc"), literal("user-agent", "kube-probe/1.35"));
    return cat("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", frame(kSettings, 0, 0, ""),
               frame(kHeaders, kEndHeaders, kStream, headers),
               frame(kData, kEndStream, kStream, message(protobuf)));
}

GrpcHealth read_grpc_health(std::string_view bytes) {
    const GrpcHealth none{GrpcHealth::State::kNoAnswer, ""};
    std::string body;
    bool first = true;
    for (size_t at = 0; at + kFrameHead <= bytes.size(); first = false) {
        const size_t size = number_at(bytes, at, 3);
        const auto type = static_cast<uint8_t>(bytes[at + 3]);
        const auto flags = static_cast<uint8_t>(bytes[at + 4]);
        const uint32_t stream = number_at(bytes, at + 5, 4) & 0x7fffffff;
        // A server of HTTP/2 begins with its settings; anything else is another protocol.
        if (first && (type != kSettings || size > 1 << 14)) return none;
        at += kFrameHead;
        if (at + size > bytes.size()) return {};
        const std::string_view payload = bytes.substr(at, size);
        at += size;
        if (type == kGoAway) return none;
        if (stream != kStream) continue;
        if (type == kReset) return none;
        if (type == kData) {
            const size_t padding = (flags & kPadded) != 0 && !payload.empty()
                                       ? static_cast<uint8_t>(payload[0]) + 1U
                                       : 0;
            if (padding > payload.size()) return none;
            body += payload.substr(padding == 0 ? 0 : 1, payload.size() - padding);
            if (body.size() >= 5 && body.size() >= 5 + size_t{number_at(body, 1, 4)}) {
                return of_message(std::string_view(body).substr(5, number_at(body, 1, 4)));
            }
        }
        if ((type == kData || type == kHeaders) && (flags & kEndStream) != 0) return none;
    }
    return {};
}

}  // namespace kin::netns
