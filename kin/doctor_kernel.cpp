#include "kin/doctor_kernel.h"

#include <sys/mount.h>

#include "core/base/result.h"
#include "core/kernel/conntrack.h"
#include "core/kernel/netns.h"
#include "core/kernel/nft.h"
#include "core/kernel/nft_netlink.h"
#include "core/kernel/packet_log.h"
#include "core/kernel/rtnl.h"

namespace kin {

namespace {
constexpr uint16_t kAnyGroup = 1;

Result<> apply(RtnlBatch batch) {
    TRY_ASSIGN(auto rtnl, Rtnl::open_here());
    return rtnl.apply(batch);
}

bool makes_links() {
    RtnlBatch batch;
    VethPair pair;
    pair.here.name = "kin-a";
    pair.peer.name = "kin-b";
    batch.add_veth(pair);
    return apply(std::move(batch)).has_value();
}

bool makes_bridges() {
    RtnlBatch batch;
    LinkEnd bridge;
    bridge.name = "kin-c";
    batch.add_bridge(bridge);
    return apply(std::move(batch)).has_value();
}

/// Whether a bridge's port can be made to keep to a MAC. Older kernels pass over the wish.
bool locks_ports() {
    constexpr int kBridge = 7, kPort = 8;
    VethPair pair;
    pair.here = {"kin-a", kPort, {}};
    pair.peer.name = "kin-b";
    RtnlBatch batch;
    batch.add_bridge({"kin-c", kBridge, {}})
        .add_veth(pair)
        .set_bridge(kPort, kBridge)
        .isolate_port(kPort);
    auto rtnl = Rtnl::open_here();
    if (!rtnl || !rtnl->apply(batch)) return false;
    const auto port = rtnl->link("kin-a");
    return port && port->locked;
}

constexpr int kLoopback = 1;

bool makes_tunnels() {
    Vxlan tunnel;
    tunnel.end.name = "vxlan.1";
    tunnel.link = kLoopback;
    return apply(std::move(RtnlBatch().set_up(kLoopback).add_vxlan(tunnel))).has_value();
}

nft::Chain chain(std::string name, nft::Base base, std::vector<nft::Statement> statements) {
    nft::Chain out;
    out.name = std::move(name);
    out.base = base;
    for (nft::Statement& statement : statements) out.rules.push_back({{std::move(statement)}, ""});
    return out;
}

/// One statement of each sort that is a module of its own.
nft::Table every_sort_of_statement() {
    using namespace nft;
    SetShape choice{"choice", {random_mod(2)}, Verdict{}, {}, {}, ""};
    Table table;
    table.name = "kin-doctor";
    table.sets = {{std::move(choice), {}}};
    table.chains = {
        chain("filter", {Base::Type::kFilter, Hook::kForward, kFilterPriority, {}},
              {CtStateMatch{kCtNew}, LocalMatch{Side::kDestination}, Counter{},
               VerdictMap{{random_mod(2)}, "choice"}, Log{"kin ", kAnyGroup}, Reject{}}),
        chain("in", {Base::Type::kNat, Hook::kPrerouting, kDstnatPriority, {}}, {Dnat{Ipv4{}, 0}}),
        chain("out", {Base::Type::kNat, Hook::kPostrouting, kSrcnatPriority, {}}, {Masquerade{}})};
    return table;
}

bool writes_rules() {
    auto here = Netns::current();
    if (!here) return false;
    auto nft = nft::Nft::open(*here);
    return nft && nft->replace(every_sort_of_statement());
}

bool lists_connections() {
    auto here = Netns::current();
    if (!here) return false;
    auto conntrack = Conntrack::open(*here);
    return conntrack && conntrack->flows();
}

bool hears_of_packets() {
    auto here = Netns::current();
    return here && PacketLog::open(*here, kAnyGroup);
}

bool lays_trees_over_each_other() {
    return ::mount("overlay", "/usr", "overlay", MS_RDONLY, "lowerdir=/etc:/usr") == 0;
}
}  // namespace

std::vector<KernelPart> kernel_parts() {
    return {
        {"links in pairs",
         Need::kRequired,
         {"veth"},
         "kin cannot join nodes and pods",
         makes_links},
        {"bridges", Need::kRequired, {"bridge"}, "kin cannot join nodes", makes_bridges},
        {"bridges that know their ports' MACs (Linux 5.18)",
         Need::kUseful,
         {},
         "with `kin up --cni bridge` a pod that makes its own frames can speak as another of its "
         "node; with ptp it cannot",
         locks_ports},
        {"nftables with NAT",
         Need::kRequired,
         {"nf_tables", "nft_chain_nat", "nft_ct", "nft_nat", "nft_masq", "nft_numgen",
          "nft_fib_ipv4", "nft_reject_ipv4", "nft_log"},
         "Services and NetworkPolicies do not work",
         writes_rules},
        {"connections over netlink",
         Need::kUseful,
         {"nf_conntrack_netlink"},
         "UDP keeps going to pods that are gone, and connections outlive policies that forbid them",
         lists_connections},
        {"logged packets over netlink",
         Need::kUseful,
         {"nfnetlink_log"},
         "no `kin flows --dropped`",
         hears_of_packets},
        {"tunnels between nodes (VXLAN)",
         Need::kUseful,
         {"vxlan"},
         "no `kin up --overlay vxlan`",
         makes_tunnels},
        {"overlay mounts",
         Need::kUseful,
         {"overlay"},
         "containers whose image or volumes add files below /usr do not start, as when something "
         "is mounted there",
         lays_trees_over_each_other},
    };
}

}  // namespace kin
