#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/kernel/nft.h"

namespace kin::nft {

/// A packet and what the kernel knows about it where it stands.
struct Packet {
    Ipv4 source;
    Ipv4 destination;
    L4 l4 = L4::kTcp;
    uint16_t source_port = 0;
    uint16_t destination_port = 0;
    std::string in;   ///< The link it came from; empty for the node's own.
    std::string out;  ///< The link it leaves by; empty before routing and for the node itself.
    uint8_t ct_state = kCtNew;
    bool dnatted = false;  ///< conntrack has rewritten the connection's destination.
    uint32_t ct_mark = 0;  ///< The connection's.
    uint32_t mark = 0;
    uint32_t source_mac = 0;  ///< Its last four bytes: the address of a pod that sent it.
    auto operator<=>(const Packet&) const = default;
};

/// One rule (or policy, or element) that had a say.
struct TraceStep {
    Hook hook;
    std::string table;
    std::string chain;
    std::string text;  ///< The rule as nft prints it; behind -> the element that it found.
};

/// The end of a packet's way.
struct Fate {
    enum class Outcome : uint8_t { kAccepted, kDropped, kRejected };
    Outcome outcome = Outcome::kAccepted;
    Packet packet;  ///< With all addresses, ports and marks as rewritten.
    std::vector<TraceStep> steps;
};

/// Everything that a trace must be told because a table does not know it.
struct TraceWorld {
    /// The draw of `numgen random mod N`.
    std::function<uint32_t(uint32_t modulus)> draw = [](uint32_t) { return 0u; };
    /// Whether an address is the node's own.
    std::function<bool(Ipv4)> is_local = [](Ipv4) { return false; };
    /// The address that masquerade takes.
    Ipv4 node_address;
};

/// Interprets what `tables` do to a packet at one hook: their base chains in the order of their
/// priorities. NAT chains see only a connection's first packet, as in the kernel.
Fate trace(std::span<const Table* const> tables, Hook hook, const Packet& packet,
           const TraceWorld& world = {});
/// The same along a way of several hooks, until one of them ends it.
Fate trace(std::span<const Table* const> tables, std::span<const Hook> way, const Packet& packet,
           const TraceWorld& world = {});

/// The ways of packets through a node. Routing, which changes `in` and `out`, is the caller's.
inline constexpr Hook kForwarded[] = {Hook::kPrerouting, Hook::kForward, Hook::kPostrouting};
inline constexpr Hook kReceived[] = {Hook::kPrerouting, Hook::kInput};
inline constexpr Hook kSent[] = {Hook::kOutput, Hook::kPostrouting};

}  // namespace kin::nft
