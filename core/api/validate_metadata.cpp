#include <algorithm>

#include "core/api/validate.h"
#include "core/base/strings.h"

namespace kin {

namespace {

constexpr size_t kMaxAnnotationBytes = 256 * 1024;

/// How objects of the kind may be called.
Complaints check_name(const Kind& kind, std::string_view name) {
    if (kind.kind == "Namespace") return check_dns1123_label(name);
    if (kind.kind == "Service" && kind.group.empty()) return check_dns1035_label(name);
    if (kind.group == "rbac.authorization.k8s.io") return check_path_segment(name);
    Complaints out = check_dns1123_subdomain(name);
    // Its jobs append eleven characters, and job names go into labels of 63.
    if (kind.kind == "CronJob" && name.size() > 52)
        out.emplace_back("must be no more than 52 characters");
    return out;
}

void validate_name(const Kind& kind, const Json& metadata, const FieldPath& path, Findings& out) {
    const std::string name = string_at(metadata, {"name"});
    std::string prefix = string_at(metadata, {"generateName"});
    if (!prefix.empty()) {
        // The random characters that follow are valid, so a dash at the end is.
        if (prefix.size() > 1 && prefix.back() == '-') prefix.back() = 'a';
        out.invalid(path.child("generateName"), metadata["generateName"], check_name(kind, prefix));
    }
    if (!name.empty()) {
        out.invalid(path.child("name"), name, check_name(kind, name));
    } else if (prefix.empty()) {
        out.required(path.child("name"), "name or generateName is required");
    }
    const std::string ns = string_at(metadata, {"namespace"});
    if (!kind.namespaced) {
        if (!ns.empty()) out.forbidden(path.child("namespace"), "not allowed on this type");
    } else if (!ns.empty()) {
        out.invalid(path.child("namespace"), ns, check_dns1123_label(ns));
    }
}

void validate_owners(const Json& owners, const FieldPath& path, Findings& out) {
    std::string controller;
    for (const Json& owner : owners) {
        const auto needs = [&](const char* key, std::string_view what) {
            if (string_at(owner, {key}).empty())
                out.invalid(path.child(key), "", cat(what, " must not be empty"));
        };
        needs("apiVersion", "version");
        const std::string version = string_at(owner, {"apiVersion"});
        if (std::count(version.begin(), version.end(), '/') > 1)
            out.invalid(path.child("apiVersion"), version,
                        cat("unexpected GroupVersion string: ", version));
        needs("kind", "kind");
        needs("name", "name");
        needs("uid", "uid");
        if (!bool_at(owner, {"controller"})) continue;
        const std::string name = string_at(owner, {"name"});
        if (!controller.empty())
            out.invalid(path, owners,
                        cat("Only one reference can have Controller set to true. Found \"true\" "
                            "in references for ",
                            controller, " and ", name));
        controller = name;
    }
}

void validate_finalizers(const Json& finalizers, const FieldPath& path, Findings& out) {
    bool orphan = false;
    bool foreground = false;
    for (size_t i = 0; i < finalizers.size(); ++i) {
        const std::string name = finalizers[i].get<std::string>();
        out.invalid(path, name, check_qualified_name(name));
        orphan = orphan || name == "orphan";
        foreground = foreground || name == "foregroundDeletion";
        const bool standard = name == "orphan" || name == "foregroundDeletion" ||
                              name == "kubernetes" || name == "metadata.kubernetes.io";
        if (name.find('/') == std::string::npos && !standard)
            out.invalid(path.index(i), name,
                        "name is neither a standard finalizer name nor is it fully qualified");
    }
    if (orphan && foreground)
        out.invalid(path, finalizers, "finalizer orphan and foregroundDeletion cannot be both set");
}

void validate_changes(const Kind& kind, const Json& metadata, const Json& old,
                      const FieldPath& path, Findings& out) {
    for (const char* key : {"name", "namespace", "uid", "creationTimestamp"})
        if (metadata.contains(key))
            out.check_immutable(path.child(key), find(metadata, key), find(old, key));
    if (!kind.unconditional_update && string_at(metadata, {"resourceVersion"}).empty())
        out.invalid(path.child("resourceVersion"), "", "must be specified for an update");
    if (!old.contains("deletionTimestamp")) return;
    const Json& before = array_at(old, {"finalizers"});
    std::vector<std::string> added;
    for (const Json& one : array_at(metadata, {"finalizers"}))
        if (std::find(before.begin(), before.end(), one) == before.end())
            added.push_back(one.dump());
    if (!added.empty())
        out.forbidden(path.child("finalizers"),
                      cat("no new finalizers can be added if the object is being deleted, found "
                          "new finalizers []string{",
                          join(added, ", "), "}"));
}

}  // namespace

void validate_labels(const Json& labels, const FieldPath& path, Findings& out) {
    for (const auto& [key, value] : labels.items()) {
        out.invalid(path, key, check_qualified_name(key));
        out.invalid(path, value, check_label_value(value.get_ref<const std::string&>()));
    }
}

void validate_annotations(const Json& annotations, const FieldPath& path, Findings& out) {
    size_t bytes = 0;
    for (const auto& [key, value] : annotations.items()) {
        // Upper case is allowed in the prefix of these keys.
        out.invalid(path, key, check_qualified_name(to_lower(key)));
        bytes += key.size() + value.get_ref<const std::string&>().size();
    }
    if (bytes > kMaxAnnotationBytes) out.too_long(path, kMaxAnnotationBytes);
}

void validate_metadata(const Kind& kind, const Json& object, const Json* old, Findings& out) {
    const FieldPath path("metadata");
    const Json& metadata = object_at(object, {"metadata"});
    validate_name(kind, metadata, path, out);
    validate_labels(object_at(metadata, {"labels"}), path.child("labels"), out);
    validate_annotations(object_at(metadata, {"annotations"}), path.child("annotations"), out);
    validate_owners(array_at(metadata, {"ownerReferences"}), path.child("ownerReferences"), out);
    validate_finalizers(array_at(metadata, {"finalizers"}), path.child("finalizers"), out);
    if (old) validate_changes(kind, metadata, object_at(*old, {"metadata"}), path, out);
}

}  // namespace kin
