#include <algorithm>

#include "core/api/quantity.h"
#include "core/api/validate.h"
#include "core/base/strings.h"

namespace kin {

namespace {

bool is_huge_pages(std::string_view name) { return name.starts_with("hugepages-"); }

/// Names that Kubernetes gives a meaning of its own, in any place.
bool is_standard(std::string_view name) {
    static const std::vector<std::string_view> kNames = {"cpu",
                                                         "memory",
                                                         "ephemeral-storage",
                                                         "requests.cpu",
                                                         "requests.memory",
                                                         "limits.cpu",
                                                         "limits.memory",
                                                         "pods",
                                                         "resourcequotas",
                                                         "services",
                                                         "replicationcontrollers",
                                                         "secrets",
                                                         "configmaps",
                                                         "persistentvolumeclaims",
                                                         "storage",
                                                         "requests.storage",
                                                         "services.nodeports",
                                                         "services.loadbalancers"};
    return is_huge_pages(name) || std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

bool is_for_containers(std::string_view name) {
    return name == "cpu" || name == "memory" || name == "ephemeral-storage" || is_huge_pages(name);
}

/// Of another vendor: counted in whole units, never overcommitted.
bool is_extended(std::string_view name) {
    return name.find('/') != std::string_view::npos &&
           name.find("kubernetes.io/") == std::string_view::npos && !name.starts_with("requests.");
}

void validate_amount(const std::string& name, const Json& value, const FieldPath& path,
                     Findings& out) {
    out.invalid(path, name, check_qualified_name(name));
    const bool qualified = name.find('/') != std::string::npos;
    if (!qualified && !is_standard(name))
        out.invalid(path, name, "must be a standard resource type or fully qualified");
    if (!qualified && !is_for_containers(name))
        out.invalid(path, name, "must be a standard resource for containers");
    const auto amount = Quantity::parse(value.get_ref<const std::string&>());
    if (!amount) return;
    if (amount->is_negative()) out.invalid(path, value, "must be greater than or equal to 0");
    if (is_extended(name) && !amount->is_integer()) out.invalid(path, value, "must be an integer");
}

void validate_request(const std::string& name, const Json& value, const Json& limits,
                      const FieldPath& path, Findings& out) {
    const FieldPath at = path.child("requests");
    const bool fixed = is_extended(name) || is_huge_pages(name);
    const Json* limit = find(limits, name);
    if (!limit) {
        if (fixed)
            out.required(path.child("limits"),
                         "Limit must be set for non overcommitable resources");
        return;
    }
    const auto amount = Quantity::parse(value.get_ref<const std::string&>());
    const auto most = Quantity::parse(limit->get_ref<const std::string&>());
    if (!amount || !most) return;
    const std::string& shown = limit->get_ref<const std::string&>();
    if (fixed && *amount != *most) {
        out.invalid(at, value, cat("must be equal to ", name, " limit of ", shown));
    } else if (!fixed && *amount > *most) {
        out.invalid(at, value, cat("must be less than or equal to ", name, " limit of ", shown));
    }
}

}  // namespace

void validate_resources(const Json& resources, const FieldPath& path, Findings& out) {
    const Json& limits = object_at(resources, {"limits"});
    const Json& requests = object_at(resources, {"requests"});
    bool huge = false;
    bool plain = false;
    const FieldPath limits_path = path.child("limits");
    const FieldPath requests_path = path.child("requests");
    for (const auto& [name, value] : limits.items()) {
        validate_amount(name, value, limits_path.key(name), out);
        huge = huge || is_huge_pages(name);
        plain = plain || name == "cpu" || name == "memory";
    }
    for (const auto& [name, value] : requests.items()) {
        validate_amount(name, value, requests_path.key(name), out);
        validate_request(name, value, limits, path, out);
        huge = huge || is_huge_pages(name);
        plain = plain || name == "cpu" || name == "memory";
    }
    if (huge && !plain) out.forbidden(path, "HugePages require cpu or memory");
}

}  // namespace kin
