#include "websocket_frames.h"

#include <gtest/gtest.h>

#include <ostream>

#include "core/base/strings.h"

namespace kin::test {

std::string frame(int opcode, std::string_view payload, bool final, bool masked) {
    std::string out;
    out.push_back(static_cast<char>((final ? 0x80 : 0) | opcode));
    const int mask_bit = masked ? 0x80 : 0;
    if (payload.size() < 126) {
        out.push_back(static_cast<char>(mask_bit | static_cast<int>(payload.size())));
    } else {
        const bool medium = payload.size() < 65536;
        out.push_back(static_cast<char>(mask_bit | (medium ? 126 : 127)));
        for (int shift = medium ? 8 : 56; shift >= 0; shift -= 8)
            out.push_back(static_cast<char>(payload.size() >> shift));
    }
    if (!masked) return out.append(payload);
    const char mask[] = {0x12, 0x34, 0x56, 0x78};
    out.append(mask, 4);
    for (size_t i = 0; i < payload.size(); ++i)
        out.push_back(static_cast<char>(payload[i] ^ mask[i % 4]));
    return out;
}

std::string closing(int code) { return frame(kClose, close_frame(code).payload); }

void PrintTo(const Frame& frame, std::ostream* out) {
    *out << "opcode " << frame.opcode << ", " << frame.payload.size()
         << " bytes: " << hex(frame.payload.substr(0, 40));
}

Frame close_frame(int code) {
    return {kClose, std::string{static_cast<char>(code >> 8), static_cast<char>(code)}};
}

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

std::string handshake(std::string_view target, std::string_view more) {
    return cat("GET ", target,
               " HTTP/1.1\r\nHost: kin\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
               "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
               more, "\r\n");
}

}  // namespace kin::test
