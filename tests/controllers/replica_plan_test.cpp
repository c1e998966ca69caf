#include "controllers/replica_plan.h"

#include <gmock/gmock.h>

#include "tests/controllers/objects.h"

namespace kin::controllers {
namespace {

using test::pod;
using test::pointers;

const WallTime kNow = *parse_rfc3339("2026-01-02T00:00:00Z");

ReplicaSet web(int replicas, Json more = Json::object()) {
    Json spec = {{"replicas", replicas},
                 {"selector", {{"matchLabels", {{"app", "web"}}}}},
                 {"template", {{"metadata", {{"labels", {{"app", "web"}}}}}}}};
    spec.update(more);
    return test::view<ReplicaSet>(
        {{"metadata", {{"name", "web"}, {"namespace", "shop"}, {"uid", "set"}, {"generation", 3}}},
         {"spec", spec}});
}

std::vector<std::string> names(const std::vector<const Pod*>& pods) {
    std::vector<std::string> out;
    for (const Pod* each : pods) out.push_back(each->key().name);
    return out;
}

TEST(ReplicaPlanTest, MissingPodsAreCreated) {
    const std::vector<Pod> pods = {pod({.name = "a"})};
    EXPECT_EQ(plan_replicas(web(3), pointers(pods), {}, "", kNow).create, 2);
}

TEST(ReplicaPlanTest, PodsThatEndedOrAreEndingAreReplaced) {
    const std::vector<Pod> pods = {pod({.name = "a", .phase = "Failed"}),
                                   pod({.name = "b", .deleted = "2026-01-01T00:00:00Z"})};
    const auto plan = plan_replicas(web(2), pointers(pods), {}, "", kNow);
    EXPECT_EQ(plan.create, 2);
    EXPECT_TRUE(plan.remove.empty());
}

TEST(ReplicaPlanTest, ThePodThatServesLeastGoesFirst) {
    const std::vector<Pod> pods = {
        pod({.name = "serving", .node = "n1", .ready = true, .phase = "Running"}),
        pod({.name = "starting", .node = "n1", .phase = "Running"}),
        pod({.name = "unscheduled"}),
        pod({.name = "pending", .node = "n2"}),
    };
    EXPECT_THAT(names(plan_replicas(web(1), pointers(pods), {}, "", kNow).remove),
                testing::ElementsAre("unscheduled", "pending", "starting"));
}

TEST(ReplicaPlanTest, ACrowdedNodeLosesItsPodFirst) {
    const std::vector<Pod> pods = {
        pod({.name = "alone", .node = "n1", .ready = true, .phase = "Running"}),
        pod({.name = "twin-1", .node = "n2", .ready = true, .phase = "Running"}),
        pod({.name = "twin-2", .node = "n2", .ready = true, .phase = "Running"}),
    };
    EXPECT_NE(names(plan_replicas(web(2), pointers(pods), {}, "", kNow).remove).at(0), "alone");
}

TEST(ReplicaPlanTest, DeletionCostDecidesAmongReadyPods) {
    const auto costing = [](const char* name, const char* cost) {
        return pod({.name = name,
                    .node = "n1",
                    .ready = true,
                    .phase = "Running",
                    .annotations = {{"controller.kubernetes.io/pod-deletion-cost", cost}}});
    };
    const std::vector<Pod> pods = {costing("dear", "10"), costing("cheap", "-5")};
    EXPECT_THAT(names(plan_replicas(web(1), pointers(pods), {}, "", kNow).remove),
                testing::ElementsAre("cheap"));
}

TEST(ReplicaPlanTest, OrphansThatMatchAreAdoptedAndCount) {
    const std::vector<Pod> orphans = {pod({.name = "stray"})};
    const auto plan = plan_replicas(web(2), {}, pointers(orphans), "", kNow);
    EXPECT_THAT(names(plan.adopt), testing::ElementsAre("stray"));
    EXPECT_EQ(plan.create, 1);
}

TEST(ReplicaPlanTest, APodWhoseLabelsChangedIsReleasedAndReplaced) {
    const std::vector<Pod> pods = {pod({.name = "debugged", .labels = {{"app", "other"}}})};
    const auto plan = plan_replicas(web(1), pointers(pods), {}, "", kNow);
    EXPECT_THAT(names(plan.release), testing::ElementsAre("debugged"));
    EXPECT_EQ(plan.create, 1);
}

TEST(ReplicaPlanTest, StatusCountsAndLeavesOutZeros) {
    const std::vector<Pod> pods = {
        pod({.name = "a", .node = "n1", .ready = true, .phase = "Running"}), pod({.name = "b"})};
    const auto plan = plan_replicas(web(2), pointers(pods), {}, "", kNow);
    EXPECT_EQ(plan.status, (Json{{"replicas", 2},
                                 {"fullyLabeledReplicas", 2},
                                 {"readyReplicas", 1},
                                 {"availableReplicas", 1},
                                 {"observedGeneration", 3},
                                 {"conditions", nullptr}}));
    EXPECT_EQ(plan_replicas(web(0), {}, {}, "", kNow).status["readyReplicas"], nullptr);
}

TEST(ReplicaPlanTest, AReadyPodIsAvailableOnlyAfterItsMinReadySeconds) {
    const std::vector<Pod> pods = {pod(
        {.name = "a", .ready = true, .phase = "Running", .ready_since = "2026-01-01T23:59:55Z"})};
    const auto plan =
        plan_replicas(web(1, {{"minReadySeconds", 10}}), pointers(pods), {}, "", kNow);
    EXPECT_EQ(plan.status["availableReplicas"], nullptr);
    EXPECT_EQ(plan.again_at, kNow + std::chrono::seconds(5));
}

TEST(TemplateHashTest, EqualTemplatesHaveEqualHashesAndACollisionChangesThem) {
    const Json one = {{"spec", {{"containers", Json::array({{{"image", "nginx"}}})}}}};
    EXPECT_EQ(template_hash(one, 0), template_hash(Json(one), 0));
    EXPECT_NE(template_hash(one, 0), template_hash(one, 1));
    EXPECT_EQ(template_hash(one, 0).find_first_not_of("bcdfghjklmnpqrstvwxz2456789"),
              std::string::npos);
}

TEST(ScaledValueTest, PercentagesRoundAsAsked) {
    EXPECT_EQ(scaled_value("25%", 3, Round::kUp), 1);
    EXPECT_EQ(scaled_value("25%", 3, Round::kDown), 0);
    EXPECT_EQ(scaled_value(2, 3, Round::kDown), 2);
    EXPECT_EQ(scaled_value("x", 3, Round::kDown), 0);
}

}  // namespace
}  // namespace kin::controllers
