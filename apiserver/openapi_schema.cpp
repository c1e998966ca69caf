#include "apiserver/openapi_schema.h"

#include "core/base/strings.h"

namespace kin::apiserver::openapi {
namespace {

constexpr std::string_view kMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.";

struct PlainType {
    FieldType type;
    std::string_view name;
    const char* json;
};
const PlainType kPlainTypes[] = {
    {FieldType::kTime, "io.k8s.apimachinery.pkg.apis.meta.v1.Time",
     R"({"type":"string","format":"date-time","description":"A time as RFC 3339 writes it, in whole seconds."})"},
    {FieldType::kMicroTime, "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime",
     R"({"type":"string","format":"date-time","description":"A time as RFC 3339 writes it, with six digits after the second."})"},
    {FieldType::kDuration, "io.k8s.apimachinery.pkg.apis.meta.v1.Duration",
     R"({"type":"string","description":"A length of time, like 1h30m or 500ms."})"},
    {FieldType::kQuantity, "io.k8s.apimachinery.pkg.api.resource.Quantity",
     R"({"oneOf":[{"type":"string"},{"type":"number"}],"description":"An amount with a unit: 500m, 2, 1.5Gi, 100M."})"},
    {FieldType::kIntOrString, "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
     R"({"oneOf":[{"type":"integer"},{"type":"string"}],"format":"int-or-string","description":"A number, or a name or percentage."})"},
    {FieldType::kFieldsV1, "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1",
     R"({"type":"object","description":"A set of fields; the keys f:NAME, k:KEYS and v:VALUE lead to each."})"},
    {FieldType::kRaw, "io.k8s.apimachinery.pkg.runtime.RawExtension",
     R"({"type":"object","description":"Any object.","x-kubernetes-preserve-unknown-fields":true})"},
};

const PlainType* plain(FieldType type) {
    for (const PlainType& one : kPlainTypes) {
        if (one.type == type) return &one;
    }
    return nullptr;
}

Json scalar(FieldType type) {
    switch (type) {
        case FieldType::kInt32:
            return {{"type", "integer"}, {"format", "int32"}};
        case FieldType::kInt64:
            return {{"type", "integer"}, {"format", "int64"}};
        case FieldType::kBool:
            return {{"type", "boolean"}};
        case FieldType::kDouble:
            return {{"type", "number"}, {"format", "double"}};
        case FieldType::kBytes:
            return {{"type", "string"}, {"format", "byte"}};
        default:
            return {{"type", "string"}};
    }
}

/// One value of the field's type, without what is said about the field.
Json value_of(const Field& field, const std::string& ref_prefix) {
    if (field.type == FieldType::kMessage) {
        return {{"$ref", cat(ref_prefix, type_name(*field.message))}};
    }
    if (const PlainType* type = plain(field.type)) return {{"$ref", cat(ref_prefix, type->name)}};
    Json out = scalar(field.type);
    if (!field.allowed.empty()) out["enum"] = field.allowed;
    return out;
}

void add_list_rules(const Field& field, Json& out) {
    if (field.shape != FieldShape::kList) return;
    switch (field.list_type) {
        case ListType::kAtomic:
            out["x-kubernetes-list-type"] = "atomic";
            break;
        case ListType::kSet:
            out["x-kubernetes-list-type"] = "set";
            break;
        case ListType::kMap:
            out["x-kubernetes-list-type"] = "map";
            out["x-kubernetes-list-map-keys"] = field.list_keys;
            break;
    }
}

void add_patch_rules(const Field& field, Json& out) {
    if (field.atomic_map) out["x-kubernetes-map-type"] = "atomic";
    if (!field.patch_merge_key.empty()) out["x-kubernetes-patch-merge-key"] = field.patch_merge_key;
    std::vector<std::string> strategies;
    if (field.patch_merge || !field.patch_merge_key.empty()) strategies.push_back("merge");
    if (field.patch_retain_keys) strategies.push_back("retainKeys");
    if (!strategies.empty()) out["x-kubernetes-patch-strategy"] = join(strategies, ",");
}

Json property_of(const Field& field, const std::string& ref_prefix) {
    Json out = value_of(field, ref_prefix);
    if (field.shape == FieldShape::kList) {
        out = {{"type", "array"}, {"items", std::move(out)}};
    } else if (field.shape == FieldShape::kMap) {
        out = {{"type", "object"}, {"additionalProperties", std::move(out)}};
    }
    Json more = Json::object();
    if (!field.description.empty()) more["description"] = field.description;
    if (!field.default_json.empty()) {
        if (auto value = parse_json(field.default_json)) more["default"] = std::move(*value);
    }
    add_list_rules(field, more);
    add_patch_rules(field, more);
    if (more.empty()) return out;
    // What stands beside a bare $ref is not read.
    if (out.contains("$ref")) out = {{"allOf", Json::array({std::move(out)})}};
    out.update(more);
    return out;
}

void add_fields(const Message& message, const std::string& ref_prefix, Json& properties,
                Json& required) {
    for (const Field& field : message.fields) {
        if (field.inlined) {
            add_fields(*field.message, ref_prefix, properties, required);
            continue;
        }
        properties[field.name] = property_of(field, ref_prefix);
        if (field.required) required.push_back(field.name);
    }
}

Json text_field(std::string_view description) {
    return {{"type", "string"}, {"description", description}};
}

void collect(const Message& message, std::set<const Message*>& seen, std::set<FieldType>& types) {
    if (!seen.insert(&message).second) return;
    for (const Field& field : message.fields) {
        if (field.message) collect(*field.message, seen, types);
        if (plain(field.type)) types.insert(field.type);
    }
}

}  // namespace

std::string type_name(const Message& message) {
    constexpr std::string_view kPrefix = "meta.v1.";
    if (message.name.starts_with(kPrefix)) return cat(kMeta, message.name.substr(kPrefix.size()));
    return cat("io.k8s.api.", message.name);
}

Json schema_of(const Message& message, const std::string& ref_prefix) {
    Json properties = Json::object();
    Json required = Json::array();
    const bool is_kind = !message.kind.empty();
    if (is_kind) {
        properties["apiVersion"] = text_field("Group and version of the object's kind.");
        properties["kind"] = text_field("The object's kind.");
    }
    add_fields(message, ref_prefix, properties, required);
    Json out{{"type", "object"}, {"properties", std::move(properties)}};
    if (!message.description.empty()) out["description"] = message.description;
    if (!required.empty()) out["required"] = std::move(required);
    if (is_kind) {
        out["x-kubernetes-group-version-kind"] = Json::array(
            {{{"group", message.group}, {"version", message.version}, {"kind", message.kind}}});
    }
    return out;
}

Json schemas_of(const std::set<const Message*>& messages, const std::string& ref_prefix) {
    std::set<const Message*> all;
    std::set<FieldType> types;
    for (const Message* message : messages) collect(*message, all, types);
    Json out = Json::object();
    for (const Message* message : all) out[type_name(*message)] = schema_of(*message, ref_prefix);
    for (const FieldType type : types) {
        const PlainType* known = plain(type);
        out[std::string(known->name)] = Json::parse(known->json);
    }
    return out;
}

Json group_version_kind(const Kind& kind) {
    return {{"group", kind.group}, {"version", kind.version}, {"kind", kind.kind}};
}

}  // namespace kin::apiserver::openapi
