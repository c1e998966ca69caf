#include "netns/router/balancer_plan.h"

#include <gtest/gtest.h>

namespace kin::netns {
namespace {

using Names = std::vector<std::string>;
const Names kNodes{"node-1", "node-2", "node-3"};

EndpointSlice slice_with(std::vector<EndpointSlice::Endpoint> endpoints) {
    EndpointSlice slice;
    slice.endpoints = std::move(endpoints);
    return slice;
}

EndpointSlice::Endpoint endpoint(const std::string& node, bool ready = true) {
    EndpointSlice::Endpoint out;
    out.node = node;
    out.ready = ready;
    return out;
}

Service local_service() {
    Service service;
    service.external_local = true;
    return service;
}

Node node_with(bool ready, Labels labels = {}) {
    Node node;
    node.ready = ready;
    node.meta.labels = std::move(labels);
    return node;
}

TEST(BalancerPlanTest, PolicyClusterLeadsToAllNodesWhereverEndpointsAre) {
    const EndpointSlice slice = slice_with({endpoint("node-2")});
    EXPECT_EQ(nodes_behind(Service{}, {&slice}, kNodes), kNodes);
    EXPECT_EQ(nodes_behind(Service{}, {}, kNodes), kNodes);
}

TEST(BalancerPlanTest, PolicyLocalLeadsToNodesWithAReadyEndpointInAnySlice) {
    const EndpointSlice one = slice_with({endpoint("node-3"), endpoint("node-1", false)});
    const EndpointSlice two = slice_with({endpoint("node-2"), endpoint("node-3")});
    EXPECT_EQ(nodes_behind(local_service(), {&one}, kNodes), Names{"node-3"});
    EXPECT_EQ(nodes_behind(local_service(), {&one, &two}, kNodes), (Names{"node-2", "node-3"}));
}

TEST(BalancerPlanTest, PolicyLocalWithoutReadyEndpointsLeadsToAllThatThenDrop) {
    const EndpointSlice none = slice_with({endpoint("node-1", false), endpoint("node-9")});
    EXPECT_EQ(nodes_behind(local_service(), {&none}, kNodes), kNodes);
    EXPECT_EQ(nodes_behind(local_service(), {}, kNodes), kNodes);
}

TEST(BalancerPlanTest, NodesOutsideOfTheGivenOnesAreNeverChosen) {
    const EndpointSlice slice = slice_with({endpoint("node-1"), endpoint("node-2")});
    EXPECT_EQ(nodes_behind(local_service(), {&slice}, {"node-2", "node-3"}), Names{"node-2"});
    EXPECT_EQ(nodes_behind(local_service(), {&slice}, {}), Names{});
}

TEST(BalancerPlanTest, NodeTakesTrafficWhenItIsReadyAndNotLabelledAway) {
    EXPECT_TRUE(takes_traffic(node_with(true)));
    EXPECT_FALSE(takes_traffic(node_with(false)));
    EXPECT_FALSE(takes_traffic(
        node_with(true, {{"node.kubernetes.io/exclude-from-external-load-balancers", ""}})));
}

}  // namespace
}  // namespace kin::netns
