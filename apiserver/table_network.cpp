// Services and what leads to pods.

#include "apiserver/table_columns.h"
#include "core/base/strings.h"

namespace kin::apiserver::table {
namespace {

std::vector<std::string> strings_at(const Json& object, JsonPath path) {
    std::vector<std::string> out;
    for (const Json& one : array_at(object, path)) out.push_back(scalar_text(one));
    return out;
}

std::string or_none(const std::vector<std::string>& parts) {
    return parts.empty() ? "<none>" : join(parts, ",");
}

Json service_address(const Row& row) {
    const auto addresses = strings_at(row.object, {"spec", "clusterIPs"});
    if (!addresses.empty()) return addresses.front();
    return string_at(row.object, {"spec", "clusterIP"}, "<none>");
}

Json service_external(const Row& row) {
    const std::string type = string_at(row.object, {"spec", "type"});
    auto external = strings_at(row.object, {"spec", "externalIPs"});
    if (type == "ExternalName") return string_at(row.object, {"spec", "externalName"});
    if (type != "LoadBalancer") return or_none(external);
    auto addresses = load_balancer_addresses(row.object);
    addresses.insert(addresses.end(), external.begin(), external.end());
    return addresses.empty() ? "<pending>" : join(addresses, ",");
}

Json service_ports(const Row& row) {
    std::vector<std::string> parts;
    for (const Json& port : array_at(row.object, {"spec", "ports"})) {
        const int64_t node_port = int_at(port, {"nodePort"});
        parts.push_back(cat(int_at(port, {"port"}), node_port ? cat(':', node_port) : "", '/',
                            string_at(port, {"protocol"}, "TCP")));
    }
    return or_none(parts);
}

Columns of_service() {
    return {name_column(),
            text("Type", {"spec", "type"}),
            {"Cluster-IP", service_address},
            {"External-IP", service_external},
            {"Port(s)", service_ports},
            age_column(),
            wide(labels_column("Selector", {"spec", "selector"}))};
}

Json endpoints_text(const Row& row) {
    std::vector<std::string> parts;
    for (const Json& subset : array_at(row.object, {"subsets"})) {
        const Json& ports = array_at(subset, {"ports"});
        const Json& addresses = array_at(subset, {"addresses"});
        for (const Json& port : ports) {
            for (const Json& address : addresses) {
                const std::string ip = string_at(address, {"ip"});
                const bool v6 = ip.find(':') != std::string::npos;
                parts.push_back(cat(v6 ? cat('[', ip, ']') : ip, ':', int_at(port, {"port"})));
            }
        }
        if (!ports.empty()) continue;
        for (const Json& address : addresses) parts.push_back(string_at(address, {"ip"}));
    }
    return some_of(parts, 3, "<none>");
}

Json slice_ports(const Row& row) {
    std::vector<std::string> parts;
    for (const Json& port : array_at(row.object, {"ports"})) {
        const Json* number = find(port, "port");
        parts.push_back(number ? scalar_text(*number) : string_at(port, {"name"}, "*"));
    }
    return some_of(parts, 3, "<unset>");
}

Json slice_endpoints(const Row& row) {
    std::vector<std::string> parts;
    for (const Json& endpoint : array_at(row.object, {"endpoints"})) {
        for (auto& address : strings_at(endpoint, {"addresses"}))
            parts.push_back(std::move(address));
    }
    return some_of(parts, 3, "<unset>");
}

Json ingress_hosts(const Row& row) {
    std::vector<std::string> hosts;
    for (const Json& rule : array_at(row.object, {"spec", "rules"})) {
        const std::string host = string_at(rule, {"host"});
        if (!host.empty()) hosts.push_back(host);
    }
    return some_of(hosts, 3, "*");
}

Columns of_ingress() {
    return {name_column(),
            text("Class", {"spec", "ingressClassName"}, "<none>"),
            {"Hosts", ingress_hosts},
            {"Address",
             [](const Row& row) -> Json { return join(load_balancer_addresses(row.object), ","); }},
            {"Ports",
             [](const Row& row) -> Json {
                 return array_at(row.object, {"spec", "tls"}).empty() ? "80" : "80, 443";
             }},
            age_column()};
}

Json class_parameters(const Row& row) {
    const Json* parameters = find(row.object, JsonPath{"spec", "parameters"});
    if (!parameters || parameters->empty()) return "<none>";
    const std::string group = string_at(*parameters, {"apiGroup"});
    return cat(string_at(*parameters, {"kind"}), group.empty() ? "" : cat('.', group), '/',
               string_at(*parameters, {"name"}));
}

}  // namespace

Columns network_columns(std::string_view kind) {
    if (kind == "Service") return of_service();
    if (kind == "Endpoints") return {name_column(), {"Endpoints", endpoints_text}, age_column()};
    if (kind == "EndpointSlice") {
        return {name_column(),
                text("AddressType", {"addressType"}),
                {"Ports", slice_ports},
                {"Endpoints", slice_endpoints},
                age_column()};
    }
    if (kind == "Ingress") return of_ingress();
    if (kind == "IngressClass") {
        return {name_column(),
                text("Controller", {"spec", "controller"}),
                {"Parameters", class_parameters},
                age_column()};
    }
    if (kind == "NetworkPolicy") {
        return {name_column(), selector_column("Pod-Selector", {"spec", "podSelector"}),
                age_column()};
    }
    return {};
}

}  // namespace kin::apiserver::table
