#include <algorithm>
#include <map>
#include <string>

#include "core/api/defaults.h"
#include "core/api/name_rules.h"

namespace kin {

namespace {

std::string type_of(const Json& spec) { return string_at(spec, {"type"}); }
bool has_cluster_ip(const Json& spec) { return type_of(spec) != "ExternalName"; }
bool has_node_ports(const Json& spec) {
    return type_of(spec) == "NodePort" || type_of(spec) == "LoadBalancer";
}
bool has_health_check_port(const Json& spec) {
    return type_of(spec) == "LoadBalancer" && string_at(spec, {"externalTrafficPolicy"}) == "Local";
}

bool same(const Json& a, const Json& b, const char* key) {
    const Json* left = find(a, key);
    const Json* right = find(b, key);
    return left && right ? *left == *right : left == right;
}

void default_ports(Json& spec) {
    Json* ports = find(spec, "ports");
    if (!ports) return;
    for (Json& port : *ports) {
        const Json* target = find(port, "targetPort");
        if (!target || *target == 0 || *target == "") port["targetPort"] = int_at(port, {"port"});
    }
}

/// By the ports' names ("" is one, too), whatever else of them has changed, unless another port has
/// the number now: upstream's patchAllocatedValues().
void keep_node_ports(Json& ports, const Json& old_ports) {
    std::map<std::string, int64_t> held;
    for (const Json& before : old_ports)
        held[string_at(before, {"name"})] = int_at(before, {"nodePort"});
    for (const Json& port : ports)
        std::erase_if(
            held, [&](const auto& entry) { return int_at(port, {"nodePort"}) == entry.second; });
    for (Json& port : ports) {
        if (port.contains("nodePort")) continue;
        const auto before = held.find(string_at(port, {"name"}));
        if (before != held.end() && before->second != 0) port["nodePort"] = before->second;
    }
}

/// Values the server chose before, for a client that leaves them out.
void keep_allocated(Json& spec, const Json& old) {
    if (has_cluster_ip(old) && has_cluster_ip(spec)) {
        if (!spec.contains("clusterIP") && old.contains("clusterIP"))
            spec["clusterIP"] = old["clusterIP"];
        if (!spec.contains("clusterIPs") && same(spec, old, "clusterIP") &&
            old.contains("clusterIPs"))
            spec["clusterIPs"] = old["clusterIPs"];
    }
    if (has_node_ports(old) && has_node_ports(spec) && spec.contains("ports"))
        keep_node_ports(spec["ports"], array_at(old, {"ports"}));
    if (has_health_check_port(old) && has_health_check_port(spec) &&
        !spec.contains("healthCheckNodePort") && old.contains("healthCheckNodePort"))
        spec["healthCheckNodePort"] = old["healthCheckNodePort"];
}

bool same_node_ports(const Json& spec, const Json& old) {
    const Json& now = array_at(spec, {"ports"});
    for (const Json& port : now) {
        const int64_t number = int_at(port, {"nodePort"});
        if (number == 0) continue;
        const Json& before = array_at(old, {"ports"});
        if (std::none_of(before.begin(), before.end(),
                         [&](const Json& one) { return int_at(one, {"nodePort"}) == number; }))
            return false;
    }
    return true;
}

/// Removes what only the old type had a use for, if the client sent it back unchanged.
void drop_unused(Json& spec, const Json& old) {
    const auto drop = [&](const char* key, bool used_before, bool used) {
        if (used_before && !used && same(spec, old, key)) spec.erase(key);
    };
    const bool addressed = has_cluster_ip(spec);
    if (has_cluster_ip(old) && !addressed && same(spec, old, "clusterIP")) {
        for (const char* key : {"clusterIPs", "ipFamilies", "ipFamilyPolicy"})
            if (same(spec, old, key)) spec.erase(key);
        spec.erase("clusterIP");
    }
    if (has_node_ports(old) && !has_node_ports(spec) && spec.contains("ports") &&
        same_node_ports(spec, old))
        for (Json& port : spec["ports"]) port.erase("nodePort");
    drop("healthCheckNodePort", has_health_check_port(old), has_health_check_port(spec));
    const bool balanced = type_of(spec) == "LoadBalancer";
    const bool was_balanced = type_of(old) == "LoadBalancer";
    drop("allocateLoadBalancerNodePorts", was_balanced, balanced);
    drop("loadBalancerClass", was_balanced, balanced);
    drop("externalTrafficPolicy", has_node_ports(old), has_node_ports(spec));
    drop("internalTrafficPolicy", has_cluster_ip(old), addressed);
}

/// clusterIP and the first of clusterIPs are two names of one field.
void join_cluster_ips(Json& spec, const Json* old) {
    const std::string ip = string_at(spec, {"clusterIP"});
    const bool changed = old && !same(spec, *old, "clusterIP");
    if (ip.empty()) {
        if (changed && same(spec, *old, "clusterIPs")) spec.erase("clusterIPs");
        return;
    }
    if (!spec.contains("clusterIPs") || (changed && same(spec, *old, "clusterIPs")))
        spec["clusterIPs"] = Json::array({ip});
}

void default_policies(Json& spec) {
    if (string_at(spec, {"sessionAffinity"}) == "ClientIP") {
        Json& config = spec["sessionAffinityConfig"]["clientIP"];
        set_missing(config, "timeoutSeconds", 10800);
    } else if (string_at(spec, {"sessionAffinity"}) == "None") {
        spec.erase("sessionAffinityConfig");
    }
    if (has_node_ports(spec)) set_missing(spec, "externalTrafficPolicy", "Cluster");
    if (has_cluster_ip(spec)) set_missing(spec, "internalTrafficPolicy", "Cluster");
    if (type_of(spec) == "LoadBalancer") set_missing(spec, "allocateLoadBalancerNodePorts", true);
}

}  // namespace

void default_service(Json& service, const Json* old) {
    Json& spec = service["spec"];
    const Json* old_spec = old ? find(*old, "spec") : nullptr;
    default_ports(spec);
    if (old_spec) {
        keep_allocated(spec, *old_spec);
        drop_unused(spec, *old_spec);
    }
    join_cluster_ips(spec, old_spec);
    default_policies(spec);
    if (type_of(spec) != "LoadBalancer") return;
    if (Json* ingress = find(service, {"status", "loadBalancer", "ingress"}))
        for (Json& one : *ingress)
            if (one.contains("ip")) set_missing(one, "ipMode", "VIP");
}

}  // namespace kin
