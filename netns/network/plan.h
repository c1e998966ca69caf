#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "netns/network/address_plan.h"
#include "netns/network/attachment.h"
#include "netns/network/host_plan.h"
#include "netns/network/overlay.h"

/// The network of a lab as values: which namespaces there are and what each holds. Pure; the
/// effects are in node_links.h and pod_networks.h.
///
///     client .10   internet .20       203.0.113.0/24 (bridge "outside" in the router)
///          \________/
///           router 172.30.0.1
///              |
///     fabric (a namespace with a bridge)      172.30.0.0/24
///        |             |
///     node-1 .2      node-2 .3        10.244.1.0/24, 10.244.2.0/24: a veth and a /32 per pod
namespace kin::netns {

/// What was chosen of a lab's network.
struct NetworkShape {
    AddressPlan addresses = {};
    const Attachment* attachment = attachments().front();
    const Overlay* overlay = overlays().front();
};

struct ClusterPlan {
    std::vector<HostPlan> hosts;  ///< fabric, router, client, internet, then the nodes
    std::vector<Cable> cables;
    /// nullptr if there is none.
    const HostPlan* find(std::string_view host) const;
};

/// `nodes` are their numbers.
ClusterPlan plan_cluster(const NetworkShape& shape, const std::vector<int>& nodes);

/// A node, and what the others hold because of it: what a lab gets when it joins.
struct NodePlan {
    HostPlan host;
    Cable cable;
    HostPlan fabric, router;  ///< Additions to these; those to every other node: plan_peer().
};
/// `others` are the numbers of the other nodes.
NodePlan plan_node(const NetworkShape& shape, int number, const std::vector<int>& others);
/// What `node` holds of another one, `peer`.
HostPlan plan_peer(const NetworkShape& shape, int node, int peer);

/// A pod's link and what stands on it: a /32 in the pod, and both sides know each other's MAC.
struct PodPlan {
    LinkEnd pod_end, node_end;
    uint32_t mtu_bytes = 0;       ///< of both ends; 0 leaves 1500
    std::vector<Sysctl> sysctls;  ///< of the pod's namespace, before the link is made
    std::vector<Sysctl> optional_sysctls;
    // In the pod.
    LinkAddress address;
    Neighbour gateway;
    Route default_route;
    HostPlan node;  ///< What its node gets.
};

/// `link` is the ifindex of the node's end, and `tag` names it: "veth" and up to 11 bytes of tag.
PodPlan plan_pod(const NetworkShape& shape, int node, Ipv4 pod, int link, std::string_view tag);

}  // namespace kin::netns
