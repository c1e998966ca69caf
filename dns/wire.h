#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/ip.h"

namespace kin::dns {

/// DNS messages as they stand in packets (RFC 1035, EDNS: RFC 6891). Reads hostile input safely:
/// no pointer is ever followed, and nothing is allocated by what a packet claims.

enum class Type : uint16_t {
    kA = 1,
    kNs = 2,
    kCname = 5,
    kSoa = 6,
    kPtr = 12,
    kTxt = 16,
    kAaaa = 28,
    kSrv = 33,
    kOpt = 41,
    kIxfr = 251,
    kAxfr = 252,
    kAny = 255
};

enum class Rcode : uint16_t {
    kNoError = 0,
    kFormErr = 1,
    kServFail = 2,
    kNxDomain = 3,
    kNotImp = 4,
    kRefused = 5,
    kBadVers = 16
};

/// A name as in packets: length-prefixed labels with a final 0; "" is never one.
using WireName = std::string;

/// "web.shop" or "web.shop." in wire form and in lower case; nothing if a label is empty or over 63
/// bytes, or the name over 255.
std::optional<WireName> to_wire(std::string_view dotted);
/// For people: "web.shop."; bytes that are not printable as \ddd.
std::string to_dotted(std::string_view wire);
/// In place; ASCII only. Length bytes are below 64 and so never letters.
void lower_case(WireName& name);
/// A packet's name in lower case, without memory of its own to ask for.
class LowerName {
public:
    /// `name` is well-formed, so of 255 bytes at most.
    explicit LowerName(std::string_view name);
    std::string_view view() const { return {bytes_.data(), size_}; }

private:
    std::array<char, 255> bytes_;
    size_t size_;
};
/// True if `name` is `zone` or below it. Both in lower case.
bool is_within(std::string_view name, std::string_view zone);
/// `name` without its first `count` labels; the root's name at the end.
std::string_view without_labels(std::string_view name, int count);
/// `label` (up to 63 bytes) in front of `name`; nothing if either would be too long.
std::optional<WireName> prefixed(std::string_view label, std::string_view name);

/// A question that can be answered. Its views are into the packet.
struct Query {
    uint16_t id = 0;
    bool recursion_desired = false;
    std::string_view head;  ///< header and question as sent: how an answer begins
    std::string_view name;  ///< as sent, so with its upper and lower case
    uint16_t type = 0;
    uint16_t query_class = 0;
    bool edns = false;
    uint16_t udp_size = 512;  ///< what the asker can take in one datagram
    bool dnssec_ok = false;
};

/// A packet that gets only an rcode for an answer.
struct Refusal {
    uint16_t id = 0;
    uint8_t opcode = 0;
    bool recursion_desired = false;
    Rcode rcode = Rcode::kFormErr;
    /// The question as sent ("" if it could not be read), to be given back. Into the packet.
    std::string_view question;
    bool edns = false;
};

/// A packet that gets no answer: no header, or an answer itself (answering it could loop).
struct Silence {};

using Parsed = std::variant<Query, Refusal, Silence>;
Parsed parse_query(std::string_view packet);
/// The name in a packet's question, as sent; "" if there is none.
std::string_view asked_name(std::string_view packet);

inline uint16_t u16_at(std::string_view bytes, size_t at) {
    return static_cast<uint16_t>(static_cast<uint8_t>(bytes[at]) << 8 |
                                 static_cast<uint8_t>(bytes[at + 1]));
}
void put_u16(std::string& out, uint16_t value);
void put_u32(std::string& out, uint32_t value);

/// Header flags of an answer.
struct ReplyHeader {
    uint16_t id = 0;
    uint8_t opcode = 0;
    bool authoritative = false, truncated = false, recursion_desired = false;
    bool recursion_available = false;
    Rcode rcode = Rcode::kNoError;
    uint16_t questions = 1, answers = 0, authorities = 0, additionals = 0;
};
/// Writes over the 12 bytes at the start of `out`, which has them already.
void write_header(std::string& out, const ReplyHeader& header);
/// Appends the OPT record of an answer; `rcode` beyond 15 has its upper bits here.
void put_opt(std::string& out, Rcode rcode, bool dnssec_ok);

/// The largest datagram that passes every path without fragments.
constexpr uint16_t kMaxUdpSize = 1232;

}  // namespace kin::dns
