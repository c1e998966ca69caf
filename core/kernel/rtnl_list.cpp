// The reading half of Rtnl: dumps of the kernel's tables as values.
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <cstring>

#include "core/base/strings.h"
#include "core/kernel/rtnl.h"

namespace kin {

namespace {

template <class Header>
Header header_of(const nlmsghdr& message) {
    Header header{};
    std::memcpy(&header, NLMSG_DATA(&message), sizeof header);
    return header;
}

Mac mac_of(std::string_view payload) {
    Mac mac;
    if (payload.size() == sizeof mac.bytes) std::memcpy(mac.bytes, payload.data(), payload.size());
    return mac;
}

Link link_of(const nlmsghdr& message) {
    const auto header = header_of<ifinfomsg>(message);
    const Attributes in(message, sizeof header);
    Link link;
    link.index = header.ifi_index;
    link.up = (header.ifi_flags & IFF_UP) != 0;
    link.name = in.text(IFLA_IFNAME);
    const Attributes kind = in.nest(IFLA_LINKINFO);
    link.kind = kind.text(IFLA_INFO_KIND);
    if (kind.text(IFLA_INFO_SLAVE_KIND) == "bridge") {
        link.locked = kind.nest(IFLA_INFO_SLAVE_DATA).find(IFLA_BRPORT_LOCKED) == "\1";
    }
    link.mac = mac_of(in.find(IFLA_ADDRESS));
    link.mtu_bytes = in.u32(IFLA_MTU);
    link.bridge = static_cast<int>(in.u32(IFLA_MASTER));
    link.peer = static_cast<int>(in.u32(IFLA_LINK));
    return link;
}

/// RTA_MULTIPATH is a row of rtnexthop, each followed by attributes of its own.
std::vector<NextHop> hops_of(std::string_view payload, Route::Gateway& gateway) {
    std::vector<NextHop> hops;
    while (payload.size() >= sizeof(rtnexthop)) {
        rtnexthop header{};
        std::memcpy(&header, payload.data(), sizeof header);
        if (header.rtnh_len < sizeof header || header.rtnh_len > payload.size()) break;
        const Attributes in(payload.substr(sizeof header, header.rtnh_len - sizeof header));
        hops.push_back({in.address(RTA_GATEWAY), header.rtnh_ifindex});
        if (header.rtnh_flags & RTNH_F_ONLINK) gateway = Route::Gateway::kOnLink;
        payload.remove_prefix(
            std::min(payload.size(), static_cast<size_t>(RTNH_ALIGN(header.rtnh_len))));
    }
    return hops;
}

Route route_of(const rtmsg& header, const Attributes& in) {
    Route route;
    route.destination = {in.address(RTA_DST), header.rtm_dst_len};
    if (in.has(RTA_PREFSRC)) route.source = in.address(RTA_PREFSRC);
    if (header.rtm_flags & RTNH_F_ONLINK) route.gateway = Route::Gateway::kOnLink;
    if (in.has(RTA_MULTIPATH)) {
        route.hops = hops_of(in.find(RTA_MULTIPATH), route.gateway);
    } else if (header.rtm_type == RTN_UNICAST) {
        route.hops.push_back({in.address(RTA_GATEWAY), static_cast<int>(in.u32(RTA_OIF))});
    }
    return route;
}

}  // namespace

Result<std::vector<Link>> Rtnl::links() {
    Request request(RTM_GETLINK, 0, "list links");
    request.put_header(ifinfomsg{});
    std::vector<Link> links;
    TRY(netlink_.dump(std::move(request), [&](const nlmsghdr& message) {
        if (message.nlmsg_type == RTM_NEWLINK) links.push_back(link_of(message));
    }));
    return links;
}

Result<Link> Rtnl::link(std::string_view name) {
    TRY_ASSIGN(const auto all, links());
    for (const Link& link : all)
        if (link.name == name) return link;
    return Error(Errc::kNotFound, cat("no link ", name));
}

Result<std::vector<LinkAddress>> Rtnl::addresses() {
    Request request(RTM_GETADDR, 0, "list addresses");
    ifaddrmsg wanted{};
    wanted.ifa_family = AF_INET;
    request.put_header(wanted);
    std::vector<LinkAddress> addresses;
    TRY(netlink_.dump(std::move(request), [&](const nlmsghdr& message) {
        const auto header = header_of<ifaddrmsg>(message);
        const Attributes in(message, sizeof header);
        addresses.push_back(
            {static_cast<int>(header.ifa_index), in.address(IFA_LOCAL), header.ifa_prefixlen});
    }));
    return addresses;
}

Result<std::vector<Route>> Rtnl::routes() {
    Request request(RTM_GETROUTE, 0, "list routes");
    rtmsg wanted{};
    wanted.rtm_family = AF_INET;
    request.put_header(wanted);
    std::vector<Route> routes;
    TRY(netlink_.dump(std::move(request), [&](const nlmsghdr& message) {
        const auto header = header_of<rtmsg>(message);
        const Attributes in(message, sizeof header);
        if (in.u32(RTA_TABLE, header.rtm_table) != RT_TABLE_MAIN) return;
        routes.push_back(route_of(header, in));
    }));
    return routes;
}

Result<std::vector<Neighbour>> Rtnl::neighbours() {
    Request request(RTM_GETNEIGH, 0, "list neighbours");
    ndmsg wanted{};
    wanted.ndm_family = AF_INET;
    request.put_header(wanted);
    std::vector<Neighbour> neighbours;
    TRY(netlink_.dump(std::move(request), [&](const nlmsghdr& message) {
        const auto header = header_of<ndmsg>(message);
        if (!(header.ndm_state & NUD_PERMANENT)) return;
        const Attributes in(message, sizeof header);
        neighbours.push_back(
            {header.ndm_ifindex, in.address(NDA_DST), mac_of(in.find(NDA_LLADDR))});
    }));
    return neighbours;
}

Result<std::vector<Forwarding>> Rtnl::forwarding() {
    Request request(RTM_GETNEIGH, 0, "list forwarding entries");
    ndmsg wanted{};
    wanted.ndm_family = AF_BRIDGE;
    request.put_header(wanted);
    std::vector<Forwarding> entries;
    TRY(netlink_.dump(std::move(request), [&](const nlmsghdr& message) {
        const auto header = header_of<ndmsg>(message);
        const Attributes in(message, sizeof header);
        const bool of_tunnel = in.has(NDA_DST);
        // Bridges list their own MACs too: once as permanent, once for themselves.
        if (header.ndm_state != (of_tunnel ? NUD_PERMANENT : NUD_NOARP)) return;
        if (!of_tunnel && !in.has(NDA_MASTER)) return;
        // A kernel with VLAN filtering lists each entry once more for the bridge's default VLAN.
        if (in.has(NDA_VLAN)) return;
        Forwarding entry{header.ndm_ifindex, mac_of(in.find(NDA_LLADDR)), {}};
        if (of_tunnel) entry.tunnel = in.address(NDA_DST);
        entries.push_back(entry);
    }));
    return entries;
}

}  // namespace kin
