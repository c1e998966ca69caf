#include "core/kernel/rtnl.h"

#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/socket.h>

#include <cstring>

#include "core/base/strings.h"

namespace kin {

namespace {

ifinfomsg link_header(int index = 0, unsigned flags = 0, unsigned mask = 0) {
    ifinfomsg header{};
    header.ifi_index = index;
    header.ifi_flags = flags;
    header.ifi_change = mask;
    return header;
}

/// What both ends of a veth and a bridge have in common.
void put_end(Request& request, const LinkEnd& end, uint32_t mtu_bytes) {
    request.put_header(link_header(end.index));
    request.put(IFLA_IFNAME, end.name);
    if (end.mac) request.put(IFLA_ADDRESS, *end.mac);
    if (mtu_bytes != 0) request.put_u32(IFLA_MTU, mtu_bytes);
}

void put_hops(Request& request, const Route& route) {
    const uint8_t flags = route.gateway == Route::Gateway::kOnLink ? RTNH_F_ONLINK : 0;
    const auto hops = request.nest(RTA_MULTIPATH);
    for (const NextHop& hop : route.hops) {
        // An rtnexthop and, if there is one, its RTA_GATEWAY.
        const bool gateway = hop.via.value != 0;
        rtnexthop header{};
        header.rtnh_len = static_cast<uint16_t>(sizeof header + (gateway ? 8 : 0));
        header.rtnh_flags = flags;
        header.rtnh_ifindex = hop.link;
        request.put_raw(&header, sizeof header);
        if (gateway) request.put(RTA_GATEWAY, hop.via);
    }
}

rtmsg route_header(const Route& route) {
    rtmsg header{};
    header.rtm_family = AF_INET;
    header.rtm_dst_len = route.destination.bits;
    header.rtm_table = RT_TABLE_MAIN;
    header.rtm_protocol = RTPROT_STATIC;
    header.rtm_type = route.hops.empty() ? RTN_UNREACHABLE : RTN_UNICAST;
    const bool direct = route.hops.size() == 1 && route.hops[0].via.value == 0;
    header.rtm_scope = direct ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
    if (route.hops.size() == 1 && route.gateway == Route::Gateway::kOnLink)
        header.rtm_flags = RTNH_F_ONLINK;
    return header;
}

ndmsg neighbour_header(int link) {
    ndmsg header{};
    header.ndm_family = AF_INET;
    header.ndm_ifindex = link;
    header.ndm_state = NUD_PERMANENT;
    return header;
}

/// Of a forwarding entry: a static one in a bridge (there, a permanent one means the bridge
/// itself), a permanent one in a VXLAN link.
ndmsg forwarding_header(const Forwarding& entry) {
    ndmsg header{};
    header.ndm_family = AF_BRIDGE;
    header.ndm_ifindex = entry.link;
    header.ndm_state = entry.tunnel ? NUD_PERMANENT : NUD_NOARP;
    header.ndm_flags = entry.tunnel ? NTF_SELF : NTF_MASTER;
    return header;
}

ifaddrmsg address_header(const LinkAddress& address) {
    ifaddrmsg header{};
    header.ifa_family = AF_INET;
    header.ifa_prefixlen = address.bits;
    header.ifa_index = static_cast<uint32_t>(address.link);
    return header;
}

}  // namespace

std::string Route::to_string() const {
    std::string out;
    if (hops.empty()) out += "unreachable ";
    out += destination.bits == 0 ? "default" : destination.to_string();
    for (const NextHop& hop : hops) {
        if (hops.size() > 1) out += " nexthop";
        if (hop.via.value != 0) out += cat(" via ", hop.via);
        if (hop.link != 0) out += cat(" dev ", hop.link);
    }
    if (source) out += cat(" src ", *source);
    if (gateway == Gateway::kOnLink) out += " onlink";
    return out;
}

Request& RtnlBatch::add(uint16_t type, uint16_t flags, std::string what) {
    return requests_.emplace_back(type, flags, std::move(what));
}

RtnlBatch& RtnlBatch::add_veth(const VethPair& pair) {
    Request& request =
        add(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, cat("add veth ", pair.here.name));
    put_end(request, pair.here, pair.mtu_bytes);
    const auto info = request.nest(IFLA_LINKINFO);
    request.put(IFLA_INFO_KIND, "veth");
    const auto data = request.nest(IFLA_INFO_DATA);
    const auto peer = request.nest(VETH_INFO_PEER);
    // The peer's header must not say "up": the kernel would open it while its other end is missing.
    put_end(request, pair.peer, pair.mtu_bytes);
    // Born in its namespace: the peer's name never has to be free here.
    if (pair.peer_ns) request.put_u32(IFLA_NET_NS_FD, static_cast<uint32_t>(pair.peer_ns->fd()));
    return *this;
}

RtnlBatch& RtnlBatch::add_bridge(const LinkEnd& bridge) {
    Request& request = add(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, cat("add bridge ", bridge.name));
    put_end(request, bridge, 0);
    const auto info = request.nest(IFLA_LINKINFO);
    request.put(IFLA_INFO_KIND, "bridge");
    const auto data = request.nest(IFLA_INFO_DATA);
    request.put_u32(IFLA_BR_STP_STATE, 0);
    request.put_u8(IFLA_BR_MCAST_SNOOPING, 0);
    return *this;
}

RtnlBatch& RtnlBatch::add_vxlan(const Vxlan& vxlan) {
    Request& request =
        add(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, cat("add vxlan ", vxlan.end.name));
    put_end(request, vxlan.end, vxlan.mtu_bytes);
    const auto info = request.nest(IFLA_LINKINFO);
    request.put(IFLA_INFO_KIND, "vxlan");
    const auto data = request.nest(IFLA_INFO_DATA);
    request.put_u32(IFLA_VXLAN_ID, vxlan.id);
    request.put_u32(IFLA_VXLAN_LINK, static_cast<uint32_t>(vxlan.link));
    request.put(IFLA_VXLAN_LOCAL, vxlan.local);
    request.put_be16(IFLA_VXLAN_PORT, vxlan.port);
    request.put_u8(IFLA_VXLAN_LEARNING, 0);
    return *this;
}

Request& RtnlBatch::change_link(int link, unsigned flags, unsigned mask, std::string what) {
    return add(RTM_NEWLINK, 0, std::move(what)).put_header(link_header(link, flags, mask));
}

RtnlBatch& RtnlBatch::set_up(int link) {
    change_link(link, IFF_UP, IFF_UP, cat("set link ", link, " up"));
    return *this;
}

RtnlBatch& RtnlBatch::set_down(int link) {
    change_link(link, 0, IFF_UP, cat("set link ", link, " down"));
    return *this;
}

RtnlBatch& RtnlBatch::settle_carrier(int link) {
    // Who asks for a link is not told of a carrier that nobody has acted on (linkwatch_sync_dev).
    add(RTM_GETLINK, 0, cat("settle the carrier of link ", link)).put_header(link_header(link));
    return *this;
}

RtnlBatch& RtnlBatch::check_senders(int link) {
    Request& request = change_link(link, 0, 0, cat("check senders on link ", link));
    const auto families = request.nest(IFLA_AF_SPEC);
    const auto family = request.nest(AF_INET);
    const auto settings = request.nest(IFLA_INET_CONF);
    request.put_u32(IPV4_DEVCONF_RP_FILTER, 1);
    return *this;
}

RtnlBatch& RtnlBatch::rename(int link, std::string_view name) {
    change_link(link, 0, 0, cat("rename link ", link, " to ", name)).put(IFLA_IFNAME, name);
    return *this;
}

RtnlBatch& RtnlBatch::set_bridge(int link, int bridge) {
    change_link(link, 0, 0, cat("make link ", link, " a port of bridge ", bridge))
        .put_u32(IFLA_MASTER, static_cast<uint32_t>(bridge));
    return *this;
}

RtnlBatch& RtnlBatch::isolate_port(int link) {
    // A message of its own: with IFLA_MASTER in the same one the kernel answers EOPNOTSUPP.
    Request& request = change_link(link, 0, 0, cat("isolate bridge port ", link));
    const auto info = request.nest(IFLA_LINKINFO);
    request.put(IFLA_INFO_SLAVE_KIND, "bridge");
    const auto data = request.nest(IFLA_INFO_SLAVE_DATA);
    request.put_u8(IFLA_BRPORT_ISOLATED, 1);
    request.put_u8(IFLA_BRPORT_LEARNING, 0);
    // Since Linux 5.18; older ones pass over it.
    request.put_u8(IFLA_BRPORT_LOCKED, 1);
    return *this;
}

RtnlBatch& RtnlBatch::add_address(const LinkAddress& address) {
    add(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL,
        cat("add address ", address.address, '/', address.bits, " to link ", address.link))
        .put_header(address_header(address))
        .put(IFA_LOCAL, address.address)
        .put(IFA_ADDRESS, address.address)
        .tolerate(EEXIST);
    return *this;
}

RtnlBatch& RtnlBatch::delete_address(const LinkAddress& address) {
    add(RTM_DELADDR, 0,
        cat("delete address ", address.address, '/', address.bits, " of link ", address.link))
        .put_header(address_header(address))
        .put(IFA_LOCAL, address.address)
        .tolerate(EADDRNOTAVAIL)
        .tolerate(ENODEV);
    return *this;
}

RtnlBatch& RtnlBatch::set_route(const Route& route) {
    Request& request =
        add(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, cat("set route ", route.to_string()));
    request.put_header(route_header(route));
    request.put(RTA_DST, route.destination.address);
    if (route.source) request.put(RTA_PREFSRC, *route.source);
    if (route.hops.size() > 1) {
        put_hops(request, route);
    } else if (route.hops.size() == 1) {
        const NextHop& hop = route.hops[0];
        if (hop.via.value != 0) request.put(RTA_GATEWAY, hop.via);
        if (hop.link != 0) request.put_u32(RTA_OIF, static_cast<uint32_t>(hop.link));
    }
    return *this;
}

RtnlBatch& RtnlBatch::delete_route(const Cidr& destination) {
    rtmsg header{};
    header.rtm_family = AF_INET;
    header.rtm_dst_len = destination.bits;
    header.rtm_table = RT_TABLE_MAIN;
    header.rtm_scope = RT_SCOPE_NOWHERE;  // Any scope.
    add(RTM_DELROUTE, 0, cat("delete route ", destination))
        .put_header(header)
        .put(RTA_DST, destination.address)
        .tolerate(ESRCH);
    return *this;
}

RtnlBatch& RtnlBatch::set_neighbour(const Neighbour& neighbour) {
    add(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE,
        cat("set neighbour ", neighbour.address, " of link ", neighbour.link))
        .put_header(neighbour_header(neighbour.link))
        .put(NDA_DST, neighbour.address)
        .put(NDA_LLADDR, neighbour.mac);
    return *this;
}

RtnlBatch& RtnlBatch::delete_neighbour(int link, Ipv4 address) {
    add(RTM_DELNEIGH, 0, cat("delete neighbour ", address, " of link ", link))
        .put_header(neighbour_header(link))
        .put(NDA_DST, address)
        .tolerate(ENOENT)
        .tolerate(ENODEV);
    return *this;
}

RtnlBatch& RtnlBatch::set_forwarding(const Forwarding& entry) {
    Request& request =
        add(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE,
            cat("set forwarding of ", entry.mac.to_string(), " by link ", entry.link));
    request.put_header(forwarding_header(entry)).put(NDA_LLADDR, entry.mac);
    if (entry.tunnel) request.put(NDA_DST, *entry.tunnel);
    return *this;
}

RtnlBatch& RtnlBatch::delete_forwarding(const Forwarding& entry) {
    Request& request = add(RTM_DELNEIGH, 0, cat("delete forwarding of ", entry.mac.to_string()));
    request.put_header(forwarding_header(entry))
        .put(NDA_LLADDR, entry.mac)
        .tolerate(ENOENT)
        .tolerate(ENODEV);
    if (entry.tunnel) request.put(NDA_DST, *entry.tunnel);
    return *this;
}

RtnlBatch& RtnlBatch::delete_link(int link) {
    add(RTM_DELLINK, 0, cat("delete link ", link)).put_header(link_header(link)).tolerate(ENODEV);
    return *this;
}

Result<Rtnl> Rtnl::open(const Netns& ns) {
    TRY_ASSIGN(Netlink netlink, Netlink::open(ns, NETLINK_ROUTE));
    return Rtnl(std::move(netlink));
}

Result<Rtnl> Rtnl::open_here() {
    TRY_ASSIGN(Netlink netlink, Netlink::open_here(NETLINK_ROUTE));
    return Rtnl(std::move(netlink));
}

Result<> Rtnl::apply(RtnlBatch& batch) {
    return netlink_.talk(std::span<Request>(batch.requests_));
}

Result<> Rtnl::delete_link(std::string_view name) {
    Request request(RTM_DELLINK, 0, cat("delete link ", name));
    request.put_header(link_header()).put(IFLA_IFNAME, name).tolerate(ENODEV);
    return netlink_.talk(request);
}

}  // namespace kin
