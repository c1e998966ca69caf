#include "core/kernel/conntrack.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "core/base/strings.h"

namespace kin {

namespace {
constexpr uint16_t message_type(uint16_t type) {
    return static_cast<uint16_t>(NFNL_SUBSYS_CTNETLINK << 8 | type);
}

nfgenmsg family_header() {
    nfgenmsg header{};
    header.nfgen_family = AF_INET;
    header.version = NFNETLINK_V0;
    return header;
}

uint16_t port_of(std::string_view bytes) {
    if (bytes.size() < 2) return 0;
    return static_cast<uint16_t>(static_cast<uint8_t>(bytes[0]) << 8 |
                                 static_cast<uint8_t>(bytes[1]));
}

/// One direction's addresses, protocol and ports.
struct Tuple {
    Ipv4 source, destination;
    uint16_t source_port, destination_port;
    uint8_t protocol;
};

Tuple tuple_of(const Attributes& tuple) {
    const Attributes ip = tuple.nest(CTA_TUPLE_IP);
    const Attributes proto = tuple.nest(CTA_TUPLE_PROTO);
    const std::string_view number = proto.find(CTA_PROTO_NUM);
    return {ip.address(CTA_IP_V4_SRC), ip.address(CTA_IP_V4_DST),
            port_of(proto.find(CTA_PROTO_SRC_PORT)), port_of(proto.find(CTA_PROTO_DST_PORT)),
            number.empty() ? uint8_t{0} : static_cast<uint8_t>(number[0])};
}

/// A request that names `flow`; that it is gone is no error.
Request about(const Flow& flow, uint16_t type, std::string_view verb) {
    Request request(message_type(type), 0,
                    cat(verb, flow.source, ':', flow.source_port, " -> ", flow.destination, ':',
                        flow.destination_port));
    request.put_header(family_header());
    {
        const auto tuple = request.nest(CTA_TUPLE_ORIG);
        {
            const auto ip = request.nest(CTA_TUPLE_IP);
            request.put(CTA_IP_V4_SRC, flow.source).put(CTA_IP_V4_DST, flow.destination);
        }
        const auto proto = request.nest(CTA_TUPLE_PROTO);
        request.put_u8(CTA_PROTO_NUM, static_cast<uint8_t>(flow.l4))
            .put_be16(CTA_PROTO_SRC_PORT, flow.source_port)
            .put_be16(CTA_PROTO_DST_PORT, flow.destination_port);
    }
    request.tolerate(ENOENT);
    return request;
}
}  // namespace

Result<Conntrack> Conntrack::open(const Netns& ns) {
    TRY_ASSIGN(Netlink netlink, Netlink::open(ns, NETLINK_NETFILTER));
    return Conntrack(std::move(netlink));
}

bool Conntrack::none_in(const Netns& ns) {
    const auto count = ns.read_sysctl("net/netfilter/nf_conntrack_count");
    return count && *count == "0";
}

Result<std::vector<Flow>> Conntrack::flows(std::optional<nft::L4> l4) {
    Request request(message_type(IPCTNL_MSG_CT_GET), 0, "list connections");
    request.put_header(family_header());
    std::vector<Flow> flows;
    TRY(netlink_.dump(std::move(request), [&](const nlmsghdr& message) {
        const Attributes attributes(message, sizeof(nfgenmsg));
        const Tuple asked = tuple_of(attributes.nest(CTA_TUPLE_ORIG));
        const auto protocol = static_cast<nft::L4>(asked.protocol);
        const bool has_ports =
            protocol == nft::L4::kTcp || protocol == nft::L4::kUdp || protocol == nft::L4::kSctp;
        if (l4 ? protocol != *l4 : !has_ports) return;
        const Tuple reply = tuple_of(attributes.nest(CTA_TUPLE_REPLY));
        flows.push_back({protocol, asked.source, asked.destination, asked.source_port,
                         asked.destination_port, reply.source, reply.source_port,
                         attributes.be32(CTA_ID), attributes.be32(CTA_MARK)});
    }));
    return flows;
}

Result<> Conntrack::forget(const Flow& flow) {
    Request request = about(flow, IPCTNL_MSG_CT_DELETE, "forget ");
    request.put_be32(CTA_ID, flow.id);
    return netlink_.talk(request);
}

Result<> Conntrack::mark(const Flow& flow, uint32_t mark) {
    // Without NLM_F_CREATE: one that is there changes.
    Request request = about(flow, IPCTNL_MSG_CT_NEW, "mark ");
    request.put_be32(CTA_MARK, mark);
    return netlink_.talk(request);
}

Result<size_t> Conntrack::forget_if(nft::L4 l4, const std::function<bool(const Flow&)>& is_stale) {
    TRY_ASSIGN(const std::vector<Flow> all, flows(l4));
    size_t forgotten = 0;
    for (const Flow& flow : all) {
        if (!is_stale(flow)) continue;
        TRY(forget(flow));
        ++forgotten;
    }
    return forgotten;
}

}  // namespace kin
