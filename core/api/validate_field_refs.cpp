// References to a pod's own fields and resources, from variables and files.

#include <algorithm>

#include "core/api/quantity.h"
#include "core/api/validate.h"
#include "core/base/strings.h"

namespace kin {

namespace {

/// Field paths of a pod that can be named at all; the caller allows some of them.
const std::vector<std::string> kPodFields = {
    "metadata.annotations", "metadata.labels",    "metadata.name",
    "metadata.namespace",   "metadata.uid",       "spec.nodeName",
    "spec.restartPolicy",   "spec.schedulerName", "spec.serviceAccountName",
    "status.hostIP",        "status.hostIPs",     "status.phase",
    "status.podIP",         "status.podIPs"};
const std::vector<std::string> kResources = {
    "limits.cpu",   "limits.ephemeral-storage",   "limits.memory",
    "requests.cpu", "requests.ephemeral-storage", "requests.memory"};

bool contains(const std::vector<std::string>& list, std::string_view text) {
    return std::find(list.begin(), list.end(), text) != list.end();
}

/// "metadata.labels['app']" -> {"metadata.labels", "app"}; no key: {path, ""}.
std::pair<std::string_view, std::string_view> split_subscript(std::string_view path) {
    const size_t open = path.find("['");
    if (open == std::string_view::npos || !path.ends_with("']")) return {path, ""};
    return {path.substr(0, open), path.substr(open + 2, path.size() - open - 4)};
}

void validate_subscript(std::string_view base, std::string_view key, const std::string& full,
                        const FieldPath& path, Findings& out) {
    if (base == "metadata.labels") {
        out.invalid(path, full.empty() ? "" : std::string(key), check_qualified_name(key));
    } else if (base == "metadata.annotations") {
        out.invalid(path, std::string(key), check_qualified_name(to_lower(key)));
    } else {
        out.invalid(
            path, full,
            cat("error converting fieldPath: field label does not support subscript: ", full));
    }
}

void validate_divisor(const std::string& resource, const std::string& divisor,
                      const FieldPath& path, Findings& out) {
    const auto amount = Quantity::parse(divisor);
    if (!amount || amount->is_zero()) return;
    const auto is = [&](std::initializer_list<const char*> allowed) {
        return std::any_of(allowed.begin(), allowed.end(),
                           [&](const char* one) { return *Quantity::parse(one) == *amount; });
    };
    if (resource.ends_with(".cpu")) {
        if (!is({"1m", "1"}))
            out.invalid(path, divisor,
                        "only divisor's values 1m and 1 are supported with the cpu resource");
        return;
    }
    if (!is({"1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"}))
        out.invalid(path, divisor,
                    cat("only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, "
                        "1Pi, 1Ei are supported with the ",
                        resource.substr(resource.find('.') + 1), " resource"));
}

}  // namespace

void validate_field_ref(const Json& ref, const std::vector<std::string>& allowed,
                        const FieldPath& path, Findings& out) {
    const std::string version = string_at(ref, {"apiVersion"});
    const std::string field = string_at(ref, {"fieldPath"});
    const FieldPath at = path.child("fieldPath");
    if (version.empty()) return out.required(path.child("apiVersion"));
    if (field.empty()) return out.required(at);
    const auto [base, key] = split_subscript(field);
    if (base.size() != field.size()) return validate_subscript(base, key, field, path, out);
    if (version != "v1")
        return out.invalid(at, field,
                           cat("error converting fieldPath: unsupported pod version: ", version));
    if (!contains(kPodFields, field))
        return out.invalid(at, field,
                           cat("error converting fieldPath: field label not supported: ", field));
    if (!contains(allowed, field)) out.not_supported(at, field, allowed);
}

void validate_resource_field_ref(const Json& ref, bool needs_container, const FieldPath& path,
                                 Findings& out) {
    const std::string resource = string_at(ref, {"resource"});
    if (needs_container && string_at(ref, {"containerName"}).empty())
        return out.required(path.child("containerName"));
    if (resource.empty()) return out.required(path.child("resource"));
    const bool huge =
        resource.starts_with("limits.hugepages-") || resource.starts_with("requests.hugepages-");
    if (!contains(kResources, resource) && !huge)
        out.not_supported(path.child("resource"), resource, kResources);
    validate_divisor(resource, string_at(ref, {"divisor"}), path.child("divisor"), out);
}

}  // namespace kin
