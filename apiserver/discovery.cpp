#include "apiserver/discovery.h"

#include "core/api/kinds.h"
#include "core/base/strings.h"

namespace kin::apiserver {
namespace {

using GroupVersion = std::pair<std::string_view, std::string_view>;

std::string_view version_of(Form form) {
    return form == Form::kDiscoveryV2beta1 ? "v2beta1" : "v2";
}

Kind review(std::string_view group, std::string_view name, std::string_view plural,
            std::string_view singular) {
    Kind kind;
    kind.group = group;
    kind.version = "v1";
    kind.kind = name;
    kind.plural = plural;
    kind.singular = singular;
    kind.namespaced = false;
    return kind;
}

/// Questions that are answered at once and never stored, so they are in no table of kinds.
std::vector<Kind> review_kinds() {
    constexpr std::string_view kIdentity = "authentication.k8s.io";
    constexpr std::string_view kRights = "authorization.k8s.io";
    std::vector<Kind> kinds{
        review(kIdentity, "SelfSubjectReview", "selfsubjectreviews", "selfsubjectreview"),
        review(kIdentity, "TokenReview", "tokenreviews", "tokenreview"),
        review(kRights, "LocalSubjectAccessReview", "localsubjectaccessreviews",
               "localsubjectaccessreview"),
        review(kRights, "SelfSubjectAccessReview", "selfsubjectaccessreviews",
               "selfsubjectaccessreview"),
        review(kRights, "SelfSubjectRulesReview", "selfsubjectrulesreviews",
               "selfsubjectrulesreview"),
        review(kRights, "SubjectAccessReview", "subjectaccessreviews", "subjectaccessreview")};
    kinds[2].namespaced = true;
    return kinds;
}

bool is_review(const Kind& kind) { return kind.message.empty(); }

/// All that is listed: what is stored, then the reviews.
const std::vector<Kind>& listed_kinds() {
    static const std::vector<Kind> kListed = [] {
        std::vector<Kind> out(all_kinds().begin(), all_kinds().end());
        for (const Kind& kind : review_kinds()) out.push_back(kind);
        return out;
    }();
    return kListed;
}

/// Groups and their versions, in the order of the table of kinds.
std::vector<GroupVersion> group_versions() {
    std::vector<GroupVersion> out;
    for (const Kind& kind : listed_kinds()) {
        const GroupVersion one{kind.group, kind.version};
        if (std::find(out.begin(), out.end(), one) == out.end()) out.push_back(one);
    }
    return out;
}

std::vector<std::string_view> versions_of(std::string_view group) {
    std::vector<std::string_view> out;
    for (const auto& [known, version] : group_versions()) {
        if (known == group) out.push_back(version);
    }
    return out;
}

std::vector<std::string_view> groups() {
    std::vector<std::string_view> out;
    for (const auto& [group, version] : group_versions()) {
        if (!group.empty() && std::find(out.begin(), out.end(), group) == out.end()) {
            out.push_back(group);
        }
    }
    return out;
}

std::vector<std::string_view> verbs_of(const Kind& kind) {
    if (is_review(kind)) return {"create"};
    // Deleting all namespaces at once is not offered.
    if (kind.plural == "namespaces") {
        return {"create", "delete", "get", "list", "patch", "update", "watch"};
    }
    return {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"};
}

Json group_of(std::string_view group) {
    Json versions = Json::array();
    for (const std::string_view version : versions_of(group)) {
        versions.push_back({{"groupVersion", cat(group, '/', version)}, {"version", version}});
    }
    return {{"name", group}, {"versions", versions}, {"preferredVersion", versions.front()}};
}

Json resource_of(const Kind& kind) {
    Json out{{"name", kind.plural},
             {"singularName", kind.singular},
             {"namespaced", kind.namespaced},
             {"kind", kind.kind},
             {"verbs", verbs_of(kind)}};
    if (!kind.short_names.empty()) out["shortNames"] = kind.short_names;
    if (!kind.categories.empty()) out["categories"] = kind.categories;
    return out;
}

Json subresource_of(const Kind& kind, const Subresource& sub) {
    Json out{{"name", cat(kind.plural, '/', sub.name)},
             {"singularName", ""},
             {"namespaced", kind.namespaced},
             {"kind", sub.kind.empty() ? kind.kind : sub.kind},
             {"verbs", sub.verbs}};
    if (!sub.group.empty()) out["group"] = sub.group;
    if (!sub.version.empty()) out["version"] = sub.version;
    return out;
}

Json response_kind(std::string_view group, std::string_view version, std::string_view kind) {
    return {{"group", group}, {"version", version}, {"kind", kind}};
}

Json aggregated_resource(const Kind& kind) {
    Json out{{"resource", kind.plural},
             {"responseKind", response_kind(kind.group, kind.version, kind.kind)},
             {"scope", kind.namespaced ? "Namespaced" : "Cluster"},
             {"singularResource", kind.singular},
             {"verbs", verbs_of(kind)}};
    if (!kind.short_names.empty()) out["shortNames"] = kind.short_names;
    if (!kind.categories.empty()) out["categories"] = kind.categories;
    for (const Subresource& sub : kind.subresources) {
        const bool own = sub.version.empty();
        out["subresources"].push_back(
            {{"subresource", sub.name},
             {"responseKind",
              response_kind(own ? kind.group : sub.group, own ? kind.version : sub.version,
                            sub.kind.empty() ? kind.kind : sub.kind)},
             {"verbs", sub.verbs}});
    }
    return out;
}

Json aggregated_group(std::string_view group) {
    Json versions = Json::array();
    for (const std::string_view version : versions_of(group)) {
        Json resources = Json::array();
        for (const Kind& kind : listed_kinds()) {
            if (kind.group == group && kind.version == version) {
                resources.push_back(aggregated_resource(kind));
            }
        }
        versions.push_back(
            {{"version", version}, {"freshness", "Current"}, {"resources", std::move(resources)}});
    }
    Json metadata{{"creationTimestamp", nullptr}};
    if (!group.empty()) metadata["name"] = group;
    return {{"metadata", std::move(metadata)}, {"versions", std::move(versions)}};
}

}  // namespace

std::string aggregated_content_type(Form form) {
    return cat("application/json;g=apidiscovery.k8s.io;v=", version_of(form),
               ";as=APIGroupDiscoveryList");
}

Json core_versions(std::string_view server_address) {
    return {{"kind", "APIVersions"},
            {"versions", {"v1"}},
            {"serverAddressByClientCIDRs",
             {{{"clientCIDR", "0.0.0.0/0"}, {"serverAddress", server_address}}}}};
}

Json group_list() {
    Json out{{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", Json::array()}};
    for (const std::string_view group : groups()) out["groups"].push_back(group_of(group));
    return out;
}

std::optional<Json> group(std::string_view name) {
    if (name.empty() || versions_of(name).empty()) return {};
    Json out = group_of(name);
    out["kind"] = "APIGroup";
    out["apiVersion"] = "v1";
    return out;
}

std::optional<Json> resource_list(std::string_view of_group, std::string_view version) {
    Json resources = Json::array();
    std::string group_version;
    for (const Kind& kind : listed_kinds()) {
        if (kind.group != of_group || kind.version != version) continue;
        group_version = kind.api_version();
        resources.push_back(resource_of(kind));
        for (const Subresource& sub : kind.subresources) {
            resources.push_back(subresource_of(kind, sub));
        }
    }
    if (resources.empty()) return {};
    return Json{{"kind", "APIResourceList"},
                {"apiVersion", "v1"},
                {"groupVersion", group_version},
                {"resources", std::move(resources)}};
}

Json aggregated(DiscoveryRoot root, Form form) {
    Json items = Json::array();
    if (root == DiscoveryRoot::kApi) {
        items.push_back(aggregated_group(""));
    } else {
        for (const std::string_view group : groups()) items.push_back(aggregated_group(group));
    }
    return {{"kind", "APIGroupDiscoveryList"},
            {"apiVersion", cat("apidiscovery.k8s.io/", version_of(form))},
            {"metadata", Json::object()},
            {"items", std::move(items)}};
}

Json version_info() {
    return {{"major", "1"},        {"minor", "35"},           {"gitVersion", "v1.35.0+kin"},
            {"gitCommit", ""},     {"gitTreeState", "clean"}, {"buildDate", "2025-12-17T00:00:00Z"},
            {"goVersion", "none"}, {"compiler", "gcc"},       {"platform", "linux/amd64"}};
}

Json root_paths() {
    Json paths{"/api", "/api/v1", "/apis"};
    for (const std::string_view group : groups()) {
        paths.push_back(cat("/apis/", group));
        for (const std::string_view version : versions_of(group)) {
            paths.push_back(cat("/apis/", group, '/', version));
        }
    }
    for (const char* path :
         {"/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"}) {
        paths.push_back(path);
    }
    return {{"paths", std::move(paths)}};
}

}  // namespace kin::apiserver
