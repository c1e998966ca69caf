#include "ingress/backends.h"

#include <algorithm>

#include "core/base/strings.h"
#include "ingress/names.h"

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
    const auto [known, is_new] = known_[service].try_emplace(text_of(backend.port));
    if (is_new) known->second = resolve(service, backend);
    return known->second;
}

Backends::Found Backends::resolve(const ObjectKey& key, const IngressBackend& wanted) const {
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
    const Service* service = find_service_(key);
    if (!service) return amiss("ServiceNotFound", cat("there is no Service ", key));
    if (service->type == "ExternalName") return resolve_name(*service, wanted, std::move(backend));
    const ServicePort* port = find_port(*service, wanted.port);
    if (!port) {
        return amiss("ServicePortNotFound", cat("Service ", key, " has no port ", port_text));
    }
    backend->endpoints = endpoints_of(slices_of_(key), port->name);
    return {std::move(backend), "", ""};
}

/// As ingress-nginx has it: at the number of targetPort, or of the Ingress if the Service has no
/// ports at all.
Backends::Found Backends::resolve_name(const Service& service, const IngressBackend& wanted,
                                       std::shared_ptr<Backend> out) const {
    const ObjectKey& key = service.key();
    const ServicePort* port = find_port(service, wanted.port);
    uint16_t number = port ? port->target.number : 0;
    if (port && number == 0 && port->target.name.empty()) number = port->port;
    if (!port && service.ports.empty()) number = wanted.port.number;
    if (number == 0) {
        return {std::move(out), "ServicePortNotFound",
                cat("Service ", key, " has no port ", text_of(wanted.port), " with a number")};
    }
    const std::string& name = service.external_name;
    const auto literal = Ipv4::parse(name);
    if (name == "localhost" || (literal && !is_outside(*literal))) {
        return {std::move(out), "ExternalNameRefused",
                cat("Service ", key, " stands for ", name, ", where no Ingress may lead")};
    }
    const auto addresses =
        literal ? std::vector<Ipv4>{*literal} : addresses_of_(service.key(), name);
    for (const Ipv4 address : addresses) out->endpoints.push_back({address, number});
    if (!addresses.empty()) return {std::move(out), "", ""};
    return {std::move(out), "ExternalNameNotResolved",
            cat("Service ", key, " stands for ", name, ", of which DNS knows no address")};
}

}  // namespace kin::ingress
