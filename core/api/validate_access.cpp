#include "core/api/validate.h"
#include "core/base/strings.h"

namespace kin {

namespace {

void validate_subject(const Json& subject, bool cluster_wide, const FieldPath& path,
                      Findings& out) {
    const std::string kind = string_at(subject, {"kind"});
    const std::string group = string_at(subject, {"apiGroup"});
    if (string_at(subject, {"name"}).empty()) out.required(path.child("name"));
    if (kind == "ServiceAccount") {
        if (!group.empty()) out.not_supported(path.child("apiGroup"), group, {""});
        if (cluster_wide && string_at(subject, {"namespace"}).empty())
            out.required(path.child("namespace"));
    } else if (kind == "User" || kind == "Group") {
        if (group != "rbac.authorization.k8s.io")
            out.not_supported(path.child("apiGroup"), group, {"rbac.authorization.k8s.io"});
    } else {
        out.not_supported(path.child("kind"), kind, {"ServiceAccount", "User", "Group"});
    }
}

void validate_binding(const Json& object, const Json* old, bool cluster_wide, Findings& out) {
    const Json& role = object_at(object, {"roleRef"});
    const FieldPath path("roleRef");
    const std::string kind = string_at(role, {"kind"});
    const std::string group = string_at(role, {"apiGroup"});
    if (group != "rbac.authorization.k8s.io")
        out.not_supported(path.child("apiGroup"), group, {"rbac.authorization.k8s.io"});
    if (kind != "ClusterRole" && (cluster_wide || kind != "Role"))
        out.not_supported(path.child("kind"), kind,
                          cluster_wide ? std::vector<std::string>{"ClusterRole"}
                                       : std::vector<std::string>{"Role", "ClusterRole"});
    validate_required(role, "name", check_path_segment, path, out);
    const Json& subjects = array_at(object, {"subjects"});
    for (size_t i = 0; i < subjects.size(); ++i)
        validate_subject(subjects[i], cluster_wide, FieldPath("subjects").index(i), out);
    if (old && !same_value(&role, find(*old, "roleRef")))
        out.invalid(path, role, "cannot change roleRef");
}

}  // namespace

void validate_role(const Json& object, const Json*, Findings& out) {
    const bool cluster_wide = object.value("kind", "") == "ClusterRole";
    const Json& rules = array_at(object, {"rules"});
    const FieldPath list("rules");
    for (size_t i = 0; i < rules.size(); ++i) {
        const FieldPath at = list.index(i);
        const auto has = [&](const char* key) { return !array_at(rules[i], {key}).empty(); };
        if (!has("verbs")) out.required(at.child("verbs"), "verbs must contain at least one value");
        if (has("nonResourceURLs")) {
            if (!cluster_wide)
                out.invalid(at.child("nonResourceURLs"), rules[i]["nonResourceURLs"],
                            "namespaced rules cannot apply to non-resource URLs");
            if (has("apiGroups") || has("resources") || has("resourceNames"))
                out.invalid(at.child("nonResourceURLs"), rules[i]["nonResourceURLs"],
                            "rules cannot apply to both regular resources and non-resource URLs");
            continue;
        }
        if (!has("apiGroups"))
            out.required(at.child("apiGroups"),
                         "resource rules must supply at least one api group");
        if (!has("resources"))
            out.required(at.child("resources"), "resource rules must supply at least one resource");
    }
}

void validate_role_binding(const Json& object, const Json* old, Findings& out) {
    validate_binding(object, old, false, out);
}

void validate_cluster_role_binding(const Json& object, const Json* old, Findings& out) {
    validate_binding(object, old, true, out);
}

}  // namespace kin
