// PersistentVolumeClaims.

#include <algorithm>

#include "core/api/quantity.h"
#include "core/api/validate.h"

namespace kin {

namespace {
const std::vector<std::string> kAccessModes = {"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce",
                                               "ReadWriteOncePod"};

void validate_storage(const Json& spec, const FieldPath& path, Findings& out) {
    const FieldPath at = path.child("resources").key("storage");
    const Json* storage = find(spec, {"resources", "requests", "storage"});
    if (!storage) return out.required(at);
    const auto amount = Quantity::parse(storage->get_ref<const std::string&>());
    if (!amount || amount->is_negative() || amount->is_zero())
        out.invalid(at, *storage, "must be greater than zero");
}

void validate_claim_spec(const Json& spec, const FieldPath& path, Findings& out) {
    if (const Json* selector = find(spec, "selector"))
        validate_label_selector(*selector, path.child("selector"), out);
    if (array_at(spec, {"accessModes"}).empty())
        out.required(path.child("accessModes"), "at least 1 access mode is required");
    each(spec, "accessModes", path, [&](const Json& mode, const FieldPath&) {
        const std::string text = mode.get<std::string>();
        if (std::find(kAccessModes.begin(), kAccessModes.end(), text) == kAccessModes.end())
            out.not_supported(path.child("accessModes"), mode, kAccessModes);
    });
    validate_storage(spec, path, out);
    const std::string storage_class = string_at(spec, {"storageClassName"});
    if (!storage_class.empty())
        out.invalid(path.child("storageClassName"), storage_class,
                    check_dns1123_subdomain(storage_class));
    out.check_one_of(path.child("volumeMode"), string_at(spec, {"volumeMode"}),
                     {"Block", "Filesystem"});
}
}  // namespace

void validate_persistent_volume_claim(const Json& object, const Json* old, Findings& out) {
    const FieldPath path("spec");
    const Json& spec = object_at(object, {"spec"});
    validate_claim_spec(spec, path, out);
    if (!old) return;
    const Json& before = object_at(*old, {"spec"});
    Json expected = before;
    // It is bound once, given a class once, and may grow once it is bound.
    for (const char* key : {"volumeName", "storageClassName"})
        if (!before.contains(key) && spec.contains(key)) expected[key] = spec[key];
    const auto may_change = [&](Json& held, const Json& now, const char* key) {
        held.erase(key);
        if (now.contains(key)) held[key] = now[key];
    };
    may_change(expected, spec, "volumeAttributesClassName");
    const bool bound = string_at(*old, {"status", "phase"}) == "Bound";
    if (bound && expected.contains("resources") && spec.contains("resources"))
        may_change(expected["resources"], spec["resources"], "requests");
    if (expected != spec) {
        out.forbidden(path,
                      "spec is immutable after creation except resources.requests and "
                      "volumeAttributesClassName for bound claims");
        return;
    }
    const auto storage = [](const Json& of, std::initializer_list<std::string_view> place) {
        return Quantity::parse(string_at(of, place)).value_or(Quantity());
    };
    const Quantity asked = storage(spec, {"resources", "requests", "storage"});
    if (asked < storage(before, {"resources", "requests", "storage"}) &&
        asked <= storage(*old, {"status", "capacity", "storage"}))
        out.forbidden(path.child("resources").child("requests").child("storage"),
                      "field can not be less than status.capacity");
}

}  // namespace kin
