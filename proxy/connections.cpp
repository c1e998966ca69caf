#include "proxy/connections.h"

#include "proxy/names.h"

namespace kin::proxy {

namespace {
/// One address under which clients find a Service port, and where it leads.
struct Way {
    const char* set;
    nft::Key key;
    const std::vector<Endpoint>& targets;
};

std::vector<Way> ways_of(const ServicePort& port, const std::vector<Endpoint>& local) {
    const bool inside = port.internal == TrafficPolicy::kLocal;
    const bool outside = port.external == TrafficPolicy::kLocal;
    const auto at = [&](Ipv4 ip) { return nft::Key(ip, port.l4, uint32_t{port.port}); };
    std::vector<Way> out{{kEndpoints, at(port.cluster_ip), inside ? local : port.endpoints}};
    for (const auto* addresses : {&port.external_ips, &port.balanced_ips})
        for (const Ipv4 ip : *addresses)
            out.push_back(
                {outside ? kLocalEndpoints : kEndpoints, at(ip), outside ? local : port.endpoints});
    if (port.node_port != 0)
        out.push_back({outside ? kLocalNodePortEndpoints : kNodePortEndpoints,
                       nft::Key(port.l4, uint32_t{port.node_port}),
                       outside ? local : port.endpoints});
    return out;
}
}  // namespace

std::vector<std::string> endpoint_sets() {
    return {kEndpoints, kNodePortEndpoints, kLocalEndpoints, kLocalNodePortEndpoints};
}

void EndpointCounts::add(const std::string& set, const std::vector<nft::Count>& counts) {
    for (const nft::Count& entry : counts)
        if (entry.packets > 0) sets_[set][entry.range.first] = entry.packets;
}

uint64_t EndpointCounts::at(const std::string& set, const nft::Key& key) const {
    const auto found = sets_.find(set);
    if (found == sets_.end()) return 0;
    const auto counted = found->second.find(key);
    return counted == found->second.end() ? 0 : counted->second;
}

void add_connections(const std::string& node, std::span<const ServicePort> ports,
                     const EndpointCounts& counts, Connections& into) {
    static const std::vector<Endpoint> kNone;
    for (const ServicePort& port : ports) {
        if (port.affinity_s != 0) continue;
        const auto here = port.local.find(node);
        for (const Way& way : ways_of(port, here == port.local.end() ? kNone : here->second)) {
            uint32_t index = 0;
            for (const Endpoint& endpoint : way.targets)
                if (const uint64_t count = counts.at(way.set, way.key.with(index++)); count > 0)
                    into[endpoint.pod] += count;
        }
    }
}

}  // namespace kin::proxy
