#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/base/ip.h"
#include "core/kernel/nft.h"
#include "proxy/service_port.h"
#include "proxy/service_view.h"

namespace kin::proxy {

inline constexpr const char* kTableName = "kube-proxy";

/// One node, and the addresses of its cluster.
struct Network {
    std::string node;
    Ipv4 node_address;
    Addresses cluster;
    auto operator<=>(const Network&) const = default;
};

/// A chain that draws one of so many endpoints for a new connection. Services with equally many
/// share it: the key of the map in which it looks begins with the Service's own.
struct Balance {
    enum class Kind : uint8_t {
        kCluster,        ///< By address and port: "lb-2".
        kExternal,       ///< The same and through the node's address: "external-2".
        kNodePort,       ///< By node port, through the node's address: "nodeport-2".
        kLocal,          ///< From outside to endpoints of this node: "local-2".
        kLocalNodePort,  ///< The same by node port: "local-nodeport-2".
    };
    Kind kind = Kind::kCluster;
    uint32_t endpoints = 0;
    auto operator<=>(const Balance&) const = default;

    std::string chain_name() const;
    nft::Chain chain() const;
};

/// What one Service port adds to a table.
struct Elements {
    std::map<std::string, nft::Elements> sets;  ///< To the sets that Services share, by name.
    std::set<Balance> balances;                 ///< The shared chains that it needs.
    std::map<std::string, nft::Chain> chains;   ///< Its own: affinity, source ranges.
    std::map<std::string, nft::Set> own_sets;
};

/// What one Service port adds to the tables of all nodes, and of some.
struct Compiled {
    Elements everywhere;
    std::map<std::string, Elements> on_node;
};

/// Pure: the same input gives the same elements.
Compiled compile(const ServicePort& service);

/// The chains and the empty sets: what is there without any Service.
nft::Table skeleton(const Network& network);

/// One node's whole table.
nft::Table compile(const Network& network, std::span<const ServicePort> services);

}  // namespace kin::proxy
