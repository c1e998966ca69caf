#pragma once

#include <sys/types.h>

#include <string>

namespace kin::bench {

/// What the data path is compared with: pods on bridges of two nodes, one wire between the nodes,
/// routes, and neither rules nor conntrack. Each pod is the namespace of a process that only waits
/// and ends with the caller.
struct BridgedPods {
    pid_t client, neighbour, far;  ///< The first two are on one node.
    std::string neighbour_address, far_address;
};

/// Needs user namespaces. The caller stays where it is; a failure ends the process.
BridgedPods make_bridged_pods();

}  // namespace kin::bench
