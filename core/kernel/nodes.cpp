#include "core/kernel/nodes.h"

#include "core/base/strings.h"

namespace kin {

Result<KernelNode> KernelNode::create(std::string name) {
    TRY_ASSIGN(Netns netns, Netns::create());
    TRY_ASSIGN(Rtnl rtnl, Rtnl::open(netns));
    TRY_ASSIGN(nft::Nft nft, nft::Nft::open(netns));
    return KernelNode{std::move(name), std::move(netns), std::move(rtnl), std::move(nft)};
}

}  // namespace kin
