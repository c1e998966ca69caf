#include "proxy/service_view.h"

#include <algorithm>

#include "core/base/strings.h"

namespace kin::proxy {

namespace {
void add_endpoints(const EndpointSlice& slice, const EndpointsPort& port,
                   std::vector<Endpoint>& out) {
    for (const EndpointSlice::Endpoint& endpoint : slice.endpoints) {
        if (!endpoint.ready || endpoint.addresses.empty()) continue;
        // discovery/v1: the addresses of one endpoint are the same thing; the first one counts.
        const auto address = Ipv4::parse(endpoint.addresses.front());
        if (!address) continue;
        const std::string name =
            endpoint.target.name.empty() ? slice.key().to_string() : endpoint.target.to_string();
        out.push_back({*address, port.port, name});
    }
}

std::vector<Endpoint> endpoints_of(const ServicePort& like, std::string_view port_name,
                                   const std::vector<const EndpointSlice*>& slices) {
    std::vector<Endpoint> out;
    for (const EndpointSlice* slice : slices) {
        if (slice->address_type != "IPv4") continue;
        for (const EndpointsPort& port : slice->ports) {
            const bool udp = port.protocol == Protocol::kUdp;
            if (port.name != port_name || udp != (like.l4 == nft::L4::kUdp)) continue;
            if (port.protocol != Protocol::kSctp) add_endpoints(*slice, port, out);
        }
    }
    std::sort(out.begin(), out.end());
    const auto same = [](const Endpoint& a, const Endpoint& b) {
        return a.address == b.address && a.port == b.port;
    };
    out.erase(std::unique(out.begin(), out.end(), same), out.end());
    return out;
}
}  // namespace

std::vector<ServicePort> ports_of(const Service& service,
                                  const std::vector<const EndpointSlice*>& slices) {
    std::vector<ServicePort> out;
    const auto ip = Ipv4::parse(service.cluster_ip);
    if (!ip || service.type == "ExternalName") return out;
    for (const kin::ServicePort& spec : service.ports) {
        if (spec.protocol == Protocol::kSctp) continue;
        ServicePort port;
        port.name = service.key().to_string();
        if (!spec.name.empty()) port.name += cat(':', spec.name);
        port.cluster_ip = *ip;
        port.l4 = spec.protocol == Protocol::kUdp ? nft::L4::kUdp : nft::L4::kTcp;
        port.port = spec.port;
        port.endpoints = endpoints_of(port, spec.name, slices);
        out.push_back(std::move(port));
    }
    return out;
}

}  // namespace kin::proxy
