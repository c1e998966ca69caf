#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.h"
#include "policy/evaluate.h"

namespace kin::policy {

/// How the packets of `kin check` and `kin matrix` are known: by a code point for local use (DSCP
/// 43, RFC 2474 section 6), as the byte with which IP_TOS sets it.
constexpr uint8_t kProbeTos = 43 << 2;

/// The beginning of a dropped packet.
struct DroppedPacket {
    Packet packet;
    uint16_t source_port = 0;
    bool probe = false;  ///< kin's own, to see whether it arrives
};
/// Reads an IPv4 packet from its header on; nothing if it is cut short or of another protocol than
/// policies know. Pure.
std::optional<DroppedPacket> read_packet(std::string_view bytes);

/// A packet that a policy dropped, and why.
struct Drop {
    uint64_t number = 0;  ///< counts up from 1
    WallTime time;
    std::string node;
    DroppedPacket dropped;
    Direction direction = Direction::kIngress;
    std::string from, to;  ///< "pod shop/web-0", or an address
    std::string why;       ///< "isolated by shop/db; nearest: shop/db ingress rule 2 wants ..."
    uint64_t packets = 1;  ///< with those that were tried again
    uint64_t change = 0;   ///< counts up over all drops, with each packet

    /// "10:20:30 node-2 ingress pod shop/web-0 -> pod shop/db-0 TCP 5432: ..."
    std::string to_string() const;
};

/// The last drops; attempts to connect that are repeated count up the entry that is there.
class DropHistory {
public:
    static constexpr size_t kMost = 1000;
    /// True for a new entry, false for a repetition of one.
    bool add(Drop drop);
    /// Those after `number`, oldest first.
    std::vector<Drop> after(uint64_t number) const;
    /// Those that are new or were repeated after `change`, oldest first.
    std::vector<Drop> changed_after(uint64_t change) const;

private:
    std::deque<Drop> drops_;
    uint64_t next_ = 1;
    uint64_t changes_ = 0;
};

}  // namespace kin::policy
