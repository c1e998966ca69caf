#include <set>

#include "core/api/validate.h"
#include "core/base/strings.h"

namespace kin {

namespace {

constexpr int64_t kKubeletPort = 10250;
constexpr int64_t kLongestAffinitySeconds = 86400;

std::string type_of(const Json& spec) { return string_at(spec, {"type"}); }
bool is_headless(const Json& spec) { return string_at(spec, {"clusterIP"}) == "None"; }

void validate_port(const Json& port, bool needs_name, const FieldPath& path, Findings& out) {
    const std::string name = string_at(port, {"name"});
    if (name.empty()) {
        if (needs_name) out.required(path.child("name"));
    } else {
        out.invalid(path.child("name"), name, check_dns1123_label(name));
    }
    const int64_t number = int_at(port, {"port"});
    out.invalid(path.child("port"), number, check_port_number(number));
    out.check_required_one_of(path.child("protocol"), string_at(port, {"protocol"}), kProtocols);
    if (const Json* target = find(port, "targetPort"))
        validate_port_or_name(*target, path.child("targetPort"), out);
    if (const Json* protocol = find(port, "appProtocol"))
        out.invalid(path.child("appProtocol"), *protocol,
                    check_qualified_name(protocol->get_ref<const std::string&>()));
}

void validate_ports(const Json& spec, const FieldPath& path, Findings& out) {
    const std::string type = type_of(spec);
    const Json& ports = array_at(spec, {"ports"});
    if (ports.empty() && !is_headless(spec) && type != "ExternalName")
        out.required(path.child("ports"));
    std::set<std::string> names, numbers, node_ports;
    each(spec, "ports", path, [&](const Json& port, const FieldPath& at) {
        validate_port(port, ports.size() > 1, at, out);
        const std::string protocol = string_at(port, {"protocol"});
        const std::string name = string_at(port, {"name"});
        if (!name.empty() && !names.insert(name).second) out.duplicate(at.child("name"), name);
        if (!numbers.insert(cat(protocol, int_at(port, {"port"}))).second)
            out.duplicate(at, {{"port", int_at(port, {"port"})}, {"protocol", protocol}});
        const int64_t node_port = int_at(port, {"nodePort"});
        if (node_port != 0 && type == "ClusterIP")
            out.forbidden(at.child("nodePort"), "may not be used when `type` is 'ClusterIP'");
        if (node_port != 0 && !node_ports.insert(cat(protocol, node_port)).second)
            out.duplicate(at.child("nodePort"), node_port);
        if (type == "LoadBalancer" && int_at(port, {"port"}) == kKubeletPort)
            out.invalid(at, kKubeletPort,
                        "may not expose port 10250 externally since it is used by kubelet");
    });
}

void validate_external_name(const Json& spec, const FieldPath& path, Findings& out) {
    if (!array_at(spec, {"clusterIPs"}).empty() || spec.contains("clusterIP"))
        out.forbidden(path.child("clusterIPs"), "may not be set for ExternalName services");
    std::string name = string_at(spec, {"externalName"});
    if (name.ends_with('.')) name.pop_back();
    if (name.empty()) return out.required(path.child("externalName"));
    out.invalid(path.child("externalName"), name, check_dns1123_subdomain(name));
}

void validate_cluster_ips(const Json& spec, const FieldPath& path, Findings& out) {
    const Json& ips = array_at(spec, {"clusterIPs"});
    const std::string first = string_at(spec, {"clusterIP"});
    const FieldPath at = path.child("clusterIPs");
    if (first.empty()) {
        if (!ips.empty()) out.invalid(at, ips, "must be empty when `clusterIP` is not specified");
        return;
    }
    if (ips.empty()) return out.required(at);
    if (ips[0] != first) out.invalid(at.index(0), ips[0], "must match `clusterIP`");
    if (ips[0] == "None" && ips.size() > 1)
        out.invalid(at, ips, "'None' must be the first and only value");
    if (ips.size() > 2) out.invalid(at, ips, "may only hold up to 2 values");
    size_t four = 0;
    for (size_t i = 0; i < ips.size(); ++i) {
        const auto& ip = ips[i].get_ref<const std::string&>();
        if (ip != "None" && !is_ip(ip)) out.invalid(at.index(i), ip, kNotAnIp);
        four += is_ipv4(ip);
    }
    if (ips.size() == 2 && four != 1)
        out.invalid(at, ips, "may specify no more than one IP for each IP family");
    const std::string type = type_of(spec);
    if (first == "None" && (type == "NodePort" || type == "LoadBalancer"))
        out.invalid(at.index(0), "None", cat("may not be set to 'None' for ", type, " services"));
}

void validate_families(const Json& spec, const FieldPath& path, Findings& out) {
    const bool external = type_of(spec) == "ExternalName";
    for (const char* key : {"ipFamilies", "ipFamilyPolicy"})
        if (external && spec.contains(key))
            out.forbidden(path.child(key), "may not be set for ExternalName services");
    std::set<std::string> seen;
    each(spec, "ipFamilies", path, [&](const Json& family, const FieldPath& at) {
        out.check_one_of(at, family.get_ref<const std::string&>(), {"IPv4", "IPv6"});
        if (!seen.insert(family.get<std::string>()).second) out.duplicate(at, family);
    });
    out.check_one_of(path.child("ipFamilyPolicy"), string_at(spec, {"ipFamilyPolicy"}),
                     {"PreferDualStack", "RequireDualStack", "SingleStack"});
}

void validate_affinity(const Json& spec, const FieldPath& path, Findings& out) {
    const std::string affinity = string_at(spec, {"sessionAffinity"});
    out.check_required_one_of(path.child("sessionAffinity"), affinity, {"ClientIP", "None"});
    if (affinity != "ClientIP") return;
    const int64_t seconds = int_at(spec, {"sessionAffinityConfig", "clientIP", "timeoutSeconds"});
    if (seconds <= 0 || seconds > kLongestAffinitySeconds)
        out.invalid(path.child("sessionAffinityConfig").child("clientIP").child("timeoutSeconds"),
                    seconds, cat("must be greater than 0 and less than ", kLongestAffinitySeconds));
}

void validate_source_ranges(const Json& object, const FieldPath& path, Findings& out) {
    const Json& spec = object_at(object, {"spec"});
    const bool balanced = type_of(spec) == "LoadBalancer";
    constexpr std::string_view kOnlyBalanced = "may only be used when `type` is 'LoadBalancer'";
    // Upstream spells this path with a capital.
    const FieldPath at = path.child("LoadBalancerSourceRanges");
    const Json& ranges = array_at(spec, {"loadBalancerSourceRanges"});
    if (!ranges.empty() && !balanced) out.forbidden(at, kOnlyBalanced);
    for (size_t i = 0; balanced && i < ranges.size(); ++i)
        if (!is_cidr(trim(ranges[i].get_ref<const std::string&>())))
            out.invalid(at.index(i), ranges[i], kNotACidr);
    constexpr const char* kAnnotation = "service.beta.kubernetes.io/load-balancer-source-ranges";
    const std::string text = string_at(object, {"metadata", "annotations", kAnnotation});
    if (!ranges.empty() || text.empty()) return;
    const FieldPath annotations = FieldPath("metadata").child("annotations");
    if (!balanced) return out.forbidden(annotations.key(kAnnotation), kOnlyBalanced);
    for (const std::string_view range : split(text, ','))
        if (!is_cidr(trim(range)))
            return out.invalid(annotations.key(kAnnotation), text,
                               "must be a list of IP ranges. For example, "
                               "10.240.0.0/24,10.250.0.0/24");
}

void validate_policies(const Json& spec, const FieldPath& path, Findings& out) {
    const std::string type = type_of(spec);
    const bool balanced = type == "LoadBalancer";
    const bool outside = balanced || type == "NodePort" ||
                         (type == "ClusterIP" && !array_at(spec, {"externalIPs"}).empty());
    const std::string external = string_at(spec, {"externalTrafficPolicy"});
    const FieldPath external_path = path.child("externalTrafficPolicy");
    if (!external.empty() && !outside) {
        out.invalid(external_path, external, "may only be set for externally-accessible services");
    } else {
        out.check_one_of(external_path, external, {"Cluster", "Local"});
    }
    const int64_t health_port = int_at(spec, {"healthCheckNodePort"});
    if (health_port != 0 && !(balanced && external == "Local"))
        out.invalid(path.child("healthCheckNodePort"), health_port,
                    "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` "
                    "is 'Local'");
    else if (health_port < 0)
        out.invalid(path.child("healthCheckNodePort"), health_port,
                    "must be between 0 and 65535, inclusive");
    for (const char* key : {"allocateLoadBalancerNodePorts", "loadBalancerClass"})
        if (!balanced && spec.contains(key))
            out.forbidden(path.child(key), "may only be used when `type` is 'LoadBalancer'");
    const std::string load_balancer_class = string_at(spec, {"loadBalancerClass"});
    if (balanced && spec.contains("loadBalancerClass"))
        out.invalid(path.child("loadBalancerClass"), load_balancer_class,
                    check_qualified_name(load_balancer_class));
    out.check_one_of(path.child("internalTrafficPolicy"),
                     string_at(spec, {"internalTrafficPolicy"}), {"Cluster", "Local"});
    out.check_one_of(path.child("trafficDistribution"), string_at(spec, {"trafficDistribution"}),
                     {"PreferClose", "PreferSameNode", "PreferSameZone"});
}

/// The address of a Service is for life, unless it becomes an alias.
void validate_address_kept(const Json& spec, const Json& old, const FieldPath& path,
                           Findings& out) {
    if (type_of(spec) == "ExternalName" || type_of(old) == "ExternalName") return;
    const Json& now = array_at(spec, {"clusterIPs"});
    const Json& before = array_at(old, {"clusterIPs"});
    if (before.empty()) return;
    const FieldPath at = path.child("clusterIPs");
    if (now.empty()) {
        out.invalid(at.index(0), now, "primary clusterIP can not be unset");
    } else if (now[0] != before[0]) {
        out.invalid(at.index(0), now, "may not change once set");
    }
}

}  // namespace

void validate_service(const Json& object, const Json* old, Findings& out) {
    const FieldPath path("spec");
    const Json& spec = object_at(object, {"spec"});
    const std::string type = type_of(spec);
    out.check_required_one_of(path.child("type"), type,
                              {"ClusterIP", "ExternalName", "LoadBalancer", "NodePort"});
    validate_ports(spec, path, out);
    if (type == "ExternalName") {
        validate_external_name(spec, path, out);
    } else {
        validate_cluster_ips(spec, path, out);
    }
    validate_families(spec, path, out);
    validate_labels(object_at(spec, {"selector"}), path.child("selector"), out);
    validate_affinity(spec, path, out);
    each(spec, "externalIPs", path, [&](const Json& ip, const FieldPath& at) {
        validate_routable_ip(ip.get_ref<const std::string&>(), at, out);
    });
    validate_source_ranges(object, path, out);
    validate_policies(spec, path, out);
    if (old) validate_address_kept(spec, object_at(*old, {"spec"}), path, out);
}

void validate_load_balancer_status(const Json& object, Findings& out) {
    const FieldPath path = FieldPath("status");
    const FieldPath balancer = path.child("loadBalancer");
    const Json& ingress = object_at(object, {"status", "loadBalancer"});
    const bool service = object.value("kind", "") == "Service";
    if (service && string_at(object, {"spec", "type"}) != "LoadBalancer" &&
        !array_at(ingress, {"ingress"}).empty())
        return out.forbidden(balancer.child("ingress"),
                             "may only be used when `spec.type` is "
                             "\"LoadBalancer\"");
    each(ingress, "ingress", balancer, [&](const Json& one, const FieldPath& at) {
        const std::string ip = string_at(one, {"ip"});
        const std::string name = string_at(one, {"hostname"});
        if (!ip.empty() && !is_ip(ip)) out.invalid(at.child("ip"), ip, kNotAnIp);
        if (!name.empty()) {
            out.invalid(at.child("hostname"), name, check_dns1123_subdomain(name));
            if (is_ip(name))
                out.invalid(at.child("hostname"), name, "must be a DNS name, not an IP address");
        }
        out.check_one_of(at.child("ipMode"), string_at(one, {"ipMode"}), {"Proxy", "VIP"});
    });
}

}  // namespace kin
