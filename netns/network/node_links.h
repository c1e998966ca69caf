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
    static Result<std::unique_ptr<NodeLinks>> create(const AddressPlan& addresses, int node_count);

    /// Any of them: "node-1", "router", "client", "internet", "fabric". nullptr if there is none.
    KernelNode* find(std::string_view name);
    /// The nodes in their order. The pointers live as long as this object.
    const std::vector<KernelNode*>& nodes() const { return nodes_; }
    const AddressPlan& addresses() const { return addresses_; }

private:
    explicit NodeLinks(const AddressPlan& addresses) : addresses_(addresses) {}
    Result<> build(int node_count);

    const AddressPlan addresses_;
    std::map<std::string, KernelNode, std::less<>> hosts_;
    std::vector<KernelNode*> nodes_;
};

/// Sets what must be set, then what this kernel may lack.
Result<> write_sysctls(const Netns& netns, const std::vector<Sysctl>& required,
                       const std::vector<Sysctl>& optional);

}  // namespace kin::netns
