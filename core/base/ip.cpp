#include "core/base/ip.h"

#include "core/base/strings.h"

namespace kin {

std::optional<Ipv4> Ipv4::parse(std::string_view text) {
    const auto octets = split(text, '.');
    if (octets.size() != 4) return {};
    uint32_t value = 0;
    for (const std::string_view octet : octets) {
        if (octet.size() > 1 && octet.front() == '0') return {};
        const auto number = parse_number<uint8_t>(octet);
        if (!number) return {};
        value = value << 8 | *number;
    }
    return Ipv4{value};
}

std::string Ipv4::to_string() const {
    return cat(value >> 24, '.', value >> 16 & 255, '.', value >> 8 & 255, '.', value & 255);
}

std::optional<Cidr> Cidr::parse(std::string_view text) {
    const size_t slash = text.find('/');
    if (slash == std::string_view::npos) return {};
    const auto address = Ipv4::parse(text.substr(0, slash));
    const std::string_view length = text.substr(slash + 1);
    const auto bits = parse_number<uint8_t>(length);
    if (!address || !bits || *bits > 32 || (length.size() > 1 && length.front() == '0')) return {};
    const Cidr cidr{*address, *bits};
    if ((address->value & cidr.mask()) != address->value) return {};
    return cidr;
}

std::string Cidr::to_string() const { return cat(address, '/', bits); }

std::string Mac::to_string() const {
    std::string out;
    for (const uint8_t byte : bytes) {
        if (!out.empty()) out.push_back(':');
        out += hex(std::string_view(reinterpret_cast<const char*>(&byte), 1));
    }
    return out;
}

}  // namespace kin
