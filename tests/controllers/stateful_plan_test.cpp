#include "controllers/stateful_plan.h"

#include <gtest/gtest.h>

#include "core/base/strings.h"
#include "tests/controllers/objects.h"

namespace kin::controllers {
namespace {

const WallTime kNow = *parse_rfc3339("2026-01-01T01:00:00Z");

StatefulSet set_of(int replicas, Json spec = Json::object(), Json status = Json::object()) {
    spec["replicas"] = replicas;
    spec["serviceName"] = "web";
    spec["selector"] = {{"matchLabels", {{"app", "web"}}}};
    if (!spec.contains("template")) {
        spec["template"] = {{"metadata", {{"labels", {{"app", "web"}}}}},
                            {"spec", {{"containers", Json::array({{{"image", "nginx:1"}}})}}}};
    }
    return test::view<StatefulSet>(
        {{"metadata", {{"name", "web"}, {"namespace", "shop"}, {"uid", "set"}, {"generation", 3}}},
         {"spec", std::move(spec)},
         {"status", std::move(status)}});
}

Json template_of(const std::string& image) {
    return {{"metadata", {{"labels", {{"app", "web"}}}}},
            {"spec", {{"containers", Json::array({{{"image", image}}})}}}};
}

/// The revision that planning stores for `set`.
ControllerRevision revision_of(const StatefulSet& set) {
    const StatefulPlan plan = plan_stateful(set, {}, {}, {}, kNow);
    return test::view<ControllerRevision>(plan.history.create.value());
}

struct Member {
    int ordinal;
    std::string revision;
    bool ready = true;
    bool deleting = false;
};

Pod member(const Member& shape) {
    return test::pod({.name = cat("web-", shape.ordinal),
                      .ready = shape.ready,
                      .phase = "Running",
                      .labels = {{"app", "web"}, {"controller-revision-hash", shape.revision}},
                      .deleted = shape.deleting ? "2026-01-01T00:59:00Z" : "",
                      .owner_uid = "set"});
}

/// "+web-1 -web-3": what a plan makes and removes.
std::string steps(const StatefulPlan& plan) {
    std::string out;
    for (const auto& create : plan.create) {
        out += cat(out.empty() ? "" : " ", '+', string_at(create.pod, {"metadata", "name"}));
    }
    for (const Pod* pod : plan.remove) out += cat(out.empty() ? "" : " ", '-', pod->key().name);
    return out;
}

std::string steps_for(const StatefulSet& set, const std::vector<Member>& members) {
    const ControllerRevision revision = revision_of(set);
    std::vector<Pod> pods;
    for (Member shape : members) {
        if (shape.revision.empty()) shape.revision = revision.key().name;
        pods.push_back(member(shape));
    }
    return steps(plan_stateful(set, test::pointers(pods), {&revision}, {}, kNow));
}

TEST(StatefulPlanTest, MakesOnePodAtATimeInOrder) {
    const StatefulSet set = set_of(3);
    EXPECT_EQ(steps_for(set, {}), "+web-0");
    EXPECT_EQ(steps_for(set, {{0, "", false}}), "");
    EXPECT_EQ(steps_for(set, {{0, ""}}), "+web-1");
    EXPECT_EQ(steps_for(set, {{0, ""}, {2, ""}}), "+web-1");
}

TEST(StatefulPlanTest, ParallelMakesAllAtOnce) {
    EXPECT_EQ(steps_for(set_of(3, {{"podManagementPolicy", "Parallel"}}), {}),
              "+web-0 +web-1 +web-2");
}

TEST(StatefulPlanTest, RemovesTheHighestFirstAndWaitsForItsEnd) {
    const StatefulSet set = set_of(1);
    EXPECT_EQ(steps_for(set, {{0, ""}, {1, ""}, {2, ""}}), "-web-2");
    EXPECT_EQ(steps_for(set, {{0, ""}, {1, ""}, {2, "", true, true}}), "");
    EXPECT_EQ(steps_for(set, {{0, "", false}, {1, ""}}), "");
}

TEST(StatefulPlanTest, PodsHaveLastingNamesHostnamesAndClaims) {
    const StatefulSet set =
        set_of(1, {{"volumeClaimTemplates",
                    Json::array({{{"metadata", {{"name", "www"}}},
                                  {"spec", {{"accessModes", {"ReadWriteOnce"}}}}}})}});
    const StatefulPlan plan = plan_stateful(set, {}, {}, {}, kNow);
    ASSERT_EQ(plan.create.size(), 1U);
    const Json& pod = plan.create[0].pod;
    EXPECT_EQ(string_at(pod, {"metadata", "name"}), "web-0");
    EXPECT_EQ(string_at(pod, {"spec", "hostname"}), "web-0");
    EXPECT_EQ(string_at(pod, {"spec", "subdomain"}), "web");
    EXPECT_EQ(string_at(pod, {"metadata", "labels", "apps.kubernetes.io/pod-index"}), "0");
    EXPECT_EQ(to_text(array_at(pod, {"spec", "volumes"})),
              R"([{"name":"www","persistentVolumeClaim":{"claimName":"www-web-0"}}])");
    ASSERT_EQ(plan.create[0].claims.size(), 1U);
    EXPECT_EQ(string_at(plan.create[0].claims[0], {"metadata", "name"}), "www-web-0");
    EXPECT_EQ(string_at(plan.create[0].claims[0], {"metadata", "labels", "app"}), "web");
    // The claim of an earlier pod of that name is taken again.
    EXPECT_TRUE(plan_stateful(set, {}, {}, {"www-web-0"}, kNow).create[0].claims.empty());
}

TEST(StatefulPlanTest, UpdatesFromTheHighestDownOneAtATime) {
    const StatefulSet before = set_of(3, {{"template", template_of("nginx:1")}});
    const ControllerRevision old = revision_of(before);
    const std::string name = old.key().name;
    const StatefulSet set =
        set_of(3, {{"template", template_of("nginx:2")}}, {{"currentRevision", name}});
    const std::vector<Pod> pods{member({0, name}), member({1, name}), member({2, name})};
    const StatefulPlan plan = plan_stateful(set, test::pointers(pods), {&old}, {}, kNow);
    EXPECT_EQ(steps(plan), "-web-2");
    ASSERT_TRUE(plan.history.create.has_value());
    EXPECT_EQ(int_at(*plan.history.create, {"revision"}), 2);
    EXPECT_EQ(string_at(plan.status, {"currentRevision"}), name);
    EXPECT_EQ(string_at(plan.status, {"updateRevision"}), plan.history.update);
}

TEST(StatefulPlanTest, BelowThePartitionPodsKeepTheOldTemplate) {
    const ControllerRevision old = revision_of(set_of(2, {{"template", template_of("nginx:1")}}));
    const std::string name = old.key().name;
    const StatefulSet set = set_of(
        2,
        {{"template", template_of("nginx:2")},
         {"updateStrategy", {{"type", "RollingUpdate"}, {"rollingUpdate", {{"partition", 1}}}}}},
        {{"currentRevision", name}});
    const std::vector<Pod> none_yet;
    const StatefulPlan first = plan_stateful(set, {}, {&old}, {}, kNow);
    ASSERT_EQ(first.create.size(), 1U);
    EXPECT_EQ(to_text(array_at(first.create[0].pod, {"spec", "containers"})),
              R"([{"image":"nginx:1"}])");
    const std::vector<Pod> pods{member({0, name})};
    const StatefulPlan second = plan_stateful(set, test::pointers(pods), {&old}, {}, kNow);
    ASSERT_EQ(second.create.size(), 1U);
    EXPECT_EQ(to_text(array_at(second.create[0].pod, {"spec", "containers"})),
              R"([{"image":"nginx:2"}])");
}

TEST(StatefulPlanTest, OnDeleteReplacesNothingByItself) {
    const StatefulSet set =
        set_of(1, {{"updateStrategy", {{"type", "OnDelete"}}}}, {{"currentRevision", "web-old"}});
    const std::vector<Pod> pods{member({0, "web-old"})};
    EXPECT_EQ(steps(plan_stateful(set, test::pointers(pods), {}, {}, kNow)), "");
}

TEST(StatefulPlanTest, AFinishedUpdateBecomesTheCurrentRevision) {
    const StatefulSet set = set_of(1, Json::object(), {{"currentRevision", "web-old"}});
    const ControllerRevision revision = revision_of(set);
    const std::vector<Pod> pods{member({0, revision.key().name})};
    const StatefulPlan plan = plan_stateful(set, test::pointers(pods), {&revision}, {}, kNow);
    EXPECT_EQ(string_at(plan.status, {"currentRevision"}), revision.key().name);
    EXPECT_EQ(int_at(plan.status, {"currentReplicas"}), 1);
    EXPECT_EQ(int_at(plan.status, {"observedGeneration"}), 3);
}

TEST(StatefulPlanTest, GoingBackRaisesTheOldRevision) {
    const StatefulSet set = set_of(1);
    const ControllerRevision first = revision_of(set);
    ControllerRevision second = revision_of(set_of(1, {{"template", template_of("nginx:2")}}));
    second.revision = 2;
    const StatefulPlan plan = plan_stateful(set, {}, {&first, &second}, {}, kNow);
    EXPECT_EQ(plan.history.update, first.key().name);
    EXPECT_EQ(plan.history.raise, &first);
    EXPECT_EQ(plan.history.number, 3);
}

TEST(StatefulPlanTest, ADeletedSetMakesNothing) {
    Json object = *set_of(2).object;
    object["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
    const auto set = test::view<StatefulSet>(object);
    EXPECT_EQ(steps(plan_stateful(set, {}, {}, {}, kNow)), "");
}

}  // namespace
}  // namespace kin::controllers
