#include "apiserver/openapi.h"

#include <gtest/gtest.h>

#include "apiserver/openapi_schema.h"
#include "core/api/kinds.h"
#include "core/base/strings.h"

namespace kin::apiserver {
namespace {

const Json& v3(const std::string& path) {
    static std::map<std::string, Json> known;
    auto& json = known[path];
    if (json.is_null()) json = parse_json(*openapi_v3_document(path), 300).value();
    return json;
}

const Json& type(const std::string& path, const std::string& name) {
    return object_at(v3(path), {"components", "schemas", name});
}

void expect_refs_resolve(const Json& json, const Json& schemas) {
    if (json.is_object()) {
        if (const Json* ref = find(json, "$ref"); ref && ref->is_string()) {
            const auto name =
                ref->get<std::string>().substr(std::string("#/components/schemas/").size());
            EXPECT_TRUE(schemas.contains(name)) << name;
            EXPECT_EQ(json.size(), 1u) << "what stands beside a $ref is lost: " << name;
        }
    }
    if (json.is_structured()) {
        for (const Json& inner : json) expect_refs_resolve(inner, schemas);
    }
}

TEST(OpenApiTest, TheIndexLeadsToEveryDocument) {
    const Json index = parse_json(*openapi_v3_index()).value();
    ASSERT_TRUE(index["paths"].contains("api/v1"));
    ASSERT_TRUE(index["paths"].contains("apis/apps/v1"));
    for (const auto& [path, entry] : index["paths"].items()) {
        const DocumentBytes document = openapi_v3_document(path);
        ASSERT_NE(document, nullptr) << path;
        const std::string tag = etag_of(*document);
        EXPECT_EQ(entry["serverRelativeURL"],
                  cat("/openapi/v3/", path, "?hash=", tag.substr(1, tag.size() - 2)));
    }
    EXPECT_EQ(openapi_v3_document("apis/example.com/v1"), nullptr);
}

TEST(OpenApiTest, EveryRefResolvesAndStandsAlone) {
    const Json index = parse_json(*openapi_v3_index()).value();
    for (const auto& [path, entry] : index["paths"].items()) {
        SCOPED_TRACE(path);
        expect_refs_resolve(v3(path), object_at(v3(path), {"components", "schemas"}));
    }
}

TEST(OpenApiTest, EveryKindHasAPatchOperationThatTellsWhatItUnderstands) {
    for (const Kind& kind : all_kinds()) {
        const std::string path = cat(kind.group.empty() ? "api/" : "apis/", kind.api_version());
        const std::string item = cat('/', path, kind.namespaced ? "/namespaces/{namespace}/" : "/",
                                     kind.plural, "/{name}");
        SCOPED_TRACE(item);
        const Json& patch = object_at(v3(path), {"paths", item, "patch"});
        EXPECT_EQ(patch["x-kubernetes-group-version-kind"],
                  Json({{"group", kind.group}, {"version", kind.version}, {"kind", kind.kind}}));
        std::set<std::string> names;
        for (const Json& parameter : patch["parameters"]) {
            EXPECT_EQ(parameter["in"], "query");
            names.insert(parameter["name"].get<std::string>());
        }
        EXPECT_TRUE(names.contains("dryRun") && names.contains("fieldValidation"));
        EXPECT_TRUE(
            patch["requestBody"]["content"].contains("application/strategic-merge-patch+json"));
        // By these `kubectl explain` finds the kind.
        const Json& get = object_at(v3(path), {"paths", item, "get"});
        EXPECT_EQ(get["x-kubernetes-group-version-kind"], patch["x-kubernetes-group-version-kind"]);
    }
}

TEST(OpenApiTest, TypesSayWhatPatchesNeed) {
    const Json& deployment = type("apis/apps/v1", "io.k8s.api.apps.v1.Deployment");
    EXPECT_EQ(deployment["x-kubernetes-group-version-kind"],
              Json::array({{{"group", "apps"}, {"version", "v1"}, {"kind", "Deployment"}}}));
    EXPECT_FALSE(string_at(deployment, {"description"}).empty());

    const Json& spec = type("apis/apps/v1", "io.k8s.api.apps.v1.DeploymentSpec")["properties"];
    EXPECT_EQ(spec["strategy"]["x-kubernetes-patch-strategy"], "retainKeys");
    EXPECT_EQ(spec["strategy"]["allOf"][0]["$ref"],
              "#/components/schemas/io.k8s.api.apps.v1.DeploymentStrategy");
    EXPECT_EQ(spec["replicas"]["type"], "integer");

    const Json& pod = type("apis/apps/v1", "io.k8s.api.core.v1.PodSpec");
    EXPECT_EQ(pod["required"], Json::array({"containers"}));
    const Json& containers = pod["properties"]["containers"];
    EXPECT_EQ(containers["type"], "array");
    EXPECT_EQ(containers["x-kubernetes-patch-merge-key"], "name");
    EXPECT_EQ(containers["x-kubernetes-patch-strategy"], "merge");
    EXPECT_EQ(containers["x-kubernetes-list-type"], "map");
    EXPECT_EQ(containers["x-kubernetes-list-map-keys"], Json::array({"name"}));
    EXPECT_EQ(pod["properties"]["volumes"]["x-kubernetes-patch-strategy"], "merge,retainKeys");

    // An inlined message's fields stand where its own name would.
    const Json& volume = type("api/v1", "io.k8s.api.core.v1.Volume")["properties"];
    EXPECT_TRUE(volume.contains("emptyDir"));
}

TEST(OpenApiTest, DefinitionsOfTheOldFormAreProtobuf) {
    const std::string& bytes = *openapi_v2_protobuf();
    EXPECT_TRUE(bytes.starts_with(std::string("\x0a\x03") + "2.0"));
    for (const char* text :
         {"/apis/apps/v1/namespaces/{namespace}/deployments/{name}", "fieldValidation",
          R"({"group":"apps","kind":"Deployment","version":"v1"})",
          "#/definitions/io.k8s.api.core.v1.PodSpec", "x-kubernetes-patch-merge-key"}) {
        EXPECT_NE(bytes.find(text), std::string::npos) << text;
    }
}

}  // namespace
}  // namespace kin::apiserver
