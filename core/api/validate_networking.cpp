#include "core/api/validate.h"
#include "core/base/ip.h"
#include "core/base/strings.h"

namespace kin {

namespace {

// In upstream's order: messages list them so.
const std::vector<std::string> kPolicyProtocols = {"TCP", "UDP", "SCTP"};
const std::vector<std::string> kPolicyTypes = {"Ingress", "Egress"};

void validate_policy_port(const Json& port, const FieldPath& path, Findings& out) {
    out.check_one_of(path.child("protocol"), string_at(port, {"protocol"}), kPolicyProtocols);
    const Json* number = find(port, "port");
    const Json* end = find(port, "endPort");
    if (number) validate_port_or_name(*number, path.child("port"), out);
    if (!end) return;
    const FieldPath at = path.child("endPort");
    if (!number) {
        out.required(path.child("port"), "must be specified when endPort is specified");
    } else if (number->is_string()) {
        out.invalid(at, *end, "may not be specified when `port` is non-numeric");
    } else if (end->get<int64_t>() < number->get<int64_t>()) {
        out.invalid(at, *end, "must be greater than or equal to `port`");
    }
    out.invalid(at, *end, check_port_number(end->get<int64_t>()));
}

void validate_block(const Json& block, const FieldPath& path, Findings& out) {
    const std::string cidr = string_at(block, {"cidr"});
    if (cidr.empty()) return out.required(path.child("cidr"));
    if (!is_cidr(cidr)) return out.invalid(path.child("cidr"), cidr, kNotACidr);
    const auto whole = Cidr::parse(cidr);
    each(block, "except", path, [&](const Json& except, const FieldPath& at) {
        const auto& text = except.get_ref<const std::string&>();
        if (!is_cidr(text)) return out.invalid(at, text, kNotACidr);
        const auto part = Cidr::parse(text);
        if (!whole || !part) return;
        if (whole->bits >= part->bits || !whole->contains(part->address))
            out.invalid(at, text, "must be a strict subset of `cidr`");
    });
}

void validate_peer(const Json& peer, const FieldPath& path, Findings& out) {
    for (const char* key : {"podSelector", "namespaceSelector"})
        if (const Json* selector = find(peer, key))
            validate_label_selector(*selector, path.child(key), out);
    if (const Json* block = find(peer, "ipBlock"))
        validate_block(*block, path.child("ipBlock"), out);
    if (peer.empty()) out.required(path, "must specify a peer");
    if (peer.contains("ipBlock") && peer.size() > 1)
        out.forbidden(path, "may not specify both ipBlock and another peer");
}

void validate_policy_rules(const Json& spec, const char* rules, const char* peers,
                           const FieldPath& path, Findings& out) {
    each(spec, rules, path, [&](const Json& rule, const FieldPath& at) {
        each(rule, "ports", at, [&](const Json& port, const FieldPath& here) {
            validate_policy_port(port, here, out);
        });
        each(rule, peers, at,
             [&](const Json& peer, const FieldPath& here) { validate_peer(peer, here, out); });
    });
}

void validate_host(const std::string& host, const FieldPath& path, Findings& out) {
    if (is_ip(host)) out.invalid(path, host, "must be a DNS name, not an IP address");
    const bool wildcard = host.find('*') != std::string::npos;
    out.invalid(path, host,
                wildcard ? check_wildcard_subdomain(host) : check_dns1123_subdomain(host));
}

void validate_backend_port(const Json& backend, const FieldPath& path, Findings& out) {
    const std::string name = string_at(backend, {"service", "port", "name"});
    const int64_t number = int_at(backend, {"service", "port", "number"});
    const FieldPath at = path.child("service").child("port");
    if (!name.empty() && number != 0) {
        out.invalid(path, "", "cannot set both port name & port number");
    } else if (!name.empty()) {
        out.invalid(at.child("name"), name, check_port_name(name));
    } else if (number != 0) {
        out.invalid(at.child("number"), number, check_port_number(number));
    } else {
        out.required(path, "port name or number is required");
    }
}

void validate_backend(const Json& backend, const FieldPath& path, Findings& out) {
    const Json* service = find(backend, "service");
    const Json* resource = find(backend, "resource");
    if (service && resource)
        return out.invalid(path, "", "cannot set both resource and service backends");
    if (resource) {
        const FieldPath at = path.child("resource");
        const std::string group = string_at(*resource, {"apiGroup"});
        if (!group.empty())
            out.invalid(at.child("apiGroup"), group, check_dns1123_subdomain(group));
        for (const char* key : {"kind", "name"})
            if (string_at(*resource, {key}).empty())
                out.required(at.child(key), cat(key, " is required"));
    } else if (service) {
        const std::string name = string_at(*service, {"name"});
        const FieldPath at = path.child("service").child("name");
        if (name.empty()) {
            out.required(at);
        } else {
            out.invalid(at, name, check_dns1035_label(name));
        }
        validate_backend_port(backend, path, out);
    } else {
        out.invalid(path, "", "resource or service backend is required");
    }
}

void validate_path(const Json& entry, const FieldPath& path, Findings& out) {
    const std::string text = string_at(entry, {"path"});
    const FieldPath at = path.child("path");
    if (!entry.contains("pathType"))
        return out.required(path.child("pathType"), "pathType must be specified");
    const std::string type = string_at(entry, {"pathType"});
    if (type == "ImplementationSpecific") {
        if (!text.empty() && !text.starts_with('/'))
            out.invalid(at, text, "must be an absolute path");
    } else if (type == "Exact" || type == "Prefix") {
        if (!text.starts_with('/')) out.invalid(at, text, "must be an absolute path");
        for (const char* part : {"//", "/./", "/../", "%2f", "%2F"})
            if (text.find(part) != std::string::npos)
                out.invalid(at, text, cat("must not contain '", part, '\''));
        for (const char* end : {"/..", "/."})
            if (text.ends_with(end)) out.invalid(at, text, cat("cannot end with '", end, '\''));
    } else {
        out.not_supported(path.child("pathType"), type,
                          {"Exact", "ImplementationSpecific", "Prefix"});
    }
    validate_backend(object_at(entry, {"backend"}), path.child("backend"), out);
}

void validate_tls(const Json& spec, const FieldPath& path, Findings& out) {
    each(spec, "tls", path, [&](const Json& entry, const FieldPath& at) {
        each(entry, "hosts", at, [&](const Json& host, const FieldPath& here) {
            const auto& name = host.get_ref<const std::string&>();
            const bool wildcard = name.find('*') != std::string::npos;
            out.invalid(here, name,
                        wildcard ? check_wildcard_subdomain(name) : check_dns1123_subdomain(name));
        });
        const std::string secret = string_at(entry, {"secretName"});
        if (!secret.empty())
            out.invalid(at.child("secretName"), secret, check_dns1123_subdomain(secret));
    });
}

void validate_parameters(const Json& parameters, const FieldPath& path, Findings& out) {
    const std::string group = string_at(parameters, {"apiGroup"});
    if (!group.empty()) out.invalid(path.child("apiGroup"), group, check_dns1123_subdomain(group));
    const std::string scope = string_at(parameters, {"scope"});
    const std::string ns = string_at(parameters, {"namespace"});
    for (const auto& [key, what] : {std::pair{"kind", "kind"}, {"name", "name"}}) {
        const std::string text = string_at(parameters, {key});
        if (text.empty()) {
            out.required(path.child(key), cat(what, " is required"));
        } else {
            out.invalid(path.child(key), text, check_path_segment(text));
        }
    }
    out.check_required_one_of(path.child("scope"), scope, {"Cluster", "Namespace"});
    if (scope == "Namespace" && ns.empty())
        out.required(path.child("namespace"), "`parameters.scope` is set to 'Namespace'");
    if (scope == "Cluster" && !ns.empty())
        out.forbidden(path.child("namespace"), "`parameters.scope` is set to 'Cluster'");
}

}  // namespace

void validate_network_policy(const Json& object, const Json*, Findings& out) {
    const FieldPath path("spec");
    const Json& spec = object_at(object, {"spec"});
    validate_label_selector(object_at(spec, {"podSelector"}), path.child("podSelector"), out);
    validate_policy_rules(spec, "ingress", "from", path, out);
    validate_policy_rules(spec, "egress", "to", path, out);
    const Json& types = array_at(spec, {"policyTypes"});
    if (types.size() > kPolicyTypes.size())
        return out.invalid(path.child("policyTypes"), types,
                           "may not specify more than two policyTypes");
    each(spec, "policyTypes", path, [&](const Json& type, const FieldPath& at) {
        if (type != "Ingress" && type != "Egress") out.not_supported(at, type, kPolicyTypes);
    });
}

void validate_ingress(const Json& object, const Json* old, Findings& out) {
    const FieldPath path("spec");
    const Json& spec = object_at(object, {"spec"});
    if (array_at(spec, {"rules"}).empty() && !spec.contains("defaultBackend"))
        out.invalid(path, Json::array(), "either `defaultBackend` or `rules` must be specified");
    each(spec, "rules", path, [&](const Json& rule, const FieldPath& at) {
        const std::string host = string_at(rule, {"host"});
        if (!host.empty()) validate_host(host, at.child("host"), out);
        const Json* http = find(rule, "http");
        if (!http) return;
        if (array_at(*http, {"paths"}).empty()) out.required(at.child("http").child("paths"));
        each(*http, "paths", at.child("http"),
             [&](const Json& entry, const FieldPath& here) { validate_path(entry, here, out); });
    });
    validate_tls(spec, path, out);
    if (const Json* backend = find(spec, "defaultBackend"))
        validate_backend(*backend, path.child("defaultBackend"), out);
    const std::string name = string_at(spec, {"ingressClassName"});
    if (spec.contains("ingressClassName"))
        out.invalid(path.child("ingressClassName"), name, check_dns1123_subdomain(name));
    constexpr const char* kAnnotation = "kubernetes.io/ingress.class";
    const std::string annotation = string_at(object, {"metadata", "annotations", kAnnotation});
    if (!old && !annotation.empty() && spec.contains("ingressClassName"))
        out.invalid(FieldPath("annotations").child(kAnnotation), annotation,
                    "can not be set when the class field is also set");
}

void validate_ingress_class(const Json& object, const Json* old, Findings& out) {
    const FieldPath path("spec");
    const std::string controller = string_at(object, {"spec", "controller"});
    const FieldPath at = path.child("controller");
    if (controller.empty()) {
        out.required(at);
    } else {
        if (controller.size() > 250) out.too_long(at, 250);
        out.invalid(at, controller, check_domain_prefixed_path(controller));
    }
    if (const Json* parameters = find(object, {"spec", "parameters"}))
        validate_parameters(*parameters, path.child("parameters"), out);
    if (old)
        out.check_immutable(at, find(object, {"spec", "controller"}),
                            find(*old, {"spec", "controller"}));
}

}  // namespace kin
