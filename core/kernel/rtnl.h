#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ip.h"
#include "core/base/result.h"
#include "core/kernel/netlink.h"
#include "core/kernel/netns.h"

namespace kin {

/// One end of a pair of links. An index of 0 and no MAC leave the choice to the kernel.
struct LinkEnd {
    std::string name;
    int index = 0;
    std::optional<Mac> mac;
};

/// Two links joined by a wire.
struct VethPair {
    LinkEnd here;
    LinkEnd peer;
    const Netns* peer_ns = nullptr;  ///< Where the peer is born; this namespace if null.
    uint32_t mtu_bytes = 0;          ///< Of both ends; 0 leaves 1500.
};

/// A tunnel that carries frames to other hosts inside UDP datagrams. Where to, its forwarding
/// entries say: it learns nothing from what arrives.
struct Vxlan {
    LinkEnd end;
    uint32_t id = 0;  ///< The VNI, which both sides share.
    Ipv4 local;       ///< The sender's address of the datagrams.
    int link = 0;     ///< The ifindex of the link that they leave by.
    uint16_t port = 4789;
    uint32_t mtu_bytes = 0;  ///< 50 less than that of `link`; 0 lets the kernel see to it.
};

/// One way to a destination.
struct NextHop {
    Ipv4 via;      ///< 0.0.0.0: the destination is on the link itself.
    int link = 0;  ///< An ifindex; 0 lets the kernel find the link of `via`.
    auto operator<=>(const NextHop&) const = default;
};

/// A route of the main table.
struct Route {
    enum class Gateway {
        kOnNetwork,  ///< `via` lies in a network of the link.
        kOnLink,     ///< `via` is a neighbour although no network says so ("onlink").
    };
    Cidr destination{{0}, 0};
    std::vector<NextHop> hops;   ///< Several share the traffic by flow; none: unreachable.
    std::optional<Ipv4> source;  ///< The sender's address of what starts here ("src").
    Gateway gateway = Gateway::kOnNetwork;
    auto operator<=>(const Route&) const = default;
    std::string to_string() const;  ///< As `ip route` writes it, with dev N for link N.
};

/// A link as the kernel describes it.
struct Link {
    int index = 0;
    std::string name;
    std::string kind;  ///< "veth", "bridge", "vxlan"; empty for lo.
    Mac mac;
    uint32_t mtu_bytes = 0;
    int bridge = 0;  ///< The ifindex of the bridge that it is a port of; 0: of none.
    int peer = 0;    ///< The ifindex of a veth's other end, in that end's namespace.
    bool up = false;
    bool locked = false;  ///< A bridge's port that takes frames of known MACs only: isolate_port().
};

/// An address of a link, with the length of its network.
struct LinkAddress {
    int link = 0;
    Ipv4 address;
    uint8_t bits = 32;
    auto operator<=>(const LinkAddress&) const = default;
};

/// A permanent entry of the neighbour table.
struct Neighbour {
    int link = 0;
    Ipv4 address;
    Mac mac;
    auto operator<=>(const Neighbour&) const = default;
};

/// Where frames for a MAC go: a fixed entry of a forwarding table (`bridge fdb`).
struct Forwarding {
    int link = 0;  ///< A bridge's port, behind which the MAC is; or a VXLAN link.
    Mac mac;
    std::optional<Ipv4> tunnel;  ///< Of a VXLAN link: the address of the host at the other end.
    auto operator<=>(const Forwarding&) const = default;
};

/// Changes of links, addresses and routes that go to the kernel together: RtnlBatch collects them,
/// Rtnl::apply sends them in one system call. Links are named by ifindex; choose it when you add
/// one, so that the same batch can go on with it.
class RtnlBatch {
public:
    /// Adds both ends, down and without addresses. kExists if a name or index is taken.
    RtnlBatch& add_veth(const VethPair& pair);
    /// Adds a bridge, down. Spanning tree and multicast snooping are off.
    RtnlBatch& add_bridge(const LinkEnd& bridge);
    /// Adds a VXLAN link, down. Fails where the kernel has no VXLAN (module vxlan).
    RtnlBatch& add_vxlan(const Vxlan& vxlan);
    RtnlBatch& set_up(int link);
    RtnlBatch& set_down(int link);
    /// Lets the kernel act at once on a carrier that has come: else it does some milliseconds
    /// later, and until then a veth loses what is sent and a bridge's port forwards nothing. Once
    /// both ends of the link are up. Before Linux 6.8 it changes nothing.
    RtnlBatch& settle_carrier(int link);
    /// The link takes IPv4 packets only of senders to whom the way is that link (rp_filter 1).
    RtnlBatch& check_senders(int link);
    RtnlBatch& rename(int link, std::string_view name);  ///< The link must be down.
    /// Makes a link a port of a bridge.
    RtnlBatch& set_bridge(int link, int bridge);
    /// A port for somebody who is not trusted. It exchanges frames only with the bridge itself and
    /// with ports that are not isolated, and takes them from MACs only that set_forwarding() put
    /// behind it: nobody can speak or be spoken to as somebody else. Before Linux 5.18 it takes
    /// them from all. After set_bridge().
    RtnlBatch& isolate_port(int link);
    /// An address that is already there is success.
    RtnlBatch& add_address(const LinkAddress& address);
    /// An address that is already gone is success.
    RtnlBatch& delete_address(const LinkAddress& address);
    /// Adds the route or replaces the one to the same destination.
    RtnlBatch& set_route(const Route& route);
    /// A route that is already gone is success.
    RtnlBatch& delete_route(const Cidr& destination);
    /// Adds or replaces. Nothing is asked on the wire then, and the entry never ages: the table is
    /// shared by all namespaces and overflows at 1,024 entries of the other sort.
    RtnlBatch& set_neighbour(const Neighbour& neighbour);
    /// A neighbour that is already gone is success.
    RtnlBatch& delete_neighbour(int link, Ipv4 address);
    /// Adds or replaces.
    RtnlBatch& set_forwarding(const Forwarding& entry);
    /// An entry that is already gone is success.
    RtnlBatch& delete_forwarding(const Forwarding& entry);
    /// Deletes a link and, for a veth, its peer. Already gone is success.
    RtnlBatch& delete_link(int link);

    bool empty() const { return requests_.empty(); }

private:
    friend class Rtnl;
    Request& add(uint16_t type, uint16_t flags, std::string what);
    Request& change_link(int link, unsigned flags, unsigned mask, std::string what);
    std::vector<Request> requests_;
};

/// Links, addresses, routes and neighbours of one network namespace.
///
/// Every call waits for the kernel: about 0.3 ms to add a link, 20 ms to delete one (the kernel
/// waits for its readers; closing a namespace does not). Owned by the control thread.
class Rtnl {
public:
    /// Opens a socket that acts on the namespace `ns`, whatever thread uses it later.
    static Result<Rtnl> open(const Netns& ns);
    /// On the namespace that the calling thread is in.
    static Result<Rtnl> open_here();

    /// Carries out every change it can, in order, and returns the first error, which names its
    /// change: "add veth kin12: kernel: File exists". Not a transaction.
    Result<> apply(RtnlBatch& batch);
    Result<> apply(RtnlBatch&& batch) { return apply(batch); }
    /// Deletes a link and, for a veth, its peer. Already gone is success.
    Result<> delete_link(std::string_view name);

    Result<std::vector<Link>> links();
    /// Fails with kNotFound.
    Result<Link> link(std::string_view name);
    Result<std::vector<LinkAddress>> addresses();
    /// The main table, as the kernel orders it.
    Result<std::vector<Route>> routes();
    /// The permanent ones.
    Result<std::vector<Neighbour>> neighbours();
    /// What set_forwarding() put there.
    Result<std::vector<Forwarding>> forwarding();

private:
    explicit Rtnl(Netlink netlink) : netlink_(std::move(netlink)) {}
    Netlink netlink_;
};

}  // namespace kin
