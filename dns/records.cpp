#include "dns/records.h"

#include <algorithm>
#include <map>

#include "core/base/strings.h"

namespace kin::dns {

namespace {
std::string address_data(Ipv4 address) {
    std::string data;
    put_u32(data, address.value);
    return data;
}

/// What one Service's records are collected in. Names that do not fit DNS are left out.
class Collector {
public:
    Collector(const Service& service, const Domain& domain)
        : name_(to_wire(cat(service.key().name, '.', service.key().ns, ".svc.", domain.name))) {}

    const std::optional<WireName>& name() const { return name_; }

    void address(const WireName& owner, Ipv4 ip) {
        add({owner, Type::kA, address_data(ip), {}, {}});
    }
    void pointer(Ipv4 ip, const WireName& to) { add({reverse_name(ip), Type::kPtr, to, {}, {}}); }
    void alias(const WireName& to) { add({*name_, Type::kCname, to, to, {}}); }
    /// One of `count` targets of _port._protocol; a port without a name has no such name.
    void service(const std::string& port_name, Protocol protocol, uint16_t port,
                 const WireName& target, std::vector<Ipv4> addresses, size_t count) {
        std::string data;
        put_u16(data, 0);
        put_u16(data, static_cast<uint16_t>(std::max<size_t>(100 / std::max<size_t>(count, 1), 1)));
        put_u16(data, port);
        data += target;
        // Who asks the Service's own name for SRV hears of all ports, as from CoreDNS.
        add({*name_, Type::kSrv, data, target, addresses});
        const auto by_protocol = prefixed(cat('_', to_lower(name_of(protocol))), *name_);
        if (!by_protocol || port_name.empty()) return;
        const auto owner = prefixed(cat('_', port_name), *by_protocol);
        if (owner) add({*owner, Type::kSrv, std::move(data), target, std::move(addresses)});
    }
    std::vector<Record> take() { return std::move(records_); }

private:
    void add(Record record) {
        if (std::find(records_.begin(), records_.end(), record) == records_.end()) {
            records_.push_back(std::move(record));
        }
    }

    std::optional<WireName> name_;
    std::vector<Record> records_;
};

/// A ready endpoint with the ports of its slice.
struct Backend {
    Ipv4 address;
    WireName name;
    const std::vector<EndpointsPort>* ports;
};

std::vector<Backend> ready_backends(const std::vector<const EndpointSlice*>& slices,
                                    const WireName& service) {
    std::vector<Backend> out;
    for (const EndpointSlice* slice : slices) {
        if (slice->address_type != "IPv4") continue;
        for (const EndpointSlice::Endpoint& endpoint : slice->endpoints) {
            if (!endpoint.ready) continue;
            for (const std::string& text : endpoint.addresses) {
                const auto address = Ipv4::parse(text);
                if (!address) continue;
                std::string label = endpoint.hostname.empty() ? text : endpoint.hostname;
                if (endpoint.hostname.empty()) std::replace(label.begin(), label.end(), '.', '-');
                auto name = prefixed(label, service);
                if (name) out.push_back({*address, std::move(*name), &slice->ports});
            }
        }
    }
    return out;
}

void add_headless(Collector& records, const std::vector<Backend>& backends) {
    std::map<std::pair<std::string, Protocol>, size_t> count;
    for (const Backend& backend : backends) {
        for (const EndpointsPort& port : *backend.ports) ++count[{port.name, port.protocol}];
    }
    for (const Backend& backend : backends) {
        records.address(*records.name(), backend.address);
        for (const EndpointsPort& port : *backend.ports) {
            records.service(port.name, port.protocol, port.port, backend.name, {backend.address},
                            count[{port.name, port.protocol}]);
        }
    }
}

void add_cluster_ip(Collector& records, const Service& service) {
    std::vector<Ipv4> addresses;
    for (const std::string& text : service.cluster_ips.empty()
                                       ? std::vector<std::string>{service.cluster_ip}
                                       : service.cluster_ips) {
        if (const auto address = Ipv4::parse(text)) addresses.push_back(*address);
    }
    for (const Ipv4 address : addresses) {
        records.address(*records.name(), address);
        records.pointer(address, *records.name());
    }
    if (addresses.empty()) return;
    for (const ServicePort& port : service.ports) {
        records.service(port.name, port.protocol, port.port, *records.name(), addresses, 1);
    }
}
}  // namespace

WireName reverse_name(Ipv4 address) {
    const uint32_t ip = address.value;
    const auto wire = to_wire(
        cat(ip & 0xFF, '.', ip >> 8 & 0xFF, '.', ip >> 16 & 0xFF, '.', ip >> 24, ".in-addr.arpa"));
    KIN_ASSERT(wire);
    return *wire;
}

std::vector<WireName> names_of_namespace(const std::string& name, const Domain& domain) {
    std::vector<WireName> out;
    for (const char* kind : {"svc", "pod"}) {
        if (auto wire = to_wire(cat(name, '.', kind, '.', domain.name))) out.push_back(*wire);
    }
    return out;
}

std::vector<Record> records_of(const Service& service,
                               const std::vector<const EndpointSlice*>& slices,
                               const Domain& domain) {
    Collector records(service, domain);
    if (!records.name()) return {};
    if (service.type == "ExternalName") {
        if (const auto to = to_wire(service.external_name)) records.alias(*to);
        return records.take();
    }
    const std::vector<Backend> backends = ready_backends(slices, *records.name());
    if (service.headless()) {
        add_headless(records, backends);
    } else {
        add_cluster_ip(records, service);
    }
    for (const Backend& backend : backends) {
        records.address(backend.name, backend.address);
        records.pointer(backend.address, backend.name);
    }
    return records.take();
}

}  // namespace kin::dns
