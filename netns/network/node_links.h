#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/kernel/nodes.h"
#include "netns/network/plan.h"

namespace kin::netns {

/// Moves the calling thread into a new, empty network namespace, its home from then on. Whoever
/// enters other namespaces does this first: rootless there is no way back to the host's.
Result<> leave_host_network();

/// The lab's standing network: fabric, router, the outside hosts client and internet, and the
/// nodes, each a namespace. It goes when this object and whatever runs inside have gone.
/// Owned by the control thread, which has left the host's network.
class NodeLinks {
public:
    /// About 1 ms per node. Fails with kInvalid if the addresses do not fit, kDenied without
    /// CAP_NET_ADMIN and CAP_SYS_ADMIN in a user namespace.
    /// `nodes` are their numbers, in order.
    static Result<std::unique_ptr<NodeLinks>> create(const NetworkShape& shape,
                                                     const std::vector<int>& nodes);

    /// Adds a node to the running network; about 3 ms. kExists: it is there already. After an
    /// error nothing of it is left.
    Result<KernelNode*> add_node(int number);
    /// Takes a node out, cutting its cable at once (20 ms); its namespace goes with the last
    /// process or socket in it. Nobody may use its KernelNode any more. Not there is success.
    /// Returns the first error, having gone on.
    Result<> remove_node(int number);

    /// Any of them: "node-1", "router", "client", "internet", "fabric". nullptr if there is none.
    KernelNode* find(std::string_view name);
    /// The nodes in the order of their numbers. A pointer lives until the node is removed.
    const std::vector<KernelNode*>& nodes() const { return nodes_; }
    std::vector<int> node_numbers() const;
    const NetworkShape& shape() const { return shape_; }
    const AddressPlan& addresses() const { return shape_.addresses; }

private:
    explicit NodeLinks(const NetworkShape& shape) : shape_(shape) {}
    Result<> build(const std::vector<int>& nodes);
    Result<KernelNode*> create_host(const HostPlan& plan);
    Result<> join(const NodePlan& plan);

    const NetworkShape shape_;
    std::map<std::string, KernelNode, std::less<>> hosts_;
    std::vector<KernelNode*> nodes_;
};

/// Sets, in the namespace that the calling thread is in, what must be set, then what this kernel
/// may lack.
Result<> write_sysctls(const std::vector<Sysctl>& required, const std::vector<Sysctl>& optional);

}  // namespace kin::netns
