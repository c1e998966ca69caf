#pragma once

#include <compare>
#include <cstdint>
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

/// One port of one Service with what stands behind it now.
struct ServicePort {
    std::string name;  ///< "shop/web:http"; "shop/web" if the port has no name.
    Ipv4 cluster_ip;
    nft::L4 l4 = nft::L4::kTcp;
    uint16_t port = 0;
    std::vector<Endpoint> endpoints;  ///< Sorted, each once.
    auto operator<=>(const ServicePort&) const = default;
};

}  // namespace kin::proxy
