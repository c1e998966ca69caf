#pragma once

#include <functional>
#include <map>
#include <string>

#include "core/base/lifetime.h"
#include "core/base/result.h"
#include "core/kernel/netns.h"
#include "netns/network/address_pool.h"
#include "netns/network/node_links.h"
#include "netns/network/pod_wiring.h"

namespace kin::netns {

/// One pod's place in the network.
struct PodNetwork {
    std::string node;
    Ipv4 address;
    Netns netns;
    int link = 0;  ///< The ifindex of the node's end of the pod's veth.
};

/// Attaches pods to their nodes, in the way of the lab (attachment.h), and gives them addresses.
/// Owned by the control thread. Pods are named by their uid: a name may come again.
class PodNetworks {
public:
    /// Both outlive this object. Without `wiring` attach_soon() does its work at once.
    explicit PodNetworks(NodeLinks& links, PodWiring* wiring = nullptr)
        : links_(links), wiring_(wiring) {}

    /// Makes the pod's namespace, with an address of its node's block: `wished` if that is free.
    /// About 1.3 ms. A pod that is attached already keeps what it has. Fails with kNotFound if
    /// there is no such node, kConflict if the node has no address left; then nothing remains.
    /// The pointer lives until detach().
    Result<const PodNetwork*> attach(const std::string& pod_uid, const std::string& node,
                                     Ipv4 wished = {});
    /// The same on the thread of the wiring, unless the pod is attached already: `done` is called
    /// later or, for an early error, at once. Not called if detach() comes first, nor if the pod is
    /// asked for once more meanwhile: then that one's is.
    using Attached = std::function<void(Result<const PodNetwork*>)>;
    void attach_soon(const std::string& pod_uid, const std::string& node, Ipv4 wished,
                     Attached done);
    /// Closes the pod's namespace; the kernel removes its links in the background, once no process
    /// or socket is in it. The address is free, and unreachable: at once with routed veths, with a
    /// bridge once nobody has answered for it. Not attached is success.
    void detach(const std::string& pod_uid);
    /// Lets go of a node that leaves; its pods are detached.
    void forget_node(const std::string& node);
    /// What the node calls its end of the pod's veth; "" if it is not attached.
    std::string link_name(const std::string& pod_uid) const;
    /// nullptr if it is not attached.
    const PodNetwork* find(const std::string& pod_uid) const;

private:
    struct NodeState {
        explicit NodeState(Cidr block) : pool(block) {}
        AddressPool pool;
        int next_link = kFirstPodLink;  // Never reused: an old link may still be going away.
    };

    /// A pod on its way.
    struct Place {
        std::string node;
        Ipv4 address;
        int link = 0;
        Attached done;  ///< Empty: detached meanwhile.
    };

    Result<Place> find_place(const std::string& node, Ipv4 wished);
    PodPlan plan(const std::string& pod_uid, const Place& place) const;
    /// The pod's namespace is made, or could not be.
    Result<const PodNetwork*> settle(const std::string& pod_uid, const Place& place,
                                     Result<Netns> made);

    NodeLinks& links_;
    PodWiring* const wiring_;
    std::map<std::string, NodeState> nodes_;  // Of those that ever had a pod.
    std::map<std::string, PodNetwork> pods_;
    std::map<std::string, Place> on_their_way_;
    Lifetime lifetime_;  // Last: answers end before what they touch.
};

}  // namespace kin::netns
