#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace kin {

/// An IPv4 address as a number in host byte order, so that it can be counted and compared.
struct Ipv4 {
    uint32_t value = 0;

    /// Four decimal octets without leading zeros (RFC 6943 section 3.1.1), nothing else.
    static std::optional<Ipv4> parse(std::string_view text);
    std::string to_string() const;
    /// As it stands in packets and netlink attributes.
    uint32_t network_order() const { return __builtin_bswap32(value); }
    static Ipv4 from_network_order(uint32_t raw) { return {__builtin_bswap32(raw)}; }
    Ipv4 plus(uint32_t offset) const { return {value + offset}; }

    auto operator<=>(const Ipv4&) const = default;
};

/// A block of addresses: 10.244.1.0/24.
struct Cidr {
    Ipv4 address;  ///< Without host bits.
    uint8_t bits = 32;

    /// Fails on host bits ("10.0.0.1/8") and on bits > 32.
    static std::optional<Cidr> parse(std::string_view text);
    std::string to_string() const;
    uint32_t mask() const { return bits == 0 ? 0 : ~uint32_t{0} << (32 - bits); }
    bool contains(Ipv4 ip) const { return (ip.value & mask()) == address.value; }
    bool overlaps(const Cidr& other) const {
        return contains(other.address) || other.contains(address);
    }
    /// Number of addresses, network and broadcast included.
    uint64_t size() const { return uint64_t{1} << (32 - bits); }

    auto operator<=>(const Cidr&) const = default;
};

/// A link-layer address.
struct Mac {
    uint8_t bytes[6] = {};
    std::string to_string() const;
    auto operator<=>(const Mac&) const = default;
};

}  // namespace kin

template <>
struct std::hash<kin::Ipv4> {
    size_t operator()(const kin::Ipv4& ip) const noexcept { return std::hash<uint32_t>()(ip.value); }
};
