#include "apiserver/discovery.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "core/api/kinds.h"
#include "core/base/strings.h"
#include "tests/support/golden.h"

namespace kin::apiserver {
namespace {

const Json* resource_named(const Json& resources, std::string_view name, const char* key = "name") {
    for (const Json& resource : resources) {
        if (resource[key] == name) return &resource;
    }
    return nullptr;
}

TEST(DiscoveryTest, GroupsAndVersionsLeadToResources) {
    EXPECT_EQ(core_versions("127.0.0.1:6443")["serverAddressByClientCIDRs"][0]["serverAddress"],
              "127.0.0.1:6443");
    const Json groups = group_list();
    EXPECT_EQ(groups["groups"][0]["name"], "apps");
    for (const Json& one : groups["groups"]) {
        const auto name = one["name"].get<std::string>();
        ASSERT_TRUE(group(name)) << name;
        for (const Json& version : one["versions"]) {
            const auto list = resource_list(name, version["version"].get<std::string>());
            ASSERT_TRUE(list) << version;
            EXPECT_EQ((*list)["groupVersion"], version["groupVersion"]);
        }
    }
    EXPECT_FALSE(group("example.com"));
    EXPECT_FALSE(group(""));
    EXPECT_FALSE(resource_list("apps", "v2"));
}

TEST(DiscoveryTest, EvictionSaysItsOwnGroup) {
    const Json list = resource_list("", "v1").value();
    const Json* eviction = resource_named(list["resources"], "pods/eviction");
    ASSERT_NE(eviction, nullptr);
    EXPECT_EQ((*eviction)["group"], "policy");
    EXPECT_EQ((*eviction)["version"], "v1");
    EXPECT_EQ((*eviction)["kind"], "Eviction");
    const Json* ephemeral = resource_named(list["resources"], "pods/ephemeralcontainers");
    ASSERT_NE(ephemeral, nullptr);
    EXPECT_EQ((*ephemeral)["kind"], "Pod");
    EXPECT_EQ((*ephemeral)["verbs"], (Json{"get", "patch", "update"}));
}

TEST(DiscoveryTest, TheAggregatedFormHoldsTheSameResources) {
    const Json core = aggregated(DiscoveryRoot::kApi, Form::kDiscoveryV2);
    EXPECT_EQ(core["apiVersion"], "apidiscovery.k8s.io/v2");
    ASSERT_EQ(core["items"].size(), 1u);
    EXPECT_FALSE(core["items"][0]["metadata"].contains("name"));
    const Json groups = aggregated(DiscoveryRoot::kApis, Form::kDiscoveryV2beta1);
    EXPECT_EQ(groups["apiVersion"], "apidiscovery.k8s.io/v2beta1");
    size_t kinds = 0;
    for (const Json* root : {&core, &groups}) {
        for (const Json& item : (*root)["items"]) {
            for (const Json& version : item["versions"]) kinds += version["resources"].size();
        }
    }
    constexpr size_t kReviews = 6;
    EXPECT_EQ(kinds, all_kinds().size() + kReviews);
    const Json& apps = groups["items"][0];
    EXPECT_EQ(apps["metadata"]["name"], "apps");
    const Json* deployments =
        resource_named(apps["versions"][0]["resources"], "deployments", "resource");
    ASSERT_NE(deployments, nullptr);
    EXPECT_EQ((*deployments)["scope"], "Namespaced");
    const Json* scale = resource_named((*deployments)["subresources"], "scale", "subresource");
    ASSERT_NE(scale, nullptr);
    EXPECT_EQ((*scale)["responseKind"],
              Json({{"group", "autoscaling"}, {"version", "v1"}, {"kind", "Scale"}}));
}

// --- Against what a real API server answered ---

std::set<std::string> verbs(const Json& resource) {
    std::set<std::string> out;
    for (const Json& verb : resource["verbs"]) out.insert(verb.get<std::string>());
    out.erase("deletecollection");  // For Services only in later versions.
    return out;
}

/// True if it is a resource that is served here.
bool compare(const Json& recorded, const Json& ours) {
    const auto name = recorded["name"].get<std::string>();
    const Json* mine = resource_named(ours["resources"], name);
    if (!mine) return false;
    SCOPED_TRACE(name);
    EXPECT_EQ((*mine)["kind"], recorded["kind"]);
    EXPECT_EQ((*mine)["namespaced"], recorded["namespaced"]);
    EXPECT_EQ(verbs(*mine), verbs(recorded));
    EXPECT_EQ(mine->value("shortNames", Json()), recorded.value("shortNames", Json()));
    EXPECT_EQ(mine->value("categories", Json()), recorded.value("categories", Json()));
    EXPECT_EQ(mine->value("group", Json()), recorded.value("group", Json()));
    return true;
}

/// How many resources of a group both list.
int compare_with_recorded(const std::string& folder, const std::string& name) {
    const std::string version =
        name.empty() ? "v1" : group(name).value()["versions"][0]["version"].get<std::string>();
    const std::string document = name.empty() ? "api-v1" : cat("apis-", name, '-', version);
    std::ifstream file(cat(folder, "/oracle/discovery/", document, ".json"));
    if (!file) return 0;  // The version is newer than the recorded server.
    SCOPED_TRACE(document);
    std::stringstream text;
    text << file.rdbuf();
    const Json recorded = parse_json(text.str()).value();
    const Json ours = resource_list(name, version).value();
    int compared = 0;
    for (const Json& resource : recorded["resources"]) compared += compare(resource, ours) ? 1 : 0;
    return compared;
}

TEST(DiscoveryTest, ResourcesAreThoseThatARealApiServerListed) {
    const std::string folder = kin::test::shared_folder();
    if (folder.empty()) GTEST_SKIP() << "no recorded answers beside this checkout";
    int compared = 0;
    const Json groups = group_list();
    for (const Json& one : groups["groups"]) {
        compared += compare_with_recorded(folder, one["name"].get<std::string>());
    }
    compared += compare_with_recorded(folder, "");
    EXPECT_GE(compared, 50);
}

}  // namespace
}  // namespace kin::apiserver
