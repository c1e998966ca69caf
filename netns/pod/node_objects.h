#pragma once

#include <string>

#include "core/base/json.h"
#include "core/base/time.h"
#include "netns/network/plan.h"

namespace kin {
class Client;
}

namespace kin::netns {

/// What this machine has; every node says it has all of it.
struct NodeCapacity {
    int64_t cpus = 1;
    int64_t memory_bytes = 0;
    std::string kernel, os_image, machine_id, boot_id;
    std::string architecture;  ///< "amd64"
};
NodeCapacity node_capacity();

/// A node's status as its kubelet writes it: addresses, capacity, versions, conditions. Conditions
/// keep the transition times they have in `old`. Pure.
Json node_status(const AddressPlan& addresses, const std::string& node,
                 const NodeCapacity& capacity, const std::string& kin_version, int max_pods,
                 const Json& old, WallTime now);

/// Registers nodes with the API, as kubelets do when they start.
class NodeObjects {
public:
    NodeObjects(Client& client, const NetworkShape& network, std::string kin_version, int max_pods);

    /// Creates the Node and its Lease, or refreshes them. Asynchronous; failures are logged.
    void apply(const std::string& node);
    /// Takes a node out of the cluster, with its Lease. Asynchronous.
    void remove(const std::string& node);
    /// Whether the object was made by apply(), now or in an earlier run.
    static bool is_own(const Json& node);

private:
    void apply_lease(const std::string& node);

    Client& client_;
    const NetworkShape& network_;
    const std::string version_;
    const int max_pods_;
    const NodeCapacity capacity_ = node_capacity();
};

}  // namespace kin::netns
