#include "core/api/kinds.h"

#include <gtest/gtest.h>

#include <set>

namespace kin {
namespace {

TEST(KindsTest, AreFoundByPathByBodyAndByResource) {
    const Kind* deployment = find_kind("apps", "v1", "deployments");
    ASSERT_NE(deployment, nullptr);
    EXPECT_EQ(deployment, find_kind_of("apps/v1", "Deployment"));
    EXPECT_EQ(deployment, find_resource("deployments.apps"));
    EXPECT_EQ(deployment->api_version(), "apps/v1");
    EXPECT_EQ(deployment->resource(), "deployments.apps");
    EXPECT_TRUE(deployment->has_status);
    EXPECT_TRUE(deployment->has_generation);
}

TEST(KindsTest, ServeNoVersionsThatUpstreamRemoved) {
    EXPECT_EQ(find_kind("networking.k8s.io", "v1beta1", "ingresses"), nullptr);
    EXPECT_EQ(find_kind_of("extensions/v1beta1", "Ingress"), nullptr);
    EXPECT_EQ(find_kind_of("v2", "Pod"), nullptr);
}

TEST(KindsTest, HaveDistinctShortNamesAndResources) {
    std::set<std::string> names;
    for (const Kind& kind : all_kinds()) {
        EXPECT_TRUE(names.insert(kind.resource()).second) << kind.resource();
        for (const auto name : kind.short_names)
            EXPECT_TRUE(names.insert(std::string(name)).second) << name;
    }
}

TEST(KindsTest, EvictionIsListedAsPolicyV1) {
    for (const Subresource& one : find_resource("pods")->subresources) {
        if (one.name != "eviction") continue;
        EXPECT_EQ(one.group, "policy");
        EXPECT_EQ(one.version, "v1");
        EXPECT_EQ(one.kind, "Eviction");
        return;
    }
    FAIL() << "pods have no eviction";
}

}  // namespace
}  // namespace kin
