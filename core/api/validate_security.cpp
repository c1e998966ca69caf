#include <algorithm>
#include <set>

#include "core/api/validate.h"
#include "core/base/strings.h"

namespace kin {

namespace {

void validate_id(const Json* id, const FieldPath& path, Findings& out) {
    if (!id) return;
    const auto number = id->get<int64_t>();
    if (number < 0 || number > 2147483647)
        out.invalid(path, *id, "must be between 0 and 2147483647, inclusive");
}

/// seccompProfile and appArmorProfile.
void validate_profile(const Json& context, const char* key, std::string_view what,
                      const FieldPath& path, Findings& out) {
    const Json* profile = find(context, key);
    if (!profile) return;
    const FieldPath at = path.child(key);
    const std::string type = string_at(*profile, {"type"});
    out.check_required_one_of(at.child("type"), type,
                              {"Localhost", "RuntimeDefault", "Unconfined"});
    const bool local = type == "Localhost";
    const FieldPath file = at.child("localhostProfile");
    if (local && !profile->contains("localhostProfile"))
        out.required(file, cat("must be set when ", what, " type is Localhost"));
    if (!local && profile->contains("localhostProfile"))
        out.invalid(file, (*profile)["localhostProfile"],
                    cat("can only be set when ", what, " type is Localhost"));
}

void validate_profiles(const Json& context, const FieldPath& path, Findings& out) {
    validate_profile(context, "seccompProfile", "seccomp", path, out);
    validate_profile(context, "appArmorProfile", "AppArmor", path, out);
}

bool is_sysctl_name(std::string_view name) {
    if (name.empty() || name.size() > 253) return false;
    const auto alnum = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    const std::string dotted = [&] {
        std::string copy(name);
        std::replace(copy.begin(), copy.end(), '/', '.');
        return copy;
    }();
    for (const std::string_view part : split(dotted, '.')) {
        if (part.empty() || !alnum(part.front()) || !alnum(part.back())) return false;
        if (!std::all_of(part.begin(), part.end(),
                         [&](char c) { return alnum(c) || c == '-' || c == '_'; }))
            return false;
    }
    return true;
}

void validate_sysctls(const Json& context, const FieldPath& path, Findings& out) {
    std::set<std::string> names;
    each(context, "sysctls", path, [&](const Json& sysctl, const FieldPath& at) {
        const std::string name = string_at(sysctl, {"name"});
        const FieldPath here = at.child("name");
        if (name.empty()) {
            out.required(here);
        } else if (!is_sysctl_name(name)) {
            out.invalid(here, name,
                        "must have at most 253 characters and match regex "
                        "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$");
        } else if (!names.insert(name).second) {
            out.duplicate(here, name);
        }
    });
}

}  // namespace

void validate_pod_security(const Json& context, const FieldPath& path, Findings& out) {
    for (const char* key : {"runAsUser", "runAsGroup", "fsGroup"})
        validate_id(find(context, key), path.child(key), out);
    each(context, "supplementalGroups", path,
         [&](const Json& group, const FieldPath& at) { validate_id(&group, at, out); });
    validate_sysctls(context, path, out);
    out.check_one_of(path.child("fsGroupChangePolicy"), string_at(context, {"fsGroupChangePolicy"}),
                     {"Always", "OnRootMismatch"});
    out.check_one_of(path.child("supplementalGroupsPolicy"),
                     string_at(context, {"supplementalGroupsPolicy"}), {"Merge", "Strict"});
    validate_profiles(context, path, out);
}

void validate_container_security(const Json& context, const FieldPath& path, Findings& out) {
    for (const char* key : {"runAsUser", "runAsGroup"})
        validate_id(find(context, key), path.child(key), out);
    out.check_one_of(path.child("procMount"), string_at(context, {"procMount"}),
                     {"Default", "Unmasked"});
    validate_profiles(context, path, out);
    const Json* escalation = find(context, "allowPrivilegeEscalation");
    if (!escalation || escalation->get<bool>()) return;
    if (bool_at(context, {"privileged"}))
        out.invalid(path, context,
                    "cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
    for (const Json& capability : array_at(context, {"capabilities", "add"}))
        if (capability == "CAP_SYS_ADMIN")
            out.invalid(path, context,
                        "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` "
                        "CAP_SYS_ADMIN");
}

}  // namespace kin
