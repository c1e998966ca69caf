// What the schema alone can say: for kinds that have no rules of their own yet.

#include <algorithm>

#include "core/api/validate.h"

namespace kin {

namespace {

void check_message(const Message& type, const Json& object, const FieldPath* path, Findings& out);

void check_value(const Field& field, const Json& value, const FieldPath& path, Findings& out) {
    if (field.message && value.is_object()) check_message(*field.message, value, &path, out);
    if (!value.is_string() || field.allowed.empty()) return;
    const auto& text = value.get_ref<const std::string&>();
    if (std::find(field.allowed.begin(), field.allowed.end(), text) == field.allowed.end())
        out.not_supported(path, value, field.allowed);
}

void check_field(const Field& field, const Json& value, const FieldPath& path, Findings& out) {
    if (field.shape == FieldShape::kOne) return check_value(field, value, path, out);
    if (field.shape == FieldShape::kMap) {
        for (const auto& [key, item] : value.items()) check_value(field, item, path.key(key), out);
        return;
    }
    for (size_t i = 0; i < value.size(); ++i) check_value(field, value[i], path.index(i), out);
}

void check_message(const Message& type, const Json& object, const FieldPath* path, Findings& out) {
    for (const Field& field : type.fields) {
        if (field.inlined) {
            check_message(*field.message, object, path, out);
            continue;
        }
        // Metadata has rules of its own, and status is not the client's.
        if (!path && (field.name == "metadata" || field.name == "status")) continue;
        const FieldPath at = path ? path->child(field.name) : FieldPath(field.name);
        const Json* value = find(object, field.name);
        if (value && *value != "") {
            check_field(field, *value, at, out);
        } else if (field.required) {
            out.required(at);
        }
    }
}

}  // namespace

void validate_by_schema(const Kind& kind, const Json& object, Findings& out) {
    const Message* message = Schema::builtin().find(kind.message);
    KIN_ASSERT(message != nullptr);
    check_message(*message, object, nullptr, out);
}

}  // namespace kin
