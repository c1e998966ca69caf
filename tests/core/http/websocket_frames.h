#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

#include "raw_client.h"

namespace kin::test {

enum Opcode { kContinuation = 0, kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };

/// A WebSocket frame as a client sends it: masked, unless it is to be wrong.
std::string frame(int opcode, std::string_view payload, bool final = true, bool masked = true);
std::string closing(int code);

/// A frame as a server sends it.
struct Frame {
    int opcode = -1;
    std::string payload;
    bool operator==(const Frame&) const = default;
};
void PrintTo(const Frame& frame, std::ostream* out);
Frame close_frame(int code);

/// One whole unmasked frame from the server; opcode -1 at the end of the connection.
Frame read_frame(RawClient& client);

/// The request that opens a WebSocket; `more` are whole header lines.
std::string handshake(std::string_view target, std::string_view more = "");

}  // namespace kin::test
