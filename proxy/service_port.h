#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/base/ip.h"
#include "core/kernel/nft.h"

namespace kin::proxy {

/// Where a connection to a Service may end: a pod's address and port.
struct Endpoint {
    Ipv4 address;
    uint16_t port = 0;
    std::string pod;  ///< "shop/web-0"; what the slice names if it is no pod.
    auto operator<=>(const Endpoint&) const = default;
};

/// internalTrafficPolicy and externalTrafficPolicy.
enum class TrafficPolicy : uint8_t {
    kCluster,  ///< To all endpoints.
    kLocal,    ///< Only to those of the node that the connection came to.
};

/// One port of one Service with what stands behind it now.
struct ServicePort {
    std::string name;  ///< "shop/web:http"; "shop/web" if the port has no name.
    Ipv4 cluster_ip;
    nft::L4 l4 = nft::L4::kTcp;
    uint16_t port = 0;
    std::vector<Endpoint> endpoints;  ///< Of all nodes; sorted, each once.

    uint16_t node_port = 0;               ///< 0: none
    std::vector<Ipv4> external_ips = {};  ///< spec.externalIPs
    std::vector<Ipv4> balanced_ips = {};  ///< Of its load balancer.
    bool restricted = false;              ///< Only source_ranges may come to balanced_ips.
    std::vector<Cidr> source_ranges = {};
    TrafficPolicy internal = TrafficPolicy::kCluster;
    TrafficPolicy external = TrafficPolicy::kCluster;  ///< Node port and addresses from outside.
    /// Endpoints by node, for the policy kLocal; empty if nothing asks for it.
    std::map<std::string, std::vector<Endpoint>> local = {};
    uint32_t affinity_s = 0;  ///< How long a client stays with its endpoint; 0: not at all.
    auto operator<=>(const ServicePort&) const = default;
};

}  // namespace kin::proxy
