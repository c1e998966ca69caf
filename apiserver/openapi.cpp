#include "apiserver/openapi.h"

#include <map>

#include "apiserver/openapi_schema.h"
#include "core/base/strings.h"

namespace kin::apiserver {
namespace {

constexpr std::string_view kRefPrefix = "#/components/schemas/";

/// "api/v1", "apis/apps/v1".
std::string path_of(const Kind& kind) {
    return cat(kind.group.empty() ? "api/" : "apis/", kind.api_version());
}

Json query_parameter(std::string_view name, std::string_view description) {
    return {{"name", name},
            {"in", "query"},
            {"description", description},
            {"schema", {{"type", "string"}, {"uniqueItems", true}}}};
}

/// kubectl looks whether these are announced before it uses them.
Json write_parameters() {
    return {
        query_parameter("dryRun", "With All, nothing is stored; the answer is as if it were."),
        query_parameter("fieldManager", "Who is said to own the fields that are written."),
        query_parameter("fieldValidation",
                        "What to do about unknown and duplicate fields: Ignore, Warn or Strict.")};
}

Json content(const Json& schema, std::initializer_list<std::string_view> types) {
    Json out = Json::object();
    for (const std::string_view type : types) out[std::string(type)] = {{"schema", schema}};
    return out;
}

struct Operation {
    std::string_view action;  ///< "get", "list", "post"...
    Json parameters = Json::array();
    Json request = nullptr;
};

Json operation_of(const Kind& kind, const Json& schema, Operation operation) {
    Json out{
        {"x-kubernetes-action", operation.action},
        {"x-kubernetes-group-version-kind", openapi::group_version_kind(kind)},
        {"responses",
         {{"200", {{"description", "OK"}, {"content", content(schema, {"application/json"})}}}}}};
    if (!operation.parameters.empty()) out["parameters"] = std::move(operation.parameters);
    if (!operation.request.is_null()) {
        out["requestBody"] = {{"content", std::move(operation.request)}};
    }
    return out;
}

/// /api/v1/namespaces/{namespace}/pods
std::string collection_path(const Kind& kind) {
    return cat('/', path_of(kind), kind.namespaced ? "/namespaces/{namespace}/" : "/", kind.plural);
}

Json path_parameters(const Kind& kind, bool with_name) {
    Json out = Json::array();
    const auto add = [&](std::string_view name) {
        out.push_back({{"name", name},
                       {"in", "path"},
                       {"required", true},
                       {"schema", {{"type", "string"}, {"uniqueItems", true}}}});
    };
    if (with_name) add("name");
    if (kind.namespaced) add("namespace");
    return out;
}

void add_paths(const Kind& kind, Json& paths) {
    const Json schema{
        {"$ref", cat(kRefPrefix, openapi::type_name(*Schema::builtin().find(kind.message)))}};
    const Json any = content(schema, {"*/*"});
    const Json patch{{"type", "object"}};
    paths[collection_path(kind)] = {
        {"parameters", path_parameters(kind, false)},
        {"get", operation_of(kind, {{"type", "object"}}, {"list"})},
        {"post", operation_of(kind, schema, {"post", write_parameters(), any})}};
    paths[cat(collection_path(kind), "/{name}")] = {
        {"parameters", path_parameters(kind, true)},
        {"get", operation_of(kind, schema, {"get"})},
        {"put", operation_of(kind, schema, {"put", write_parameters(), any})},
        {"patch", operation_of(kind, schema,
                               {"patch", write_parameters(),
                                content(patch, {"application/apply-patch+yaml",
                                                "application/json-patch+json",
                                                "application/merge-patch+json",
                                                "application/strategic-merge-patch+json"})})},
        {"delete", operation_of(kind, {{"type", "object"}}, {"delete"})}};
}

DocumentBytes bytes_of(const Json& json) {
    return std::make_shared<const std::string>(to_text(json));
}

/// Changes with the bytes; it guards nothing.
std::string hash_of(std::string_view bytes) {
    uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
    for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    std::string out;
    for (int shift = 60; shift >= 0; shift -= 4) out += "0123456789ABCDEF"[(hash >> shift) & 0xF];
    return out;
}

DocumentBytes v3_document(const std::string& path) {
    Json paths = Json::object();
    std::set<const Message*> messages;
    for (const Kind& kind : all_kinds()) {
        if (path_of(kind) != path) continue;
        add_paths(kind, paths);
        messages.insert(Schema::builtin().find(kind.message));
    }
    // What every document speaks of: bodies of errors and of deletions.
    for (const char* common : {"meta.v1.Status", "meta.v1.DeleteOptions"}) {
        if (const Message* message = Schema::builtin().find(common)) messages.insert(message);
    }
    return bytes_of(
        {{"openapi", "3.0.0"},
         {"info", {{"title", "kin"}, {"version", "v1.35.0"}}},
         {"paths", std::move(paths)},
         {"components", {{"schemas", openapi::schemas_of(messages, std::string(kRefPrefix))}}}});
}

const std::map<std::string, DocumentBytes, std::less<>>& v3_documents() {
    static const auto kDocuments = [] {
        std::map<std::string, DocumentBytes, std::less<>> out;
        for (const Kind& kind : all_kinds()) {
            const std::string path = path_of(kind);
            if (!out.contains(path)) out.emplace(path, v3_document(path));
        }
        return out;
    }();
    return kDocuments;
}

}  // namespace

DocumentBytes openapi_v3_index() {
    static const DocumentBytes kIndex = [] {
        Json paths = Json::object();
        for (const auto& [path, document] : v3_documents()) {
            paths[path] = {
                {"serverRelativeURL", cat("/openapi/v3/", path, "?hash=", hash_of(*document))}};
        }
        return bytes_of({{"paths", std::move(paths)}});
    }();
    return kIndex;
}

DocumentBytes openapi_v3_document(std::string_view path) {
    const auto found = v3_documents().find(path);
    return found == v3_documents().end() ? nullptr : found->second;
}

std::string etag_of(std::string_view bytes) { return cat('"', hash_of(bytes), '"'); }

}  // namespace kin::apiserver
