#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ip.h"
#include "core/base/result.h"

namespace kin::netns {

/// Which addresses are what. The defaults are those of kubeadm and friends.
struct AddressPlan {
    Cidr pods{{0x0AF40000}, 16};            ///< 10.244.0.0/16; node N has 10.244.N.0/24
    Cidr services{{0x0A600000}, 16};        ///< 10.96.0.0/16
    Cidr nodes{{0xAC1E0000}, 24};           ///< 172.30.0.0/24; router .1, node N .(1+N)
    Cidr load_balancers{{0xAC1EC800}, 24};  ///< 172.30.200.0/24
    Cidr outside{{0xCB007100}, 24};         ///< 203.0.113.0/24; router .1, client .10, internet .20
    uint8_t node_pod_bits = 24;             ///< size of one node's share of `pods`

    /// Fails with kInvalid, in words for people, if blocks overlap or nodes up to the number
    /// `last_node` do not fit in them.
    Result<> check(int last_node) const;

    Ipv4 router() const { return nodes.address.plus(1); }
    Ipv4 node(int number) const { return nodes.address.plus(1 + static_cast<uint32_t>(number)); }
    Cidr node_pods(int number) const;
    /// The address that a node's pods see as their gateway: the first of its block.
    Ipv4 gateway(int number) const { return node_pods(number).address.plus(1); }
    Ipv4 outside_router() const { return outside.address.plus(1); }
    Ipv4 client() const { return outside.address.plus(10); }
    Ipv4 internet() const { return outside.address.plus(20); }
    Ipv4 cluster_dns() const { return services.address.plus(10); }
};

/// "node-3", for 3.
std::string node_name(int number);
/// 3, for "node-3"; 0 for anything else.
int node_number(std::string_view name);

/// 1, 2 ... `count`: the numbers of a new lab's nodes.
std::vector<int> first_nodes(int count);

/// The MAC of whoever has this address: 0a:58 and the address. Known beforehand, so that nobody
/// ever has to ask for it on the wire.
Mac mac_of(Ipv4 address);
/// The MAC of the far end of that one's link: 0e:58 and the address.
Mac far_mac_of(Ipv4 address);

}  // namespace kin::netns
