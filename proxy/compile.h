#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "core/base/ip.h"
#include "core/kernel/nft.h"
#include "proxy/service_port.h"

namespace kin::proxy {

inline constexpr const char* kTableName = "kube-proxy";

/// The addresses of a cluster and one of its nodes.
struct Network {
    Ipv4 node_address;  ///< Of the node whose table it is.
    Cidr pods;          ///< Of all nodes: 10.244.0.0/16.
    Cidr services;      ///< 10.96.0.0/16
    Cidr nodes;         ///< 172.30.0.0/24
    auto operator<=>(const Network&) const = default;
};

/// What one Service port adds to the sets of every node's table.
struct Elements {
    std::map<std::string, nft::Elements> sets;  ///< By the set's name.
    uint32_t balance = 0;  ///< It needs the chain that draws one of so many endpoints; 0: none.
};

/// Pure: the same input gives the same elements, on every node.
Elements compile(const ServicePort& service);

/// The chains and the empty sets: what is there without any Service, and the only part in which
/// nodes differ.
nft::Table skeleton(const Network& network);
/// The chain that draws one of `endpoints` for a new connection: "lb-2".
nft::Chain balance_chain(uint32_t endpoints);
std::string balance_chain_name(uint32_t endpoints);

/// One node's whole table.
nft::Table compile(const Network& network, std::span<const ServicePort> services);

}  // namespace kin::proxy
