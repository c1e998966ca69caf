#include "controllers/daemon_plan.h"

#include <gmock/gmock.h>

#include "controllers/placement.h"
#include "tests/controllers/objects.h"

namespace kin::controllers {
namespace {

using test::node;
using test::pod;
using test::pointers;

const WallTime kNow = *parse_rfc3339("2026-01-02T00:00:00Z");

DaemonSet agents(Json template_spec = Json::object(), Json more = Json::object()) {
    Json spec = {
        {"selector", {{"matchLabels", {{"app", "web"}}}}},
        {"template", {{"metadata", {{"labels", {{"app", "web"}}}}}, {"spec", template_spec}}}};
    spec.update(more);
    return test::view<DaemonSet>(
        {{"metadata",
          {{"name", "agent"}, {"namespace", "shop"}, {"uid", "set"}, {"generation", 1}}},
         {"spec", spec}});
}

Pod agent_on(const DaemonSet& set, const std::string& on, bool ready,
             const std::string& hash = "") {
    const std::string label = hash.empty() ? daemon_hash(set) : hash;
    return pod({.name = "agent-" + on,
                .node = on,
                .ready = ready,
                .phase = "Running",
                .labels = {{"app", "web"}, {"controller-revision-hash", label}}});
}

TEST(DaemonPlanTest, EveryEligibleNodeGetsOnePod) {
    const std::vector<Node> nodes = {
        node("node-1"), node("node-2", {{"unschedulable", true}}),
        node("node-3", {{"taints", Json::array({{{"key", "x"}, {"effect", "NoSchedule"}}})}})};
    const auto plan = plan_daemons(agents(), {}, pointers(nodes), kNow);
    EXPECT_THAT(plan.create_on, testing::ElementsAre("node-1", "node-2"));
    EXPECT_EQ(plan.status["desiredNumberScheduled"], 2);
}

TEST(DaemonPlanTest, ANodeSelectorLimitsTheNodes) {
    const std::vector<Node> nodes = {node("node-1"),
                                     node("node-2", Json::object(), {{"disk", "ssd"}})};
    const auto plan =
        plan_daemons(agents({{"nodeSelector", {{"disk", "ssd"}}}}), {}, pointers(nodes), kNow);
    EXPECT_THAT(plan.create_on, testing::ElementsAre("node-2"));
}

TEST(DaemonPlanTest, PodsOfNodesThatAreGoneAreDeleted) {
    const DaemonSet set = agents();
    const std::vector<Pod> pods = {agent_on(set, "gone", true)};
    EXPECT_EQ(plan_daemons(set, pointers(pods), {}, kNow).remove.size(), 1U);
}

TEST(DaemonPlanTest, AFailedPodIsReplacedWhenItIsGone) {
    const DaemonSet set = agents();
    const std::vector<Node> nodes = {node("node-1")};
    std::vector<Pod> pods = {pod({.name = "a", .node = "node-1", .phase = "Failed"})};
    const auto plan = plan_daemons(set, pointers(pods), pointers(nodes), kNow);
    EXPECT_EQ(plan.failed.size(), 1U);
    EXPECT_EQ(plan.remove.size(), 1U);
    EXPECT_TRUE(plan.create_on.empty());
}

TEST(DaemonPlanTest, AnUpdateReplacesOneAvailablePodAtATime) {
    const DaemonSet set = agents();
    const std::vector<Node> nodes = {node("node-1"), node("node-2"), node("node-3")};
    std::vector<Pod> pods;
    for (const Node& each : nodes) pods.push_back(agent_on(set, each.key().name, true, "old"));
    EXPECT_EQ(plan_daemons(set, pointers(pods), pointers(nodes), kNow).remove.size(), 1U);
    // While its replacement is not available yet, the others stay.
    pods[0] = agent_on(set, "node-1", false);
    EXPECT_TRUE(plan_daemons(set, pointers(pods), pointers(nodes), kNow).remove.empty());
}

TEST(DaemonPlanTest, OnDeleteLeavesOutdatedPodsAlone) {
    const DaemonSet set = agents(Json::object(), {{"updateStrategy", {{"type", "OnDelete"}}}});
    const std::vector<Node> nodes = {node("node-1")};
    const std::vector<Pod> pods = {agent_on(set, "node-1", true, "old")};
    const auto plan = plan_daemons(set, pointers(pods), pointers(nodes), kNow);
    EXPECT_TRUE(plan.remove.empty());
    EXPECT_EQ(plan.status["updatedNumberScheduled"], nullptr);
    EXPECT_EQ(plan.status["numberAvailable"], 1);
}

TEST(DaemonPlanTest, TheSchedulerPutsADaemonPodOnItsNode) {
    const std::vector<Node> nodes = {node("node-1"), node("node-2"), node("node-3")};
    Placement placement(pointers(nodes));
    const Json object = daemon_pod(agents(), "node-2");
    const Pod daemon = test::view<Pod>(object);
    EXPECT_EQ(placement.place(daemon).node, "node-2");
}

}  // namespace
}  // namespace kin::controllers
