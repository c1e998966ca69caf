#include "ingress/backends.h"

#include <algorithm>

#include "core/base/strings.h"

namespace kin::ingress {

namespace {
std::string text_of(const PortRef& port) {
    return port.name.empty() ? cat(port.number) : port.name;
}

const ServicePort* find_port(const Service& service, const PortRef& wanted) {
    for (const ServicePort& port : service.ports) {
        if (port.protocol != Protocol::kTcp) continue;
        if (wanted.name.empty() ? port.port == wanted.number : port.name == wanted.name) {
            return &port;
        }
    }
    return nullptr;
}

/// Those that are ready, at the slices' port of this name: it is resolved there, whatever name or
/// number targetPort is.
std::vector<Endpoint> endpoints_of(const std::vector<const EndpointSlice*>& slices,
                                   const std::string& port_name) {
    std::vector<Endpoint> out;
    for (const EndpointSlice* slice : slices) {
        if (slice->address_type != "IPv4") continue;
        for (const EndpointsPort& port : slice->ports) {
            if (port.name != port_name || port.protocol != Protocol::kTcp) continue;
            for (const EndpointSlice::Endpoint& endpoint : slice->endpoints) {
                if (!endpoint.ready || endpoint.addresses.empty()) continue;
                const auto address = Ipv4::parse(endpoint.addresses.front());
                if (address) out.push_back({*address, port.port});
            }
        }
    }
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}
}  // namespace

const Backends::Found& Backends::find(const std::string& ns, const IngressBackend& backend) {
    const ObjectKey service{ns, backend.service};
    const auto [known, is_new] = known_.try_emplace({service, text_of(backend.port)});
    if (is_new) known->second = resolve(service, backend);
    return known->second;
}

Backends::Found Backends::resolve(const ObjectKey& key, const IngressBackend& wanted) {
    const std::string port_text = text_of(wanted.port);
    auto backend = std::make_shared<Backend>();
    backend->name = cat(key, ':', port_text);
    const auto amiss = [&](const char* reason, std::string message) {
        return Found{backend, reason, std::move(message)};
    };
    if (wanted.resource) {
        backend->name = cat(key.ns, "/resource");
        return amiss("ResourceBackend", "a backend that is no Service gets no requests");
    }
    services_.insert(key);
    const Service* service = find_service_(key);
    if (!service) return amiss("ServiceNotFound", cat("there is no Service ", key));
    if (service->type == "ExternalName") {
        return amiss("ExternalNameService",
                     cat("Service ", key, " is of type ExternalName and has no pods to dial"));
    }
    const ServicePort* port = find_port(*service, wanted.port);
    if (!port) {
        return amiss("ServicePortNotFound", cat("Service ", key, " has no port ", port_text));
    }
    backend->endpoints = endpoints_of(slices_of_(key), port->name);
    return {std::move(backend), "", ""};
}

}  // namespace kin::ingress
