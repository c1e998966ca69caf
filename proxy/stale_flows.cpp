#include "proxy/stale_flows.h"

namespace kin::proxy {

void StaleFlows::set(const std::string& owner, std::span<const ServicePort> ports) {
    std::map<Front, Endpoints> now;
    for (const ServicePort& port : ports) {
        if (port.l4 != nft::L4::kUdp) continue;
        Endpoints endpoints;
        for (const Endpoint& endpoint : port.endpoints)
            endpoints.emplace(endpoint.address, endpoint.port);
        for (const auto& [node, local] : port.local)
            for (const Endpoint& endpoint : local)
                endpoints.emplace(endpoint.address, endpoint.port);
        now.emplace(Front(port.cluster_ip, port.port), endpoints);
        for (const Ipv4 ip : port.external_ips) now.emplace(Front(ip, port.port), endpoints);
        for (const Ipv4 ip : port.balanced_ips) now.emplace(Front(ip, port.port), endpoints);
        if (port.node_port != 0) now.emplace(Front({}, port.node_port), endpoints);
    }
    std::vector<Front>& mine = owned_[owner];
    for (const Front& front : mine) {
        if (now.contains(front)) continue;
        fronts_.erase(front);
        touched_.insert(front);
    }
    mine.clear();
    for (auto& [front, endpoints] : now) {
        mine.push_back(front);
        const auto [known, is_new] = fronts_.try_emplace(front);
        if (!is_new && known->second == endpoints) continue;
        known->second = std::move(endpoints);
        touched_.insert(front);
    }
    if (mine.empty()) owned_.erase(owner);
}

bool StaleFlows::is_stale(const Flow& flow, Ipv4 node_address, Scope scope) const {
    const Ipv4 address = flow.destination == node_address ? Ipv4{} : flow.destination;
    const Front front(address, flow.destination_port);
    if (scope == Scope::kTouched && !touched_.contains(front)) return false;
    const bool translated = std::pair(flow.replier, flow.replier_port) !=
                            std::pair(flow.destination, flow.destination_port);
    const auto found = fronts_.find(front);
    if (found == fronts_.end()) return translated && touched_.contains(front);
    // Without endpoints an untranslated flow is right: it is refused.
    if (found->second.empty()) return translated;
    return !found->second.contains({flow.replier, flow.replier_port});
}

}  // namespace kin::proxy
