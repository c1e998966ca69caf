#include "proxy/compile.h"

#include "core/base/strings.h"
#include "proxy/ruleset.h"

namespace kin::proxy {

namespace {

using namespace nft;

constexpr char kServiceIps[] = "service-ips";
constexpr char kEndpoints[] = "endpoints";
constexpr char kNoEndpointServices[] = "no-endpoint-services";
constexpr char kClusterIps[] = "cluster-ips";
constexpr char kHairpin[] = "hairpin-connections";

const Fields kService{kDestinationAddress, kProtocol, kDestinationPort};

/// The key of an endpoint is its Service's and its number. The map's own modulus means nothing:
/// chains look it up with draws of their own.
Fields drawn_from(uint32_t endpoints) {
    Fields fields = kService;
    fields.push_back(random_mod(endpoints));
    return fields;
}

std::vector<Set> empty_sets() {
    using Keys = SetShape::Keys;
    using Counting = SetShape::Counting;
    return {
        {{kServiceIps, kService, Verdict{}, Keys::kExact, Counting::kPerElement,
          "Services with endpoints; counts connections"},
         {}},
        {{kEndpoints, drawn_from(2), Fields{kDestinationAddress, kDestinationPort}, Keys::kExact,
          Counting::kPerElement, "Where they lead; counts connections"},
         {}},
        {{kNoEndpointServices, kService, Verdict{}, Keys::kExact, Counting::kOff,
          "Services without endpoints"},
         {}},
        {{kClusterIps,
          {kDestinationAddress},
          {},
          Keys::kExact,
          Counting::kOff,
          "Addresses of Services"},
         {}},
        {{kHairpin,
          {kSourceAddress, kDestinationAddress},
          {},
          Keys::kExact,
          Counting::kOff,
          "Pods that reach themselves through a Service"},
         {}},
    };
}

Base base(Base::Type type, Hook hook, int32_t priority) {
    return {type, hook, priority, Verdict::Kind::kAccept};
}

/// After DNAT nothing that a Service leads on has a ClusterIP as its destination any more.
std::vector<Chain> filter_chains(const Network& network) {
    constexpr auto kFilter = Base::Type::kFilter;
    const AddressMatch still_to_a_service{Side::kDestination, network.services};
    return {
        {"reject-chain", {}, {{{Reject{}}, ""}}, ""},
        {"cluster-ips-check",
         {},
         {{{VerdictMap{kService, kNoEndpointServices}}, ""},
          {{SetMatch{{kDestinationAddress}, kClusterIps}, Reject{}},
           "The Service has no such port"},
          {{drop()}, "No Service has this address"}},
         ""},
        {"filter-forward",
         base(kFilter, Hook::kForward, -110),
         {{{still_to_a_service, jump("cluster-ips-check")}, ""}},
         ""},
        {"filter-output-post-dnat",
         base(kFilter, Hook::kOutput, -90),
         {{{still_to_a_service, jump("cluster-ips-check")}, ""}},
         ""},
    };
}

std::vector<Chain> nat_chains(const Network& network) {
    constexpr auto kNat = Base::Type::kNat;
    const Snat to_node{network.node_address};
    return {
        {"services", {}, {{{VerdictMap{kService, kServiceIps}}, ""}}, ""},
        {"nat-prerouting",
         base(kNat, Hook::kPrerouting, kDstnatPriority),
         {{{jump("services")}, ""}},
         ""},
        {"nat-output", base(kNat, Hook::kOutput, kDstnatPriority), {{{jump("services")}, ""}}, ""},
        {"masquerading",
         {},
         {// Else the pod would answer itself directly, with an address that it did not ask.
          {{SetMatch{{kSourceAddress, kDestinationAddress}, kHairpin}, to_node},
           "Hairpin: the answer must come back through the node"},
          {{AddressMatch{Side::kSource, network.pods},
            AddressMatch{Side::kDestination, network.pods, Sense::kIsNot},
            AddressMatch{Side::kDestination, network.nodes, Sense::kIsNot}, to_node},
           "Pods to the outside of the cluster"}},
         ""},
        {"nat-postrouting",
         base(kNat, Hook::kPostrouting, kSrcnatPriority),
         {{{jump("masquerading")}, ""}},
         ""},
    };
}

}  // namespace

Elements compile(const ServicePort& service) {
    Elements out;
    const Key key(service.cluster_ip, service.l4, uint32_t{service.port});
    const std::string object(service.name.substr(0, service.name.find(':')));
    out.sets[kClusterIps].emplace(Key(service.cluster_ip), Element{{}, object});
    if (service.endpoints.empty()) {
        // Reject, not drop: the client learns at once instead of waiting for a timeout.
        out.sets[kNoEndpointServices].emplace(key, Element{goto_("reject-chain"), service.name});
        return out;
    }
    out.balance = static_cast<uint32_t>(service.endpoints.size());
    out.sets[kServiceIps].emplace(key,
                                  Element{goto_(balance_chain_name(out.balance)), service.name});
    uint32_t index = 0;
    for (const Endpoint& endpoint : service.endpoints) {
        out.sets[kEndpoints].emplace(
            key.with(index++),
            Element{Key(endpoint.address, uint32_t{endpoint.port}), endpoint.pod});
        out.sets[kHairpin].emplace(Key(endpoint.address, endpoint.address),
                                   Element{{}, endpoint.pod});
    }
    return out;
}

std::string balance_chain_name(uint32_t endpoints) { return cat("lb-", endpoints); }

Chain balance_chain(uint32_t endpoints) {
    return {balance_chain_name(endpoints),
            {},
            {{{DnatMap{drawn_from(endpoints), kEndpoints}}, ""}},
            ""};
}

Table skeleton(const Network& network) {
    Table table;
    table.name = kTableName;
    table.comment = "What Services do with connections";
    table.sets = empty_sets();
    for (Chain& chain : filter_chains(network)) table.chains.push_back(std::move(chain));
    for (Chain& chain : nat_chains(network)) table.chains.push_back(std::move(chain));
    return table;
}

Table compile(const Network& network, std::span<const ServicePort> services) {
    Ruleset ruleset;
    for (const ServicePort& service : services) ruleset.set(service.name, {&service, 1});
    return ruleset.table(network);
}

}  // namespace kin::proxy
