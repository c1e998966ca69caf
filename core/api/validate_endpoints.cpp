#include <set>

#include "core/api/validate.h"
#include "core/base/strings.h"

namespace kin {

namespace {

constexpr size_t kMaxEndpoints = 1000;
constexpr size_t kMaxPorts = 20000;
constexpr size_t kMaxAddresses = 100;

void validate_app_protocol(const Json& port, const FieldPath& path, Findings& out) {
    if (const Json* protocol = find(port, "appProtocol"))
        out.invalid(path.child("appProtocol"), *protocol,
                    check_qualified_name(protocol->get_ref<const std::string&>()));
}

void validate_host(const Json& endpoint, const FieldPath& path, Findings& out) {
    const std::string hostname = string_at(endpoint, {"hostname"});
    if (!hostname.empty())
        out.invalid(path.child("hostname"), hostname, check_dns1123_label(hostname));
    const std::string node = string_at(endpoint, {"nodeName"});
    if (!node.empty()) out.invalid(path.child("nodeName"), node, check_dns1123_subdomain(node));
}

void validate_subset(const Json& subset, const FieldPath& path, Findings& out) {
    if (array_at(subset, {"addresses"}).empty() && array_at(subset, {"notReadyAddresses"}).empty())
        out.required(path, "must specify `addresses` or `notReadyAddresses`");
    for (const char* list : {"addresses", "notReadyAddresses"})
        each(subset, list, path, [&](const Json& address, const FieldPath& at) {
            validate_routable_ip(string_at(address, {"ip"}), at.child("ip"), out);
            validate_host(address, at, out);
        });
    const bool needs_name = array_at(subset, {"ports"}).size() > 1;
    each(subset, "ports", path, [&](const Json& port, const FieldPath& at) {
        const std::string name = string_at(port, {"name"});
        if (!name.empty()) {
            out.invalid(at.child("name"), name, check_dns1123_label(name));
        } else if (needs_name) {
            out.required(at.child("name"));
        }
        const int64_t number = int_at(port, {"port"});
        out.invalid(at.child("port"), number, check_port_number(number));
        out.check_required_one_of(at.child("protocol"), string_at(port, {"protocol"}), kProtocols);
        validate_app_protocol(port, at, out);
    });
}

void validate_slice_address(const std::string& type, const std::string& address,
                            const FieldPath& path, Findings& out) {
    if (type == "FQDN") return out.invalid(path, address, check_dns1123_subdomain(address));
    const bool right = type == "IPv6" ? is_ipv6(address) : is_ipv4(address);
    if (!right) return out.invalid(path, address, cat("must be a valid ", type, " address"));
    validate_routable_ip(address, path, out);
}

void validate_slice_endpoint(const std::string& type, const Json& endpoint, const FieldPath& path,
                             Findings& out) {
    const size_t count = array_at(endpoint, {"addresses"}).size();
    const FieldPath addresses = path.child("addresses");
    if (count == 0) out.required(addresses, "must contain at least 1 address");
    if (count > kMaxAddresses) {
        out.too_many(addresses, count, kMaxAddresses);
    } else if (type == "IPv4" || type == "IPv6" || type == "FQDN") {
        each(endpoint, "addresses", path, [&](const Json& address, const FieldPath& at) {
            validate_slice_address(type, address.get<std::string>(), at, out);
        });
    }
    validate_host(endpoint, path, out);
    validate_labels(object_at(endpoint, {"deprecatedTopology"}), path.child("deprecatedTopology"),
                    out);
}

void validate_slice_ports(const Json& slice, Findings& out) {
    const size_t count = array_at(slice, {"ports"}).size();
    const FieldPath ports("ports");
    if (count > kMaxPorts) return out.too_many(ports, count, kMaxPorts);
    std::set<std::string> names;
    const Json& list = array_at(slice, {"ports"});
    for (size_t i = 0; i < list.size(); ++i) {
        const FieldPath at = ports.index(i);
        const std::string name = string_at(list[i], {"name"});
        if (!name.empty()) out.invalid(at.child("name"), name, check_dns1123_label(name));
        if (!names.insert(name).second) out.duplicate(at.child("name"), name);
        out.check_required_one_of(at.child("protocol"), string_at(list[i], {"protocol"}),
                                  kProtocols);
        if (const Json* port = find(list[i], "port"))
            out.invalid(at.child("port"), *port, check_port_number(port->get<int64_t>()));
        validate_app_protocol(list[i], at, out);
    }
}

}  // namespace

void validate_endpoints(const Json& object, const Json*, Findings& out) {
    const Json& subsets = array_at(object, {"subsets"});
    for (size_t i = 0; i < subsets.size(); ++i)
        validate_subset(subsets[i], FieldPath("subsets").index(i), out);
}

void validate_endpoint_slice(const Json& object, const Json* old, Findings& out) {
    const std::string type = string_at(object, {"addressType"});
    const FieldPath type_path("addressType");
    out.check_required_one_of(type_path, type, {"FQDN", "IPv4", "IPv6"});
    const Json& endpoints = array_at(object, {"endpoints"});
    const FieldPath path("endpoints");
    if (endpoints.size() > kMaxEndpoints) {
        out.too_many(path, endpoints.size(), kMaxEndpoints);
    } else {
        for (size_t i = 0; i < endpoints.size(); ++i)
            validate_slice_endpoint(type, endpoints[i], path.index(i), out);
    }
    validate_slice_ports(object, out);
    if (old) out.check_immutable(type_path, find(object, "addressType"), find(*old, "addressType"));
}

}  // namespace kin
