#pragma once

#include <vector>

#include "core/api/views.h"
#include "proxy/service_port.h"

namespace kin::proxy {

/// Which addresses are what; the same for all nodes.
struct Addresses {
    Cidr pods;            ///< Of all nodes: 10.244.0.0/16.
    Cidr services;        ///< 10.96.0.0/16
    Cidr nodes;           ///< 172.30.0.0/24
    Cidr load_balancers;  ///< 172.30.200.0/24
    auto operator<=>(const Addresses&) const = default;
};

/// What a Service and its slices ask of every node: one entry per port, with the endpoints that
/// are ready or, when none is, those that end but still serve (KEP-1669). Nothing for headless and
/// ExternalName Services, which have no address of their own. SCTP ports are left out, and so are
/// externalIPs that belong to pods or Services: nobody takes over what is another's. Pure.
std::vector<ServicePort> ports_of(const Service& service,
                                  const std::vector<const EndpointSlice*>& slices,
                                  const Addresses& addresses);

}  // namespace kin::proxy
