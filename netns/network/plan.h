#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ip.h"
#include "core/base/result.h"
#include "core/kernel/netns.h"
#include "core/kernel/rtnl.h"

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

/// Which addresses are what. The defaults are those of kubeadm and friends.
struct AddressPlan {
    Cidr pods{{0x0AF40000}, 16};            ///< 10.244.0.0/16; node N has 10.244.N.0/24
    Cidr services{{0x0A600000}, 16};        ///< 10.96.0.0/16
    Cidr nodes{{0xAC1E0000}, 24};           ///< 172.30.0.0/24; router .1, node N .(1+N)
    Cidr load_balancers{{0xAC1EC800}, 24};  ///< 172.30.200.0/24
    Cidr outside{{0xCB007100}, 24};         ///< 203.0.113.0/24; router .1, client .10, internet .20
    uint8_t node_pod_bits = 24;             ///< size of one node's share of `pods`

    /// Fails with kInvalid, in words for people, if blocks overlap or nodes up to the number
    /// `last_node` do not fit in them.
    Result<> check(int last_node) const;

    Ipv4 router() const { return nodes.address.plus(1); }
    Ipv4 node(int number) const { return nodes.address.plus(1 + static_cast<uint32_t>(number)); }
    Cidr node_pods(int number) const;
    /// The address that a node's pods see as their gateway: the first of its block.
    Ipv4 gateway(int number) const { return node_pods(number).address.plus(1); }
    Ipv4 outside_router() const { return outside.address.plus(1); }
    Ipv4 client() const { return outside.address.plus(10); }
    Ipv4 internet() const { return outside.address.plus(20); }
    Ipv4 cluster_dns() const { return services.address.plus(10); }
};

/// "node-3", for 3.
std::string node_name(int number);
/// 3, for "node-3"; 0 for anything else.
int node_number(std::string_view name);

/// 1, 2 ... `count`: the numbers of a new lab's nodes.
std::vector<int> first_nodes(int count);

/// The MAC of whoever has this address: 0a:58 and the address. Known beforehand, so that nobody
/// ever has to ask for it on the wire.
Mac mac_of(Ipv4 address);
/// The MAC of the far end of that one's link: 0e:58 and the address.
Mac far_mac_of(Ipv4 address);

/// A link between two namespaces, as the pair of ends it is made of.
struct Cable {
    std::string here;  ///< Namespace of `here_end`; the request is sent there.
    LinkEnd here_end;
    std::string there;
    LinkEnd there_end;
};

/// What one network namespace holds besides the cables.
struct HostPlan {
    std::string name;
    std::vector<Sysctl> sysctls;           ///< Set first: devices take them over when made.
    std::vector<Sysctl> optional_sysctls;  ///< The same, where this kernel has them.
    std::vector<LinkEnd> bridges;          ///< Made before cables.
    struct Port {
        int link, bridge;
    };
    std::vector<Port> ports;
    std::vector<LinkAddress> addresses;
    std::vector<int> up;  ///< Links to set up, after ports and addresses.
    std::vector<Neighbour> neighbours;
    std::vector<Route> routes;
};

struct ClusterPlan {
    std::vector<HostPlan> hosts;  ///< fabric, router, client, internet, then the nodes
    std::vector<Cable> cables;
    /// nullptr if there is none.
    const HostPlan* find(std::string_view host) const;
};

/// `nodes` are their numbers.
ClusterPlan plan_cluster(const AddressPlan& addresses, const std::vector<int>& nodes);

/// A node, and what the others hold because of it: what a lab gets when it joins.
struct NodePlan {
    HostPlan host;
    Cable cable;
    HostPlan fabric, router, peer;  ///< Additions to these, and to every other node.
};
/// `others` are the numbers of the other nodes.
NodePlan plan_node(const AddressPlan& addresses, int number, const std::vector<int>& others);

/// Well-known ifindexes.
constexpr int kLoopback = 1;
constexpr int kEth0 = 2;
constexpr int kFirstPodLink = 16;  ///< On a node, pods' veths are numbered from here on.

/// A pod's link as Kubernetes' "ptp" plugin makes it: a /32 in the pod, a route to it on the node,
/// and both sides know each other's MAC.
struct PodPlan {
    LinkEnd pod_end, node_end;
    std::vector<Sysctl> sysctls;  ///< of the pod's namespace, before the link is made
    std::vector<Sysctl> optional_sysctls;
    // In the pod.
    LinkAddress address;
    Neighbour gateway;
    Route default_route;
    // On the node.
    Neighbour pod;
    Route pod_route;
};

/// `link` is the ifindex of the node's end, and `tag` names it: "veth" and up to 11 bytes of tag.
PodPlan plan_pod(const AddressPlan& addresses, int node, Ipv4 pod, int link, std::string_view tag);

}  // namespace kin::netns
