#include "controllers/placement.h"

#include <gmock/gmock.h>

#include "tests/controllers/objects.h"

namespace kin::controllers {
namespace {

using test::node;
using test::pod;
using test::PodShape;

const std::string kNoPreemption =
    " no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not "
    "helpful for scheduling.";

std::vector<Node> three_nodes() { return {node("node-1"), node("node-2"), node("node-3")}; }

TEST(PlacementTest, PodsOfOneOwnerSpreadOverTheNodes) {
    const auto nodes = three_nodes();
    Placement placement(test::pointers(nodes));
    std::map<std::string, int> on_node;
    std::vector<Pod> pods;
    for (int i = 0; i < 6; ++i) {
        pods.push_back(pod({.name = "web-" + std::to_string(i), .owner_uid = "set"}));
    }
    for (const Pod& each : pods) ++on_node[placement.place(each).node];
    EXPECT_EQ(on_node, (std::map<std::string, int>{{"node-1", 2}, {"node-2", 2}, {"node-3", 2}}));
}

TEST(PlacementTest, ANodeWithOthersPodsIsLeftForOneWithNone) {
    const auto nodes = three_nodes();
    const Pod other = pod({.name = "other"});
    const Pod third = pod({.name = "third"});
    Placement placement(test::pointers(nodes));
    placement.add(other, "node-1");
    placement.add(third, "node-3");
    EXPECT_EQ(placement.place(pod({.owner_uid = "set"})).node, "node-2");
}

TEST(PlacementTest, WithoutNodesThereIsNoPlace) {
    Placement placement({});
    EXPECT_EQ(placement.place(pod({})).message, "no nodes available to schedule pods");
}

struct Refusal {
    const char* name;
    Json pod_spec;
    std::string message;
};
class PlacementRefusalTest : public testing::TestWithParam<Refusal> {};

TEST_P(PlacementRefusalTest, SaysWhyInUpstreamsWords) {
    const std::vector<Node> nodes = {
        node("node-1", Json::object(), Json::object(), {{"cpu", "2"}, {"pods", "110"}}),
        node("node-2", Json::object(), Json::object(), {{"cpu", "2"}, {"pods", "110"}}),
        node("node-3", Json::object(), Json::object(), {{"cpu", "2"}, {"pods", "110"}})};
    Placement placement(test::pointers(nodes));
    const auto decision = placement.place(pod({.spec = GetParam().pod_spec}));
    EXPECT_EQ(decision.node, "");
    EXPECT_EQ(decision.message, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Reasons, PlacementRefusalTest,
    testing::Values(
        Refusal{"Selector",
                {{"nodeSelector", {{"disk", "ssd"}}}},
                "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector." +
                    kNoPreemption},
        Refusal{
            "Cpu",
            {{"containers", Json::array({{{"resources", {{"requests", {{"cpu", "2500m"}}}}}}})}},
            "0/3 nodes are available: 3 Insufficient cpu. no new claims to deallocate, "
            "preemption: 0/3 nodes are available: 3 No preemption victims found for incoming "
            "pod."}),
    [](const auto& test) { return test.param.name; });

TEST(PlacementTest, EachReasonIsCounted) {
    const Json tainted = {
        {"taints", Json::array({{{"key", "dedicated"}, {"effect", "NoSchedule"}}})}};
    const std::vector<Node> nodes = {node("node-1", tainted),
                                     node("node-2", {{"unschedulable", true}}),
                                     node("node-3", {{"unschedulable", true}})};
    Placement placement(test::pointers(nodes));
    EXPECT_EQ(placement.place(pod({})).message,
              "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 node(s) were "
              "unschedulable." +
                  kNoPreemption);
}

TEST(PlacementTest, ATolerationOpensATaintedNode) {
    const Json tainted = {
        {"taints",
         Json::array({{{"key", "dedicated"}, {"value", "db"}, {"effect", "NoSchedule"}}})}};
    const std::vector<Node> nodes = {node("node-1", tainted)};
    const auto tolerating = [](const Json& toleration) {
        return pod({.spec = {{"tolerations", Json::array({toleration})}}});
    };
    const auto fits = [&](const Json& toleration) {
        return !Placement(test::pointers(nodes)).place(tolerating(toleration)).node.empty();
    };
    EXPECT_TRUE(fits({{"key", "dedicated"}, {"value", "db"}}));
    EXPECT_TRUE(fits({{"key", "dedicated"}, {"operator", "Exists"}}));
    EXPECT_TRUE(fits({{"operator", "Exists"}}));
    EXPECT_FALSE(fits({{"key", "dedicated"}, {"value", "web"}}));
    EXPECT_FALSE(fits({{"key", "dedicated"}, {"value", "db"}, {"effect", "NoExecute"}}));
}

TEST(PlacementTest, TwoPodsWithOneHostPortNeedTwoNodes) {
    const auto nodes = three_nodes();
    const Json spec = {
        {"containers", Json::array({{{"ports", Json::array({{{"hostPort", 80}}})}}})}};
    Placement placement(test::pointers(nodes));
    std::set<std::string> used;
    std::vector<Pod> pods;
    for (int i = 0; i < 4; ++i) pods.push_back(pod({.name = std::to_string(i), .spec = spec}));
    for (int i = 0; i < 3; ++i) used.insert(placement.place(pods[static_cast<size_t>(i)]).node);
    EXPECT_EQ(used.size(), 3U);
    EXPECT_THAT(placement.place(pods[3]).message,
                testing::HasSubstr("3 node(s) didn't have free ports for the requested pod ports"));
}

TEST(PlacementTest, AntiAffinityKeepsPodsApart) {
    const auto nodes = three_nodes();
    const Json term = {{"topologyKey", "kubernetes.io/hostname"},
                       {"labelSelector", {{"matchLabels", {{"app", "web"}}}}}};
    const Json spec = {
        {"affinity",
         {{"podAntiAffinity",
           {{"requiredDuringSchedulingIgnoredDuringExecution", Json::array({term})}}}}}};
    Placement placement(test::pointers(nodes));
    std::vector<Pod> pods;
    for (int i = 0; i < 4; ++i) pods.push_back(pod({.name = std::to_string(i), .spec = spec}));
    std::set<std::string> used;
    for (int i = 0; i < 3; ++i) used.insert(placement.place(pods[static_cast<size_t>(i)]).node);
    EXPECT_EQ(used.size(), 3U);
    EXPECT_THAT(placement.place(pods[3]).message,
                testing::HasSubstr("3 node(s) didn't match pod anti-affinity rules"));
}

}  // namespace
}  // namespace kin::controllers
