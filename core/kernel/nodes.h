#pragma once

#include <string>

#include "core/kernel/netns.h"
#include "core/kernel/nft_netlink.h"
#include "core/kernel/rtnl.h"

namespace kin {

/// A simulated node: a network namespace and the two sockets that change it. Its links and routes
/// are laid by whoever plans the network. Owned by the control thread.
struct KernelNode {
    /// Makes the namespace; it has nothing but a loopback that is down.
    static Result<KernelNode> create(std::string name);

    std::string name;
    Netns netns;
    Rtnl rtnl;
    nft::Nft nft;
};

}  // namespace kin
