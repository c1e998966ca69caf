#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/api/views.h"
#include "core/base/ip.h"

namespace kin::netns {

/// A load balancer may lead to this node: it is Ready and nobody labelled it
/// node.kubernetes.io/exclude-from-external-load-balancers. Pure.
bool takes_traffic(const Node& node);

/// Over which of `nodes` the addresses of a load balancer lead: all, or with externalTrafficPolicy
/// Local those on which an endpoint is ready. If there is none, all again: the nodes drop what
/// comes, which is what clients of a cloud's load balancer meet. Pure.
std::vector<std::string> nodes_behind(const Service& service,
                                      const std::vector<const EndpointSlice*>& slices,
                                      const std::vector<std::string>& nodes);

}  // namespace kin::netns
