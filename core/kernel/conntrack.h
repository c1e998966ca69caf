#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "core/base/ip.h"
#include "core/base/result.h"
#include "core/kernel/netlink.h"
#include "core/kernel/netns.h"
#include "core/kernel/nft.h"

namespace kin {

/// One connection as conntrack remembers it: as it was asked for, and who answers.
struct Flow {
    nft::L4 l4 = nft::L4::kUdp;
    Ipv4 source, destination;  ///< Of its first packet, before any rule rewrote it.
    uint16_t source_port = 0, destination_port = 0;
    Ipv4 replier;  ///< Where its packets are sent; differs from `destination` after DNAT.
    uint16_t replier_port = 0;
    uint32_t id = 0;  ///< The kernel's own.
    uint32_t mark = 0;
    auto operator<=>(const Flow&) const = default;
};

/// The connections that the kernel remembers in one network namespace (nf_conntrack over netlink;
/// what conntrack(8) shows). Opened by the control thread, used by one.
class Conntrack {
public:
    static Result<Conntrack> open(const Netns& ns);
    /// Whether `ns` surely tracks no connection. Cheap, where to list none takes the kernel 9 ms:
    /// it walks a table that all namespaces share.
    static bool none_in(const Netns& ns);

    /// Those of one protocol, or of all that have ports, in no order. Takes the kernel 9 ms,
    /// however few they are.
    Result<std::vector<Flow>> flows(std::optional<nft::L4> l4 = {});
    /// Forgets a connection: its next packet meets the rules as a new one's would. Already gone is
    /// success.
    Result<> forget(const Flow& flow);
    /// Writes a mark on a connection, for rules to see. Already gone is success.
    Result<> mark(const Flow& flow, uint32_t mark);
    /// Forgets those that `is_stale` and tells how many they were.
    Result<size_t> forget_if(nft::L4 l4, const std::function<bool(const Flow&)>& is_stale);

private:
    explicit Conntrack(Netlink netlink) : netlink_(std::move(netlink)) {}
    Netlink netlink_;
};

}  // namespace kin
