#pragma once

#include "core/kernel/nft.h"
#include "netns/network/address_plan.h"

namespace kin::netns {

/// Of a node's table `kin-network`: what pods send to the outside world leaves under the node's
/// address, because nobody out there has a route to pods. Pod to pod, to nodes and to Services
/// keeps the pod's own address. Pure.
nft::Chain leave_as_node(const AddressPlan& addresses, int node);

}  // namespace kin::netns
