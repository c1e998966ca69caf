#pragma once

#include <set>

#include "core/base/ip.h"
#include "core/base/result.h"

namespace kin::netns {

/// Gives out the addresses of one node's block. A freed address comes again only after all others
/// had their turn, so that what somebody still remembers of it does not hit the next pod.
class AddressPool {
public:
    /// Not given out: the block's own address, the gateway behind it and the last (broadcast).
    explicit AddressPool(Cidr block) : block_(block) {}

    /// `wished` if it is of this block and free, else the next free one. Fails with kConflict when
    /// all are in use.
    Result<Ipv4> take(Ipv4 wished = {});
    void give_back(Ipv4 address) { used_.erase(address); }

private:
    bool usable(Ipv4 address) const;

    const Cidr block_;
    std::set<Ipv4> used_;
    uint32_t next_ = 2;  // Offset in the block.
};

}  // namespace kin::netns
