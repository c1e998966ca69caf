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
    std::string port;                    ///< "http"; "" if it has no name
    std::string type;                    ///< "NodePort" or "LoadBalancer"
    Protocol protocol = Protocol::kTcp;  ///< TCP or UDP
    Ipv4 target;  ///< Where it leads: a node, or the load balancer's address.
    uint16_t target_port = 0;
    uint16_t wished = 0;  ///< The host's port, if it is free.
    auto operator<=>(const Publication&) const = default;

    /// The same whatever node a node port is asked by: a door on the host that may turn to
    /// another node and stays the same door.
    Publication door() const;
};

/// What one Service publishes: its node ports (by way of `node`) and the ports of its load
/// balancer, TCP and UDP. Pure.
std::vector<Publication> publications_of(const Service& service, Ipv4 node);

}  // namespace kin::netns
