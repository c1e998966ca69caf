#include <set>

#include "core/api/validate.h"
#include "core/base/strings.h"

namespace kin {

namespace {

const std::vector<std::string> kRestartPolicies = {"Always", "OnFailure", "Never"};
const std::vector<std::string> kDnsPolicies = {"ClusterFirstWithHostNet", "ClusterFirst", "Default",
                                               "None"};
// What a resolver of today reads; older ones stop at 6 domains and 256 characters.
constexpr size_t kMaxNameservers = 3;
constexpr size_t kMaxSearches = 32;
constexpr size_t kMaxSearchBytes = 2048;

void validate_searches(const Json& config, const FieldPath& path, Findings& out) {
    const Json& searches = array_at(config, {"searches"});
    if (searches.size() > kMaxSearches)
        out.invalid(path.child("searches"), searches,
                    cat("must not have more than ", kMaxSearches, " search paths"));
    size_t bytes = searches.empty() ? 0 : searches.size() - 1;
    each(config, "searches", path, [&](const Json& one, const FieldPath& at) {
        std::string domain = one.get<std::string>();
        bytes += domain.size();
        if (domain.size() > 1 && domain.ends_with('.')) domain.pop_back();
        if (domain != ".") out.invalid(at, one, check_dns1123_subdomain(domain));
    });
    if (bytes > kMaxSearchBytes)
        out.invalid(path.child("searches"), searches,
                    cat("must not have more than ", kMaxSearchBytes,
                        " characters (including spaces) in the search list"));
}

void validate_dns(const Json& spec, const FieldPath& path, Findings& out) {
    const std::string policy = string_at(spec, {"dnsPolicy"});
    out.check_required_one_of(path.child("dnsPolicy"), policy, kDnsPolicies);
    const Json* config = find(spec, "dnsConfig");
    const FieldPath at = path.child("dnsConfig");
    const Json& servers = array_at(spec, {"dnsConfig", "nameservers"});
    if (policy == "None" && !config)
        out.required(at, "must provide `dnsConfig` when `dnsPolicy` is None");
    if (!config) return;
    if (policy == "None" && servers.empty())
        out.required(at.child("nameservers"),
                     "must provide at least one DNS nameserver when `dnsPolicy` is None");
    if (servers.size() > kMaxNameservers)
        out.invalid(at.child("nameservers"), servers,
                    cat("must not have more than ", kMaxNameservers, " nameservers"));
    each(*config, "nameservers", at, [&](const Json& one, const FieldPath& here) {
        if (!is_ip(one.get_ref<const std::string&>())) out.invalid(here, one, kNotAnIp);
    });
    validate_searches(*config, at, out);
    each(*config, "options", at, [&](const Json& one, const FieldPath& here) {
        if (string_at(one, {"name"}).empty()) out.required(here, "must not be empty");
    });
}

void validate_host_aliases(const Json& spec, const FieldPath& path, Findings& out) {
    const FieldPath at = path.child("hostAliases");
    for (const Json& alias : array_at(spec, {"hostAliases"})) {
        const std::string ip = string_at(alias, {"ip"});
        if (!is_ip(ip)) out.invalid(at.child("ip"), ip, kNotAnIp);
        for (const Json& name : array_at(alias, {"hostnames"}))
            out.invalid(at.child("hostnames"), name,
                        check_dns1123_subdomain(name.get_ref<const std::string&>()));
    }
}

void validate_names(const Json& spec, const FieldPath& path, Findings& out) {
    const auto check = [&](const char* key, Complaints (*rule)(std::string_view)) {
        const std::string text = string_at(spec, {key});
        if (!text.empty()) out.invalid(path.child(key), text, rule(text));
    };
    check("hostname", check_dns1123_label);
    check("subdomain", check_dns1123_label);
    check("serviceAccountName", check_dns1123_subdomain);
    check("nodeName", check_dns1123_subdomain);
    check("priorityClassName", check_dns1123_subdomain);
    check("runtimeClassName", check_dns1123_subdomain);
    each(spec, "readinessGates", path, [&](const Json& gate, const FieldPath& at) {
        const std::string type = string_at(gate, {"conditionType"});
        out.invalid(at.child("conditionType"), type, check_qualified_name(type));
    });
}

void validate_deadline(const Json& spec, const FieldPath& path, Findings& out) {
    const Json* deadline = find(spec, "activeDeadlineSeconds");
    if (!deadline) return;
    const auto seconds = deadline->get<int64_t>();
    if (seconds < 1 || seconds > 2147483647)
        out.invalid(path.child("activeDeadlineSeconds"), *deadline,
                    "must be between 1 and 2147483647, inclusive");
}

void validate_gates(const Json& spec, const FieldPath& path, Findings& out) {
    std::set<std::string> seen;
    each(spec, "schedulingGates", path, [&](const Json& gate, const FieldPath& at) {
        const std::string name = string_at(gate, {"name"});
        out.invalid(at.child("name"), name, check_qualified_name(name));
        if (!seen.insert(name).second) out.duplicate(at, name);
    });
    if (!seen.empty() && !string_at(spec, {"nodeName"}).empty())
        out.forbidden(path.child("nodeName"),
                      "cannot be set until all schedulingGates have been "
                      "cleared");
}

void validate_pod_ips(const Json& object, Findings& out) {
    const FieldPath path("status");
    const Json& ips = array_at(object, {"status", "podIPs"});
    std::set<std::string> seen;
    size_t four = 0;
    size_t six = 0;
    each(object_at(object, {"status"}), "podIPs", path, [&](const Json& one, const FieldPath& at) {
        const std::string ip = string_at(one, {"ip"});
        if (!is_ip(ip)) out.invalid(at, ip, kNotAnIp);
        four += is_ipv4(ip);
        six += is_ipv6(ip);
        if (!seen.insert(ip).second) out.duplicate(at, one);
    });
    if (four > 1 || six > 1)
        out.invalid(path.child("podIPs"), ips,
                    "may specify no more than one IP for each IP family");
}

}  // namespace

void validate_pod_spec(const Json& spec, const FieldPath& path, Findings& out) {
    validate_volumes(spec, path, out);
    validate_containers(spec, path, out);
    out.check_required_one_of(path.child("restartPolicy"), string_at(spec, {"restartPolicy"}),
                              kRestartPolicies);
    validate_dns(spec, path, out);
    validate_scheduling(spec, path, out);
    validate_pod_security(object_at(spec, {"securityContext"}), path.child("securityContext"), out);
    if (bool_at(spec, {"shareProcessNamespace"}) && bool_at(spec, {"hostPID"}))
        out.invalid(path.child("securityContext").child("shareProcessNamespace"), true,
                    "ShareProcessNamespace and HostPID cannot both be enabled");
    validate_names(spec, path, out);
    validate_host_aliases(spec, path, out);
    validate_deadline(spec, path, out);
    out.check_one_of(path.child("preemptionPolicy"), string_at(spec, {"preemptionPolicy"}),
                     {"Never", "PreemptLowerPriority"});
    for (const auto& [name, amount] : object_at(spec, {"overhead"}).items())
        if (amount.get_ref<const std::string&>().starts_with('-'))
            out.invalid(path.child("overhead").child("limits").key(name), amount,
                        "must be greater than or equal to 0");
}

void validate_pod_template(const Json& pod_template, const FieldPath& path, Findings& out) {
    const FieldPath metadata = path.child("metadata");
    validate_labels(object_at(pod_template, {"metadata", "labels"}), path.child("labels"), out);
    validate_annotations(object_at(pod_template, {"metadata", "annotations"}),
                         metadata.child("annotations"), out);
    validate_pod_spec(object_at(pod_template, {"spec"}), path.child("spec"), out);
    if (!array_at(pod_template, {"spec", "ephemeralContainers"}).empty())
        out.forbidden(path.child("spec").child("ephemeralContainers"),
                      "ephemeral containers not allowed in pod template");
}

void validate_pod_template_object(const Json& object, const Json*, Findings& out) {
    validate_pod_template(object_at(object, {"template"}), FieldPath("template"), out);
}

void validate_pod(const Json& object, const Json* old, Findings& out) {
    const FieldPath path("spec");
    const Json& spec = object_at(object, {"spec"});
    validate_pod_spec(spec, path, out);
    if (old) return validate_pod_update(spec, object_at(*old, {"spec"}), path, out);
    validate_gates(spec, path, out);
    if (!array_at(spec, {"ephemeralContainers"}).empty())
        out.forbidden(path.child("ephemeralContainers"), "cannot be set on create");
}

void validate_pod_status(const Json& object, const Json& old, Findings& out) {
    validate_pod_ips(object, out);
    const std::string node = string_at(object, {"status", "nominatedNodeName"});
    if (!node.empty())
        out.invalid(FieldPath("status").child("nominatedNodeName"), node,
                    check_dns1123_subdomain(node));
    if (string_at(old, {"spec", "restartPolicy"}) != "Never") return;
    // A container that has ended for good does not come back.
    for (const Json& before : array_at(old, {"status", "containerStatuses"})) {
        if (!find(before, {"state", "terminated"})) continue;
        for (const Json& now : array_at(object, {"status", "containerStatuses"}))
            if (same_value(find(now, "name"), find(before, "name")) && !find(now, {"state", "terminated"}))
                out.forbidden(FieldPath("status").child("containerStatuses").child("state"),
                              "may not be transitioned to non-terminated state");
    }
}

}  // namespace kin
