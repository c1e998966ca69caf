#include "proxy/compile.h"

#include "core/base/strings.h"
#include "proxy/names.h"
#include "proxy/ruleset.h"

namespace kin::proxy {

namespace {

using namespace nft;
using Kind = Balance::Kind;
using Endpoints = std::vector<Endpoint>;

/// "shop/web/tcp/http": what the Service port's own chains and sets are called by.
std::string id_of(const ServicePort& service) {
    const size_t colon = service.name.find(':');
    const std::string_view object = std::string_view(service.name).substr(0, colon);
    const std::string port =
        colon == std::string::npos ? std::to_string(service.port) : service.name.substr(colon + 1);
    return cat(object, '/', name_of(service.l4), '/', port);
}

/// Builds what one Service port needs; each method is one thing that Services can ask for.
class Compiler {
public:
    explicit Compiler(const ServicePort& service) : service_(service), id_(id_of(service)) {}

    Compiled run() {
        const std::string object = service_.name.substr(0, service_.name.find(':'));
        put(all(), kClusterIps, Key(service_.cluster_ip), {}, object);
        hairpins(service_.endpoints);
        for (const auto& [node, endpoints] : service_.local) hairpins(endpoints);
        internal();
        for (const Ipv4 ip : service_.external_ips) external(by_address(ip));
        for (const Ipv4 ip : service_.balanced_ips) {
            external(by_address(ip));
            if (service_.restricted) firewall(by_address(ip).key);
        }
        if (service_.node_port != 0) {
            external({Key(service_.l4, uint32_t{service_.node_port}), kServiceNodePorts,
                      kNodePortEndpoints, kLocalNodePorts, kLocalNodePortEndpoints,
                      kNoEndpointNodePorts, Kind::kNodePort, Kind::kNodePort,
                      Kind::kLocalNodePort});
        }
        if (service_.affinity_s != 0) affinity();
        return std::move(out_);
    }

private:
    /// One way to come to the Service from outside, and the sets in which it stands.
    struct Way {
        Key key;
        const char *services, *endpoints, *local_services, *local_endpoints, *without;
        Kind balance;        ///< With externalTrafficPolicy Cluster, and...
        Kind short_circuit;  ///< ...with Local, for those who are inside.
        Kind local;
    };
    Way by_address(Ipv4 ip) const {
        return {Key(ip, service_.l4, uint32_t{service_.port}),
                kServiceIps,
                kEndpoints,
                kLocalServiceIps,
                kLocalEndpoints,
                kNoEndpointServices,
                Kind::kExternal,
                Kind::kCluster,
                Kind::kLocal};
    }

    Elements& all() { return out_.everywhere; }

    static void put(Elements& out, const char* set, const Key& key, Data data,
                    const std::string& comment) {
        out.sets[set].emplace(key, Element{std::move(data), comment});
    }

    void hairpins(const Endpoints& endpoints) {
        for (const Endpoint& endpoint : endpoints)
            put(all(), kHairpin, Key(endpoint.address, endpoint.address), {}, endpoint.pod);
    }

    /// `key` leads to one of `endpoints`.
    void lead(Elements& out, const Way& way, Kind kind, const char* services,
              const char* endpoint_map, const Endpoints& endpoints) {
        if (service_.affinity_s != 0) {
            return put(out, services, way.key, goto_(own_chain(kind)), service_.name);
        }
        const Balance balance{kind, static_cast<uint32_t>(endpoints.size())};
        out.balances.insert(balance);
        put(out, services, way.key, goto_(balance.chain_name()), service_.name);
        uint32_t index = 0;
        for (const Endpoint& endpoint : endpoints) {
            put(out, endpoint_map, way.key.with(index++),
                Key(endpoint.address, uint32_t{endpoint.port}), endpoint.pod);
        }
    }

    /// Reject, not drop: the client learns at once instead of waiting for a timeout. But where only
    /// this node has no endpoint, whoever sent the connection here shall try another node.
    /// `services` leads a key on first, so that this is in force only where that has none.
    void refuse(const Way& way, const char* chain) {
        put(all(), way.without, way.key, goto_(chain), service_.name);
    }

    void internal() {
        const Way way = by_address(service_.cluster_ip);
        if (service_.endpoints.empty()) return refuse(way, kRejectChain);
        if (service_.internal == TrafficPolicy::kCluster) {
            return lead(all(), way, Kind::kCluster, way.services, way.endpoints,
                        service_.endpoints);
        }
        refuse(way, kDropChain);
        for (const auto& [node, endpoints] : service_.local) {
            lead(out_.on_node[node], way, service_.affinity_s != 0 ? Kind::kLocal : Kind::kCluster,
                 way.services, way.endpoints, endpoints);
        }
    }

    void external(const Way& way) {
        if (service_.endpoints.empty()) return refuse(way, kRejectChain);
        const bool local = service_.external == TrafficPolicy::kLocal;
        lead(all(), way, local ? way.short_circuit : way.balance, way.services, way.endpoints,
             service_.endpoints);
        if (!local) return;
        put(all(), way.local_services, way.key, goto_(kDropChain), service_.name);
        for (const auto& [node, endpoints] : service_.local) {
            lead(out_.on_node[node], way, way.local, way.local_services, way.local_endpoints,
                 endpoints);
        }
    }

    void firewall(const Key& key) {
        const std::string name = cat("firewall-", id_);
        put(all(), kFirewallIps, key, goto_(name), service_.name);
        Chain chain{name, {}, {}, service_.name};
        for (const Cidr& range : service_.source_ranges)
            chain.rules.push_back({{AddressMatch{Side::kSource, range}, return_()}, ""});
        const Rule others{{drop()}, "Not in loadBalancerSourceRanges"};
        chain.rules.push_back(others);
        all().chains.emplace(name, std::move(chain));
    }

    // ---- Session affinity: chains of its own, since it has state. ----

    std::string own_chain(Kind kind) const {
        switch (kind) {
            case Kind::kCluster:
                return cat("service-", id_);
            case Kind::kExternal:
            case Kind::kNodePort:
                return cat("external-", id_);
            case Kind::kLocal:
            case Kind::kLocalNodePort:
                break;
        }
        return cat("local-", id_);
    }
    std::string endpoint_name(const char* what, const Endpoint& endpoint) const {
        return cat(what, id_, "__", endpoint.address, '/', endpoint.port);
    }

    void affinity() {
        // Those of other nodes may differ from `endpoints` in what ends but still serves.
        for (const Endpoint& endpoint : service_.endpoints) learning_chain(endpoint);
        for (const auto& [node, endpoints] : service_.local)
            for (const Endpoint& endpoint : endpoints) learning_chain(endpoint);
        if (!service_.endpoints.empty()) {
            choosing_chain(all(), own_chain(Kind::kCluster), service_.endpoints);
            const std::string external = own_chain(Kind::kExternal);
            all().chains.emplace(external,
                                 Chain{external,
                                       {},
                                       {{{SetMark{SetMark::Operation::kOr, kMasqueradeBit},
                                          goto_(own_chain(Kind::kCluster))},
                                         ""}},
                                       service_.name});
        }
        for (const auto& [node, endpoints] : service_.local)
            choosing_chain(out_.on_node[node], own_chain(Kind::kLocal), endpoints);
    }

    /// To the endpoint, and the client is remembered.
    void learning_chain(const Endpoint& endpoint) {
        const std::string set = endpoint_name("affinity-", endpoint);
        const std::string chain = endpoint_name("endpoint-", endpoint);
        all().own_sets.emplace(set, Set{{set,
                                         {kSourceAddress},
                                         {},
                                         SetShape::Keys::kLearned,
                                         SetShape::Counting::kOff,
                                         "Clients that stay with this endpoint"},
                                        {}});
        all().chains.emplace(
            chain,
            Chain{chain,
                  {},
                  {{{UpdateSet{{kSourceAddress}, set, service_.affinity_s}}, ""},
                   {{Counter{}, ProtocolMatch{service_.l4}, Dnat{endpoint.address, endpoint.port}},
                    endpoint.pod}},
                  ""});
    }

    /// To the endpoint that knows the client; else to any.
    void choosing_chain(Elements& out, const std::string& name, const Endpoints& endpoints) {
        Chain chain{name, {}, {}, service_.name};
        Set choice{{cat("endpoints-of-", name),
                    {random_mod(2)},
                    Verdict{},
                    SetShape::Keys::kExact,
                    SetShape::Counting::kOff,
                    ""},
                   {}};
        uint32_t index = 0;
        for (const Endpoint& endpoint : endpoints) {
            const std::string to = endpoint_name("endpoint-", endpoint);
            chain.rules.push_back(
                {{SetMatch{{kSourceAddress}, endpoint_name("affinity-", endpoint)}, goto_(to)},
                 endpoint.pod});
            choice.elements.emplace(Key(index++), Element{goto_(to), endpoint.pod});
        }
        chain.rules.push_back({{VerdictMap{{random_mod(index)}, choice.shape.name}}, ""});
        out.own_sets.emplace(choice.shape.name, std::move(choice));
        out.chains.emplace(name, std::move(chain));
    }

    const ServicePort& service_;
    const std::string id_;
    Compiled out_;
};

}  // namespace

Compiled compile(const ServicePort& service) { return Compiler(service).run(); }

std::string Balance::chain_name() const {
    constexpr const char* kNames[] = {"lb-", "external-", "nodeport-", "local-", "local-nodeport-"};
    return cat(kNames[static_cast<size_t>(kind)], endpoints);
}

nft::Chain Balance::chain() const {
    struct Draw {
        const Fields& key;
        const char* map;
        bool through_the_node;
    };
    const Draw draws[] = {{kByAddress, kEndpoints, false},
                          {kByAddress, kEndpoints, true},
                          {kByNodePort, kNodePortEndpoints, true},
                          {kByAddress, kLocalEndpoints, false},
                          {kByNodePort, kLocalNodePortEndpoints, false}};
    const Draw& draw = draws[static_cast<size_t>(kind)];
    Chain chain{chain_name(), {}, {}, ""};
    if (draw.through_the_node)
        chain.rules.push_back({{SetMark{SetMark::Operation::kOr, kMasqueradeBit}}, ""});
    chain.rules.push_back({{DnatMap{drawn(draw.key, endpoints), draw.map}}, ""});
    return chain;
}

Table compile(const Network& network, std::span<const ServicePort> services) {
    Ruleset ruleset;
    for (const ServicePort& service : services) ruleset.set(service.name, {&service, 1});
    return ruleset.table(network);
}

}  // namespace kin::proxy
