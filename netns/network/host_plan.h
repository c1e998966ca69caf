#pragma once

#include <string>
#include <vector>

#include "core/base/ip.h"
#include "core/kernel/netns.h"
#include "core/kernel/nft.h"
#include "core/kernel/rtnl.h"

/// One network namespace as a value, and that value as changes of the kernel. Pure.
namespace kin::netns {

/// Well-known ifindexes.
constexpr int kLoopback = 1;
constexpr int kEth0 = 2;
constexpr int kPodBridge = 3;      ///< On a node with bridged pods: cni0.
constexpr int kTunnel = 4;         ///< On a node with an overlay: vxlan.1.
constexpr int kFirstPodLink = 16;  ///< On a node, pods' veths are numbered from here on.

/// A link between two namespaces, as the pair of ends it is made of.
struct Cable {
    std::string here;  ///< Namespace of `here_end`; the request is sent there.
    LinkEnd here_end;
    std::string there;
    LinkEnd there_end;
};

/// What one network namespace holds besides the cables, or what comes to it.
struct HostPlan {
    std::string name;
    std::vector<Sysctl> sysctls;           ///< Set first: devices take them over when made.
    std::vector<Sysctl> optional_sysctls;  ///< The same, where this kernel has them.
    std::vector<LinkEnd> bridges;          ///< Made before cables.
    std::vector<Vxlan> tunnels;            ///< Made after cables.
    struct Port {
        int link, bridge;
        enum class Trust { kFull, kIsolated } trust = Trust::kFull;
    };
    std::vector<Port> ports;
    std::vector<LinkAddress> addresses;
    std::vector<int> checked;  ///< Links that take packets only of senders whose way is that link.
    std::vector<int> up;       ///< Links to set up, after ports and addresses.
    std::vector<Neighbour> neighbours;
    std::vector<Forwarding> forwarding;
    std::vector<Route> routes;
    std::vector<nft::Set> sets;      ///< Of its nftables table `kin-network`.
    std::vector<nft::Chain> chains;  ///< The same; without any there is no such table.
    std::vector<int> carriers;  ///< Links that carry at once, their other ends being up already.
};

/// Adds to `to` all that `more` holds.
void append(HostPlan& to, const HostPlan& more);

/// Its table `kin-network`.
nft::Table rules_of(const HostPlan& host);
/// What makes `host`'s links once its sysctls are set and its bridges and cables are there.
void add_to(RtnlBatch& batch, const HostPlan& host);
/// What takes away the routes, neighbours and forwarding entries of `addition`: those outlive what
/// they are about. Its links go with their other ends.
void take_from(RtnlBatch& batch, const HostPlan& addition);

/// A route by one way.
Route route_via(Cidr destination, Ipv4 via, int link);
/// Answers "no route to host" at once where a default route would send packets in circles.
Route unreachable(Cidr destination);

/// IPv6 is quiet unless asked for: every link would chat (router solicitations, duplicate address
/// detection), which made setting up a pod 5 times slower with 1,000 of them.
Sysctl no_ipv6();
/// Bridges must not pass frames through the namespace's IP hooks. These settings exist only where
/// br_netfilter is loaded, and then start at 1.
std::vector<Sysctl> plain_bridges();

}  // namespace kin::netns
