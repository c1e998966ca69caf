#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "core/api/views.h"
#include "core/base/ip.h"

namespace kin::netns {

/// One port of a Service that the host's 127.0.0.1 shall lead to.
struct Publication {
    ObjectKey service;
    std::string port;  ///< "http"; "" if it has no name
    std::string type;  ///< "NodePort" or "LoadBalancer"
    Ipv4 target;       ///< Where it leads: a node, or the load balancer's address.
    uint16_t target_port = 0;
    uint16_t wished = 0;  ///< The host's port, if it is free.
    auto operator<=>(const Publication&) const = default;
};

/// What one Service publishes: its node ports (by way of `node`) and the ports of its load
/// balancer. TCP only. Pure.
std::vector<Publication> publications_of(const Service& service, Ipv4 node);

}  // namespace kin::netns
