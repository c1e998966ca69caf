#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/strings.h"
#include "dns/wire.h"

/// Questions made and answers read for the DNS tests.
namespace kin::test {

inline std::string question(std::string_view name, dns::Type type, std::string_view tail = "",
                            uint16_t additionals = 0) {
    std::string out;
    dns::put_u16(out, 0x1234);
    dns::put_u16(out, 0x0100);
    for (const uint16_t count : {uint16_t{1}, uint16_t{0}, uint16_t{0}, additionals}) {
        dns::put_u16(out, count);
    }
    out += *dns::to_wire(name);
    dns::put_u16(out, static_cast<uint16_t>(type));
    dns::put_u16(out, 1);
    out += tail;
    return out;
}

/// An OPT record as an asker sends it.
inline std::string opt(uint16_t size, uint8_t version = 0) {
    std::string out(1, '\0');
    dns::put_u16(out, 41);
    dns::put_u16(out, size);
    dns::put_u32(out, static_cast<uint32_t>(version) << 16);
    dns::put_u16(out, 0);
    return out;
}

struct Answer {
    int rcode = -1;
    bool authoritative = false, truncated = false;
    std::vector<std::string> answers, authorities, additionals;  ///< "A 10.96.0.20"
};

/// Reads an answer; only what our own server writes is understood.
class AnswerReader {
public:
    explicit AnswerReader(std::string_view packet) : packet_(packet) {}

    Answer read() {
        Answer out;
        if (packet_.size() < 12) return out;
        const uint16_t flags = u16(2);
        out.rcode = flags & 0xF;
        out.authoritative = (flags & 0x0400) != 0;
        out.truncated = (flags & 0x0200) != 0;
        at_ = 12;
        for (int i = u16(4); i > 0; --i) {
            name(at_);
            at_ += 4;
        }
        for (int i = u16(6); i > 0; --i) out.answers.push_back(record());
        for (int i = u16(8); i > 0; --i) out.authorities.push_back(record());
        for (int i = u16(10); i > 0; --i) out.additionals.push_back(record());
        return out;
    }

private:
    uint16_t u16(size_t at) const {
        return static_cast<uint16_t>(static_cast<uint8_t>(packet_[at]) << 8 |
                                     static_cast<uint8_t>(packet_[at + 1]));
    }
    /// The name at `at`, which moves behind it.
    std::string name(size_t& at) const {
        std::string wire;
        size_t from = at;
        if (static_cast<uint8_t>(packet_[at]) == 0xC0) {
            from = static_cast<uint8_t>(packet_[at + 1]);
            at += 2;
            name_into(wire, from);
        } else {
            name_into(wire, from);
            at = from;
        }
        return dns::to_dotted(wire);
    }
    void name_into(std::string& wire, size_t& from) const {
        while (packet_[from] != '\0') {
            const size_t length = 1 + static_cast<size_t>(packet_[from]);
            wire += packet_.substr(from, length);
            from += length;
        }
        wire.push_back('\0');
        ++from;
    }
    std::string record() {
        const std::string owner = name(at_);
        const auto type = static_cast<dns::Type>(u16(at_));
        const size_t length = u16(at_ + 8);
        size_t data = at_ + 10;
        at_ = data + length;
        switch (type) {
            case dns::Type::kA: {
                const uint32_t ip = static_cast<uint32_t>(u16(data)) << 16 | u16(data + 2);
                return cat(owner, " A ", Ipv4{ip});
            }
            case dns::Type::kSrv: {
                size_t target = data + 6;
                return cat(owner, " SRV ", u16(data), ' ', u16(data + 2), ' ', u16(data + 4), ' ',
                           name(target));
            }
            case dns::Type::kPtr:
                return cat(owner, " PTR ", name(data));
            case dns::Type::kCname:
                return cat(owner, " CNAME ", name(data));
            case dns::Type::kNs:
                return cat(owner, " NS ", name(data));
            case dns::Type::kSoa:
                return cat(owner, " SOA");
            case dns::Type::kTxt:
                return cat(owner, " TXT ", packet_.substr(data + 1, length - 1));
            case dns::Type::kOpt:
                return "OPT";
            default:
                return cat(owner, " TYPE", static_cast<int>(type));
        }
    }

    std::string_view packet_;
    size_t at_ = 0;
};

}  // namespace kin::test
