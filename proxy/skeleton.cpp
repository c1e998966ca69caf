// What is in the table without any Service: the hooks, and the sets in which Services stand.
#include "proxy/compile.h"
#include "proxy/names.h"

namespace kin::proxy {

namespace {

using namespace nft;
using Counting = SetShape::Counting;

Set set_of(const char* name, Fields key, std::variant<std::monostate, Verdict, Fields> data,
           Counting counting, const char* comment) {
    return {{name, std::move(key), std::move(data), SetShape::Keys::kExact, counting, comment}, {}};
}

std::vector<Set> sets(const Network& network) {
    const Fields target{kDestinationAddress, kDestinationPort};
    constexpr Counting kCount = Counting::kPerElement;
    constexpr Counting kNoCount = Counting::kOff;
    std::vector<Set> out;
    const auto add = [&](auto... parts) { out.push_back(set_of(parts...)); };
    // clang-format off
    add(kServiceIps, kByAddress, Verdict{}, kCount, "Services with endpoints; counts connections");
    add(kEndpoints, drawn(kByAddress, 2), target, kCount, "Where they lead; counts connections");
    add(kServiceNodePorts, kByNodePort, Verdict{}, kCount, "The same by node port");
    add(kNodePortEndpoints, drawn(kByNodePort, 2), target, kCount, "Where node ports lead");
    add(kLocalServiceIps, kByAddress, Verdict{}, kCount, "From outside, externalTrafficPolicy Local");
    add(kLocalEndpoints, drawn(kByAddress, 2), target, kCount, "Where they lead on this node");
    add(kLocalNodePorts, kByNodePort, Verdict{}, kCount, "The same by node port");
    add(kLocalNodePortEndpoints, drawn(kByNodePort, 2), target, kCount, "Where they lead on this node");
    add(kNoEndpointServices, kByAddress, Verdict{}, kNoCount, "Services without endpoints");
    add(kNoEndpointNodePorts, kByNodePort, Verdict{}, kNoCount, "The same by node port");
    add(kFirewallIps, kByAddress, Verdict{}, kNoCount, "Load balancers with source ranges");
    add(kClusterIps, Fields{kDestinationAddress}, std::monostate{}, kNoCount, "Addresses of Services");
    add(kNodePortIps, Fields{kDestinationAddress}, std::monostate{}, kNoCount, "Where node ports are open");
    add(kHairpin, Fields{kSourceAddress, kDestinationAddress}, std::monostate{}, kNoCount,
        "Pods that reach themselves through a Service");
    // clang-format on
    if (network.node_address.value != 0) {
        Set& ips = out[out.size() - 2];
        ips.elements.emplace(Key(network.node_address), Element{{}, network.node});
    }
    return out;
}

Base base(Base::Type type, Hook hook, int32_t priority) {
    return {type, hook, priority, Verdict::Kind::kAccept};
}

/// What becomes of connections that `services` leads nowhere. All of it stands in chains of type
/// nat, which see the first packet of a connection only: a chain of type filter would be asked for
/// every packet, which costs 4 % of a request from pod to pod.
std::vector<Chain> check_chains(const Addresses& cluster) {
    const auto to = [](const Cidr& block) { return AddressMatch{Side::kDestination, block}; };
    const SetMatch to_node_ports{{kDestinationAddress}, kNodePortIps};
    return {
        {kRejectChain, {}, {{{Reject{}}, ""}}, ""},
        {kDropChain, {}, {{{drop()}, "No endpoint on this node"}}, ""},
        {"cluster-ips-check",
         {},
         {{{VerdictMap{kByAddress, kNoEndpointServices}}, ""},
          {{SetMatch{{kDestinationAddress}, kClusterIps}, Reject{}},
           "The Service has no such port"},
          {{drop()}, "No Service has this address"}},
         ""},
        {"firewall-check", {}, {{{VerdictMap{kByAddress, kFirewallIps}}, ""}}, ""},
        {"service-endpoints-check",
         {},
         {{{to(cluster.services), jump("cluster-ips-check")}, ""},
          {{to(cluster.load_balancers), jump("cluster-ips-check")}, ""},
          {{to_node_ports, VerdictMap{kByNodePort, kNoEndpointNodePorts}}, ""}},
         ""},
    };
}

std::vector<Chain> nat_chains(const Network& network) {
    constexpr auto kNat = Base::Type::kNat;
    const Snat to_node{network.node_address};
    const Addresses& cluster = network.cluster;
    const SetMatch to_node_ports{{kDestinationAddress}, kNodePortIps};
    const Rule to_services{{jump("services")}, ""};
    const Rule to_checks{{jump("service-endpoints-check")}, "It leads nowhere"};
    return {
        {"services",
         {},
         {{{AddressMatch{Side::kSource, cluster.pods, Sense::kIsNot},
            LocalMatch{Side::kSource, Sense::kIsNot}, jump("services-local")},
           "From outside: externalTrafficPolicy Local keeps to this node"},
          {{VerdictMap{kByAddress, kServiceIps}}, ""},
          {{to_node_ports, VerdictMap{kByNodePort, kServiceNodePorts}}, ""}},
         ""},
        {"services-local",
         {},
         {{{VerdictMap{kByAddress, kLocalServiceIps}}, ""},
          {{to_node_ports, VerdictMap{kByNodePort, kLocalNodePorts}}, ""}},
         ""},
        {"nat-prerouting",
         base(kNat, Hook::kPrerouting, kDstnatPriority),
         {{{AddressMatch{Side::kDestination, cluster.load_balancers}, jump("firewall-check")}, ""},
          to_services,
          to_checks},
         ""},
        {"nat-output", base(kNat, Hook::kOutput, kDstnatPriority), {to_services, to_checks}, ""},
        {"masquerading",
         {},
         {// Else the pod would answer itself directly, with an address that it did not ask.
          {{SetMatch{{kSourceAddress, kDestinationAddress}, kHairpin}, to_node},
           "Hairpin: the answer must come back through the node"},
          {{MarkMatch{kMasqueradeBit, kMasqueradeBit}, to_node},
           "From outside: the answer must come back through the node"}},
         ""},
        {"nat-postrouting",
         base(kNat, Hook::kPostrouting, kSrcnatPriority),
         {{{jump("masquerading")}, ""}},
         ""},
    };
}

}  // namespace

Table skeleton(const Network& network) {
    Table table;
    table.name = kTableName;
    table.comment = "What Services do with connections";
    table.sets = sets(network);
    for (Chain& chain : check_chains(network.cluster)) table.chains.push_back(std::move(chain));
    for (Chain& chain : nat_chains(network)) table.chains.push_back(std::move(chain));
    return table;
}

}  // namespace kin::proxy
