#include <algorithm>

#include "core/api/validate.h"
#include "core/base/strings.h"

namespace kin {

namespace {

/// False if the new deadline ends the checks, as it does upstream.
bool validate_deadline_change(const Json& spec, const Json& old, const FieldPath& path,
                              Findings& out) {
    const Json* now = find(spec, "activeDeadlineSeconds");
    const Json* before = find(old, "activeDeadlineSeconds");
    const FieldPath at = path.child("activeDeadlineSeconds");
    if (!before) return true;
    if (!now) {
        out.invalid(at, Json(), "must not update from a positive integer to nil value");
    } else if (now->get<int64_t>() > before->get<int64_t>()) {
        out.invalid(at, *now, "must be less than or equal to previous value");
        return false;
    }
    return true;
}

Json without_seconds(Json toleration) {
    toleration.erase("tolerationSeconds");
    return toleration;
}

void validate_tolerations_kept(const Json& spec, const Json& old, const FieldPath& path,
                               Findings& out) {
    const Json& now = array_at(spec, {"tolerations"});
    for (const Json& before : array_at(old, {"tolerations"})) {
        const bool kept = std::any_of(now.begin(), now.end(), [&](const Json& one) {
            return without_seconds(one) == without_seconds(before);
        });
        if (!kept)
            return out.forbidden(
                path.child("tolerations"),
                "existing toleration can not be modified except its tolerationSeconds");
    }
}

/// The new spec with everything that may change put back to what it was.
Json with_old_values(Json spec, const Json& old) {
    for (const char* list : {"containers", "initContainers"}) {
        Json* containers = find(spec, list);
        if (!containers) continue;
        for (size_t i = 0; i < containers->size(); ++i)
            if (const Json* image = find(array_at(old, {list})[i], "image"))
                (*containers)[i]["image"] = *image;
    }
    for (const char* key : {"activeDeadlineSeconds", "tolerations", "schedulingGates",
                            "terminationGracePeriodSeconds"}) {
        // Only a negative grace period may become 1, and gates may only go.
        const Json* before = find(old, key);
        if (std::string_view(key) == "terminationGracePeriodSeconds" &&
            (int_at(old, {key}) >= 0 || int_at(spec, {key}) != 1))
            continue;
        if (before) {
            spec[key] = *before;
        } else {
            spec.erase(key);
        }
    }
    return spec;
}

void validate_gates_only_go(const Json& spec, const Json& old, const FieldPath& path,
                            Findings& out) {
    const Json& before = array_at(old, {"schedulingGates"});
    each(spec, "schedulingGates", path, [&](const Json& gate, const FieldPath& at) {
        if (std::find(before.begin(), before.end(), gate) == before.end())
            out.forbidden(at, "only deletion is allowed, but found new scheduling gate");
    });
}

}  // namespace

void validate_pod_update(const Json& spec, const Json& old, const FieldPath& path, Findings& out) {
    for (const char* list : {"containers", "initContainers"}) {
        if (array_at(spec, {list}).size() == array_at(old, {list}).size()) continue;
        return out.forbidden(path.child(list), "pod updates may not add or remove containers");
    }
    if (!validate_deadline_change(spec, old, path, out)) return;
    validate_tolerations_kept(spec, old, path, out);
    validate_gates_only_go(spec, old, path, out);
    if (with_old_values(spec, old) != old)
        out.forbidden(path,
                      "pod updates may not change fields other than `spec.containers[*].image`,"
                      "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
                      "`spec.tolerations` (only additions to existing tolerations),"
                      "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
                      "previously negative)");
}

void validate_ephemeral_update(const Json& spec, const Json& old, const FieldPath& path,
                               Findings& out) {
    const FieldPath list = path.child("ephemeralContainers");
    const Json& now = array_at(spec, {"ephemeralContainers"});
    // A patch may have changed their order, which means nothing.
    for (const Json& before : array_at(old, {"ephemeralContainers"})) {
        const std::string name = string_at(before, {"name"});
        const auto kept = std::find_if(now.begin(), now.end(), [&](const Json& one) {
            return string_at(one, {"name"}) == name;
        });
        if (kept != now.end() && *kept == before) continue;
        out.forbidden(list, cat("existing ephemeral containers \"", name, "\" may not be ",
                                kept == now.end() ? "removed" : "changed"));
    }
}

}  // namespace kin
