#pragma once

#include <map>
#include <string>

#include "core/base/result.h"
#include "core/kernel/netns.h"
#include "netns/network/address_pool.h"
#include "netns/network/node_links.h"

namespace kin::netns {

/// One pod's place in the network.
struct PodNetwork {
    std::string node;
    Ipv4 address;
    Netns netns;
    int link = 0;  ///< The ifindex of the node's end of the pod's veth.
};

/// Attaches pods to their nodes by routed veths and gives them addresses.
/// Owned by the control thread. Pods are named by their uid: a name may come again.
class PodNetworks {
public:
    /// `links` outlives this object.
    explicit PodNetworks(NodeLinks& links) : links_(links) {}

    /// Makes the pod's namespace, with an address of its node's block: `wished` if that is free.
    /// About 1.3 ms. A pod that is attached already keeps what it has. Fails with kNotFound if
    /// there is no such node, kConflict if the node has no address left; then nothing remains.
    /// The pointer lives until detach().
    Result<const PodNetwork*> attach(const std::string& pod_uid, const std::string& node,
                                     Ipv4 wished = {});
    /// Closes the pod's namespace; the kernel removes its links in the background, once no process
    /// or socket is in it. The address answers "unreachable" at once and is free. Not attached is
    /// success.
    void detach(const std::string& pod_uid);
    /// nullptr if it is not attached.
    const PodNetwork* find(const std::string& pod_uid) const;

private:
    struct NodeState {
        explicit NodeState(Cidr block) : pool(block) {}
        AddressPool pool;
        int next_link = kFirstPodLink;  // Never reused: an old link may still be going away.
    };

    Result<Netns> connect(KernelNode& node, const PodPlan& plan);

    NodeLinks& links_;
    std::map<std::string, NodeState> nodes_;  // Of those that ever had a pod.
    std::map<std::string, PodNetwork> pods_;
};

}  // namespace kin::netns
