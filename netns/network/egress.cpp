#include "netns/network/egress.h"

namespace kin::netns {

nft::Chain leave_as_node(const AddressPlan& addresses, int node) {
    const auto to_elsewhere = [](Cidr block) {
        return nft::AddressMatch{nft::Side::kDestination, block, nft::Sense::kIsNot};
    };
    nft::Rule leave;
    leave.statements = {
        nft::InterfaceMatch{nft::Direction::kOut, "eth0"},
        nft::AddressMatch{nft::Side::kSource, addresses.node_pods(node)},
        to_elsewhere(addresses.pods),
        to_elsewhere(addresses.nodes),
        nft::Counter{},
        // Not masquerade: that would take the gateway's address, which is on lo.
        nft::Snat{addresses.node(node)},
    };
    leave.comment = "pods to the outside world leave as the node";
    nft::Chain postrouting;
    postrouting.name = "postrouting";
    postrouting.base = nft::Base{nft::Base::Type::kNat, nft::Hook::kPostrouting,
                                 // After kube-proxy's: who of them rewrites first wins.
                                 nft::kSrcnatPriority + 5};
    postrouting.rules = {std::move(leave)};
    return postrouting;
}

}  // namespace kin::netns
