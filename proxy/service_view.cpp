#include "proxy/service_view.h"

#include <algorithm>

#include "core/base/strings.h"

namespace kin::proxy {

namespace {
enum class Condition { kReady, kEndingButServing };

/// Endpoints of one port, sorted, each once.
class Gathered {
public:
    Gathered(const ServicePort& like, std::string_view port_name,
             const std::vector<const EndpointSlice*>& slices)
        : l4_(like.l4), port_name_(port_name), slices_(slices) {}

    std::vector<Endpoint> everywhere() const {
        std::vector<Endpoint> out;
        for (const Condition condition : {Condition::kReady, Condition::kEndingButServing}) {
            each(condition, [&](const std::string&, Endpoint endpoint) {
                out.push_back(std::move(endpoint));
            });
            if (!out.empty()) break;
        }
        tidy(out);
        return out;
    }

    std::map<std::string, std::vector<Endpoint>> by_node() const {
        std::map<std::string, std::vector<Endpoint>> out;
        each(Condition::kReady, [&](const std::string& node, Endpoint endpoint) {
            out[node].push_back(std::move(endpoint));
        });
        std::map<std::string, std::vector<Endpoint>> ending;
        each(Condition::kEndingButServing, [&](const std::string& node, Endpoint endpoint) {
            ending[node].push_back(std::move(endpoint));
        });
        out.merge(ending);  // Only nodes on which none is ready.
        out.erase("");
        for (auto& [node, endpoints] : out) tidy(endpoints);
        return out;
    }

private:
    static void tidy(std::vector<Endpoint>& endpoints) {
        std::sort(endpoints.begin(), endpoints.end());
        const auto same = [](const Endpoint& a, const Endpoint& b) {
            return a.address == b.address && a.port == b.port;
        };
        endpoints.erase(std::unique(endpoints.begin(), endpoints.end(), same), endpoints.end());
    }

    static bool is(const EndpointSlice::Endpoint& endpoint, Condition condition) {
        if (condition == Condition::kReady) return endpoint.ready;
        return endpoint.serving && endpoint.terminating;
    }

    template <class Take>
    void each(Condition condition, Take&& take) const {
        for (const EndpointSlice* slice : slices_) {
            if (slice->address_type != "IPv4") continue;
            for (const EndpointsPort& port : slice->ports) {
                if (port.name != port_name_ || port.protocol == Protocol::kSctp) continue;
                if ((port.protocol == Protocol::kUdp) != (l4_ == nft::L4::kUdp)) continue;
                each(*slice, port, condition, take);
            }
        }
    }

    template <class Take>
    static void each(const EndpointSlice& slice, const EndpointsPort& port, Condition condition,
                     Take&& take) {
        for (const EndpointSlice::Endpoint& endpoint : slice.endpoints) {
            if (!is(endpoint, condition) || endpoint.addresses.empty()) continue;
            // discovery/v1: the addresses of one endpoint are the same thing; the first counts.
            const auto address = Ipv4::parse(endpoint.addresses.front());
            if (!address) continue;
            take(endpoint.node,
                 Endpoint{*address, port.port,
                          endpoint.target.name.empty() ? slice.key().to_string()
                                                       : endpoint.target.to_string()});
        }
    }

    const nft::L4 l4_;
    const std::string_view port_name_;
    const std::vector<const EndpointSlice*>& slices_;
};

std::vector<Ipv4> parsed(const std::vector<std::string>& texts) {
    std::vector<Ipv4> out;
    for (const std::string& text : texts) {
        if (const auto address = Ipv4::parse(text)) out.push_back(*address);
    }
    return out;
}

TrafficPolicy policy(bool local) { return local ? TrafficPolicy::kLocal : TrafficPolicy::kCluster; }

/// What all ports of a Service have in common.
ServicePort common(const Service& service, Ipv4 cluster_ip, const Addresses& addresses) {
    ServicePort out;
    out.cluster_ip = cluster_ip;
    out.external_ips = parsed(service.external_ips);
    std::erase_if(out.external_ips, [&](Ipv4 ip) {
        return addresses.services.contains(ip) || addresses.pods.contains(ip);
    });
    out.internal = policy(service.internal_local);
    out.external = policy(service.external_local);
    out.affinity_s = service.affinity_seconds;
    if (!service.load_balanced()) return out;
    out.balanced_ips = parsed(service.load_balancer_ips);
    out.restricted = !service.source_ranges.empty();
    for (const std::string& text : service.source_ranges) {
        if (const auto range = Cidr::parse(trim(text))) out.source_ranges.push_back(*range);
    }
    return out;
}
}  // namespace

std::vector<ServicePort> ports_of(const Service& service,
                                  const std::vector<const EndpointSlice*>& slices,
                                  const Addresses& addresses) {
    std::vector<ServicePort> out;
    const auto ip = Ipv4::parse(service.cluster_ip);
    if (!ip || service.type == "ExternalName") return out;
    const ServicePort like = common(service, *ip, addresses);
    for (const kin::ServicePort& spec : service.ports) {
        if (spec.protocol == Protocol::kSctp) continue;
        ServicePort port = like;
        port.name = service.key().to_string();
        if (!spec.name.empty()) port.name += cat(':', spec.name);
        port.l4 = spec.protocol == Protocol::kUdp ? nft::L4::kUdp : nft::L4::kTcp;
        port.port = spec.port;
        port.node_port = spec.node_port;
        const Gathered gathered(port, spec.name, slices);
        port.endpoints = gathered.everywhere();
        if (port.internal == TrafficPolicy::kLocal || port.external == TrafficPolicy::kLocal) {
            port.local = gathered.by_node();
        }
        out.push_back(std::move(port));
    }
    return out;
}

}  // namespace kin::proxy
