// The old form of the schema. It travels as protobuf; what is written here are the few messages of
// gnostic's OpenAPIv2.proto that clients look at.

#include <set>

#include "apiserver/openapi.h"
#include "apiserver/openapi_schema.h"
#include "core/base/strings.h"

namespace kin::apiserver {
namespace {

constexpr std::string_view kRefPrefix = "#/definitions/";

/// A protobuf message being written.
class Wire {
public:
    Wire& text(uint32_t field, std::string_view bytes) {
        number((field << 3) | 2);
        number(bytes.size());
        out_.append(bytes);
        return *this;
    }
    Wire& message(uint32_t field, const Wire& inner) { return text(field, inner.out_); }
    const std::string& bytes() const { return out_; }

private:
    void number(uint64_t value) {
        for (; value >= 0x80; value >>= 7) out_.push_back(static_cast<char>(value | 0x80));
        out_.push_back(static_cast<char>(value));
    }
    std::string out_;
};

/// NamedAny: an extension, whose value is YAML; JSON is YAML.
Wire extension(std::string_view name, const Json& value) {
    return Wire().text(1, name).message(2, Wire().text(2, to_text(value)));
}

Wire named(std::string_view name, const Wire& value) {
    return Wire().text(1, name).message(2, value);
}

Wire query_parameter(std::string_view name) {
    const Wire query = Wire().text(2, "query").text(4, name).text(6, "string");
    return Wire().message(1, Wire().message(2, Wire().message(3, query)));
}

/// A path whose patch operation says which kind it is about and what it understands.
Wire patch_path(const Kind& kind) {
    Wire operation;
    for (const char* type :
         {"application/json-patch+json", "application/merge-patch+json",
          "application/strategic-merge-patch+json", "application/apply-patch+yaml"}) {
        operation.text(7, type);
    }
    for (const char* name : {"dryRun", "fieldManager", "fieldValidation"}) {
        operation.message(8, query_parameter(name));
    }
    operation.message(
        13, extension("x-kubernetes-group-version-kind", openapi::group_version_kind(kind)));
    const std::string path =
        cat(kind.group.empty() ? "/api/" : "/apis/", kind.api_version(),
            kind.namespaced ? "/namespaces/{namespace}/" : "/", kind.plural, "/{name}");
    return named(path, Wire().message(8, operation));
}

/// A schema as OpenAPI 2.0 has it, from its 3.0 form.
Wire schema(const Json& json) {
    Wire out;
    const Json* reference = &json;
    // Here a $ref may have neighbours.
    if (const Json* all = find(json, "allOf"); all && !all->empty()) reference = &all->front();
    const std::string ref = string_at(*reference, {"$ref"});
    if (!ref.empty()) out.text(1, ref);
    // Values of two types have no type in 2.0 but a format.
    const bool either = json.contains("oneOf");
    const std::string type = either ? "string" : string_at(json, {"type"});
    if (const std::string format = string_at(json, {"format"}); !format.empty())
        out.text(2, format);
    if (const std::string text = string_at(json, {"description"}); !text.empty()) out.text(4, text);
    for (const Json& name : array_at(json, {"required"})) out.text(19, name.get<std::string>());
    if (const Json* values = find(json, "additionalProperties")) {
        out.message(21, Wire().message(1, schema(*values)));
    }
    if (!type.empty()) out.message(22, Wire().text(1, type));
    if (const Json* items = find(json, "items")) out.message(23, Wire().message(1, schema(*items)));
    Wire properties;
    for (const auto& [name, property] : object_at(json, {"properties"}).items()) {
        properties.message(1, named(name, schema(property)));
    }
    if (!properties.bytes().empty()) out.message(25, properties);
    for (const auto& [name, value] : json.items()) {
        if (name.starts_with("x-kubernetes-")) out.message(31, extension(name, value));
    }
    return out;
}

std::string build() {
    Wire paths;
    Wire definitions;
    std::set<const Message*> messages;
    for (const Kind& kind : all_kinds()) {
        paths.message(2, patch_path(kind));
        messages.insert(Schema::builtin().find(kind.message));
    }
    const Json schemas = openapi::schemas_of(messages, std::string(kRefPrefix));
    for (const auto& [name, json] : schemas.items()) {
        definitions.message(1, named(name, schema(json)));
    }
    return Wire()
        .text(1, "2.0")
        .message(2, Wire().text(1, "kin").text(2, "v1.35.0"))
        .message(8, paths)
        .message(9, definitions)
        .bytes();
}

}  // namespace

DocumentBytes openapi_v2_protobuf() {
    static const auto kDocument = std::make_shared<const std::string>(build());
    return kDocument;
}

}  // namespace kin::apiserver
