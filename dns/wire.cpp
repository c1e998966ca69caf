#include "dns/wire.h"

#include <algorithm>

#include "core/base/assert.h"
#include "core/base/strings.h"

namespace kin::dns {

namespace {
constexpr size_t kHeaderSize = 12;
constexpr size_t kMaxLabel = 63;
constexpr size_t kMaxName = 255;

uint8_t byte_at(std::string_view packet, size_t at) { return static_cast<uint8_t>(packet[at]); }

/// The end of the uncompressed name at `at`, or nothing. A pointer ends the search: the first name
/// of a packet has nothing to point at.
std::optional<size_t> end_of_plain_name(std::string_view packet, size_t at) {
    const size_t start = at;
    while (at < packet.size()) {
        const size_t length = byte_at(packet, at);
        if (length > kMaxLabel) return {};
        at += 1 + length;
        if (at - start > kMaxName) return {};
        if (length == 0) return at <= packet.size() ? std::optional(at) : std::nullopt;
    }
    return {};
}

/// The end of a name that may end in a pointer, which is passed over, not followed.
std::optional<size_t> skip_name(std::string_view packet, size_t at) {
    const size_t start = at;
    while (at < packet.size()) {
        const size_t length = byte_at(packet, at);
        if (length >= 0xC0) {
            return at + 2 <= packet.size() ? std::optional(at + 2) : std::nullopt;
        }
        if (length > kMaxLabel) return {};
        at += 1 + length;
        if (at - start > kMaxName) return {};
        if (length == 0) return at <= packet.size() ? std::optional(at) : std::nullopt;
    }
    return {};
}

/// A record's frame; its name is only measured.
struct Record {
    bool root_name = false;
    uint16_t type = 0, record_class = 0;
    uint32_t ttl = 0;
    std::string_view data;
    size_t end = 0;
};

std::optional<Record> record_at(std::string_view packet, size_t at) {
    const auto name_end = skip_name(packet, at);
    if (!name_end || *name_end + 10 > packet.size()) return {};
    Record record;
    record.root_name = *name_end == at + 1;
    record.type = u16_at(packet, *name_end);
    record.record_class = u16_at(packet, *name_end + 2);
    record.ttl =
        static_cast<uint32_t>(u16_at(packet, *name_end + 4)) << 16 | u16_at(packet, *name_end + 6);
    const size_t length = u16_at(packet, *name_end + 8);
    if (*name_end + 10 + length > packet.size()) return {};
    record.data = packet.substr(*name_end + 10, length);
    record.end = *name_end + 10 + length;
    return record;
}

/// Options inside OPT must fill it exactly.
bool options_are_whole(std::string_view data) {
    size_t at = 0;
    while (at < data.size()) {
        if (at + 4 > data.size()) return false;
        at += 4 + size_t{u16_at(data, at + 2)};
    }
    return at == data.size();
}

struct Edns {
    bool present = false;
    uint16_t udp_size = 0;
    uint8_t version = 0;
    bool dnssec_ok = false;
};

/// Reads what follows the question; false if it is malformed.
bool read_records(std::string_view packet, size_t at, Edns& edns) {
    const size_t before_additional = size_t{u16_at(packet, 6)} + u16_at(packet, 8);
    const size_t total = before_additional + u16_at(packet, 10);
    for (size_t number = 0; number < total; ++number) {
        const auto record = record_at(packet, at);
        if (!record) return false;  // So a count beyond the packet ends here, not in memory.
        at = record->end;
        if (record->type != static_cast<uint16_t>(Type::kOpt)) continue;
        if (number < before_additional || edns.present || !record->root_name ||
            !options_are_whole(record->data)) {
            return false;
        }
        edns = {true, record->record_class, static_cast<uint8_t>(record->ttl >> 16),
                (record->ttl & 0x8000) != 0};
    }
    return at == packet.size();
}
}  // namespace

std::optional<WireName> to_wire(std::string_view dotted) {
    if (dotted == ".") return WireName(1, '\0');
    if (!dotted.empty() && dotted.back() == '.') dotted.remove_suffix(1);
    WireName out;
    for (const std::string_view label : split(dotted, '.')) {
        if (label.empty() || label.size() > kMaxLabel) return {};
        out.push_back(static_cast<char>(label.size()));
        out.append(label);
    }
    out.push_back('\0');
    if (out.size() > kMaxName) return {};
    lower_case(out);
    return out;
}

std::string to_dotted(std::string_view wire) {
    std::string out;
    size_t at = 0;
    while (at < wire.size() && wire[at] != '\0') {
        const size_t length = byte_at(wire, at);
        for (const char c : wire.substr(at + 1, length)) {
            const auto byte = static_cast<unsigned char>(c);
            if (byte > ' ' && byte < 0x7F && c != '.' && c != '\\') {
                out.push_back(c);
            } else {
                out += '\\';
                for (const int scale : {100, 10, 1}) {
                    out.push_back(static_cast<char>('0' + byte / scale % 10));
                }
            }
        }
        out.push_back('.');
        at += 1 + length;
    }
    return out.empty() ? "." : out;
}

namespace {
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }
}  // namespace

void lower_case(WireName& name) { std::transform(name.begin(), name.end(), name.begin(), lower); }

LowerName::LowerName(std::string_view name) : size_(name.size()) {
    KIN_ASSERT(name.size() <= bytes_.size());
    std::transform(name.begin(), name.end(), bytes_.begin(), lower);
}

std::string_view without_labels(std::string_view name, int count) {
    while (count-- > 0 && name.size() > 1) name.remove_prefix(1 + size_t{byte_at(name, 0)});
    return name;
}

bool is_within(std::string_view name, std::string_view zone) {
    if (!name.ends_with(zone)) return false;
    while (name.size() > zone.size()) name = without_labels(name, 1);
    return name.size() == zone.size();  // It ended where a label does.
}

std::optional<WireName> prefixed(std::string_view label, std::string_view name) {
    if (label.empty() || label.size() > kMaxLabel || name.size() + label.size() + 1 > kMaxName) {
        return {};
    }
    WireName out(1, static_cast<char>(label.size()));
    out.append(label).append(name);
    lower_case(out);
    return out;
}

std::string_view asked_name(std::string_view packet) {
    const auto end = end_of_plain_name(packet, kHeaderSize);
    return end ? packet.substr(kHeaderSize, *end - kHeaderSize) : std::string_view();
}

Parsed parse_query(std::string_view packet) {
    if (packet.size() < kHeaderSize) return Silence{};
    const uint16_t flags = u16_at(packet, 2);
    if (flags & 0x8000) return Silence{};
    Refusal refusal;
    refusal.id = u16_at(packet, 0);
    refusal.opcode = static_cast<uint8_t>(flags >> 11 & 0xF);
    refusal.recursion_desired = (flags & 0x0100) != 0;
    const auto name_end = end_of_plain_name(packet, kHeaderSize);
    const bool one = u16_at(packet, 4) == 1 && name_end && *name_end + 4 <= packet.size();
    if (one) refusal.question = packet.substr(kHeaderSize, *name_end + 4 - kHeaderSize);
    if (refusal.opcode != 0) {
        refusal.rcode = Rcode::kNotImp;
        return refusal;
    }
    Edns edns;
    if (!one || !read_records(packet, *name_end + 4, edns)) return refusal;
    refusal.edns = edns.present;
    if (edns.version != 0) {
        refusal.rcode = Rcode::kBadVers;
        return refusal;
    }
    Query query;
    query.id = refusal.id;
    query.recursion_desired = refusal.recursion_desired;
    query.head = packet.substr(0, *name_end + 4);
    query.name = packet.substr(kHeaderSize, *name_end - kHeaderSize);
    query.type = u16_at(packet, *name_end);
    query.query_class = u16_at(packet, *name_end + 2);
    query.edns = edns.present;
    query.dnssec_ok = edns.dnssec_ok;
    if (edns.present) query.udp_size = std::clamp<uint16_t>(edns.udp_size, 512, kMaxUdpSize);
    return query;
}

void put_u16(std::string& out, uint16_t value) {
    out.push_back(static_cast<char>(value >> 8));
    out.push_back(static_cast<char>(value));
}

void put_u32(std::string& out, uint32_t value) {
    put_u16(out, static_cast<uint16_t>(value >> 16));
    put_u16(out, static_cast<uint16_t>(value));
}

void write_header(std::string& out, const ReplyHeader& header) {
    const int flags = 0x8000 | header.opcode << 11 | (header.authoritative ? 0x0400 : 0) |
                      (header.truncated ? 0x0200 : 0) | (header.recursion_desired ? 0x0100 : 0) |
                      (header.recursion_available ? 0x0080 : 0) |
                      (static_cast<uint16_t>(header.rcode) & 0xF);
    size_t at = 0;
    for (const uint16_t field : {header.id, static_cast<uint16_t>(flags), header.questions,
                                 header.answers, header.authorities, header.additionals}) {
        out[at++] = static_cast<char>(field >> 8);
        out[at++] = static_cast<char>(field);
    }
}

void put_opt(std::string& out, Rcode rcode, bool dnssec_ok) {
    out.push_back('\0');
    put_u16(out, static_cast<uint16_t>(Type::kOpt));
    put_u16(out, kMaxUdpSize);
    out.push_back(static_cast<char>(static_cast<uint16_t>(rcode) >> 4));
    out.push_back('\0');
    put_u16(out, dnssec_ok ? 0x8000 : 0);
    put_u16(out, 0);
}

}  // namespace kin::dns
