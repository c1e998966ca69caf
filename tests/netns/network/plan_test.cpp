#include "netns/network/plan.h"

#include <gtest/gtest.h>

#include <set>

#include "core/base/strings.h"
#include "netns/network/address_pool.h"
#include "netns/network/egress.h"

namespace kin::netns {
namespace {

std::string words(const std::vector<Route>& routes) {
    std::string out;
    for (const Route& route : routes) out += route.to_string() + '\n';
    return out;
}

TEST(NetworkPlanTest, DefaultAddressesAreThoseOfTheDocumentation) {
    const AddressPlan plan;
    EXPECT_EQ(plan.node_pods(2).to_string(), "10.244.2.0/24");
    EXPECT_EQ(plan.gateway(2).to_string(), "10.244.2.1");
    EXPECT_EQ(plan.node(1).to_string(), "172.30.0.2");
    EXPECT_EQ(plan.router().to_string(), "172.30.0.1");
    EXPECT_EQ(plan.client().to_string(), "203.0.113.10");
    EXPECT_EQ(plan.internet().to_string(), "203.0.113.20");
    EXPECT_EQ(plan.cluster_dns().to_string(), "10.96.0.10");
    EXPECT_EQ(plan.load_balancers.to_string(), "172.30.200.0/24");
}

TEST(NetworkPlanTest, NodeRoutesToTheOtherNodesPods) {
    const ClusterPlan plan = plan_cluster({}, first_nodes(3));
    EXPECT_EQ(words(plan.find("node-2")->routes),
              "default via 172.30.0.1 dev 2\n"
              "unreachable 10.244.2.0/24\n"
              "10.244.1.0/24 via 172.30.0.2 dev 2\n"
              "10.244.3.0/24 via 172.30.0.4 dev 2\n");
}

TEST(NetworkPlanTest, NodesNeedNotBeNumberedWithoutGaps) {
    const ClusterPlan plan = plan_cluster({}, {1, 4});
    EXPECT_EQ(words(plan.find("node-4")->routes),
              "default via 172.30.0.1 dev 2\n"
              "unreachable 10.244.4.0/24\n"
              "10.244.1.0/24 via 172.30.0.2 dev 2\n");
    EXPECT_FALSE(plan.find("node-2"));
}

TEST(NetworkPlanTest, NodeThatJoinsAddsToTheOthersWhatABiggerLabHasFromTheStart) {
    const std::vector<int> before{1, 2}, after{1, 2, 3};
    const NodePlan third = plan_node({}, 3, before);
    for (const char* name : {"node-1", "node-2"}) {
        const ClusterPlan small = plan_cluster({}, before), big = plan_cluster({}, after);
        std::vector<Route> routes = small.find(name)->routes;
        routes.insert(routes.end(), third.peer.routes.begin(), third.peer.routes.end());
        EXPECT_EQ(words(routes), words(big.find(name)->routes));
    }
    EXPECT_EQ(words(third.host.routes), words(plan_cluster({}, after).find("node-3")->routes));
}

TEST(NetworkPlanTest, RouterKnowsNoPods) {
    const ClusterPlan plan = plan_cluster({}, first_nodes(1));
    EXPECT_EQ(words(plan.find("router")->routes),
              "unreachable 10.244.0.0/16\nunreachable 10.96.0.0/16\nunreachable 172.30.200.0/24\n");
}

TEST(NetworkPlanTest, EveryCableEndsInANamespaceOfThePlanAndNoIndexIsUsedTwice) {
    const ClusterPlan plan = plan_cluster({}, first_nodes(50));
    std::set<std::pair<std::string, int>> indexes;
    for (const Cable& cable : plan.cables) {
        EXPECT_TRUE(plan.find(cable.here));
        EXPECT_TRUE(plan.find(cable.there));
        EXPECT_TRUE(indexes.insert({cable.here, cable.here_end.index}).second);
        EXPECT_TRUE(indexes.insert({cable.there, cable.there_end.index}).second);
    }
    for (const HostPlan& host : plan.hosts) {
        for (const LinkEnd& bridge : host.bridges) {
            EXPECT_TRUE(indexes.insert({host.name, bridge.index}).second);
        }
    }
}

TEST(NetworkPlanTest, NeighboursKnowTheMacTheOtherEndBears) {
    const ClusterPlan plan = plan_cluster({}, first_nodes(2));
    std::map<std::string, std::string> mac_of_host;
    for (const Cable& cable : plan.cables)
        mac_of_host[cable.here] = cable.here_end.mac->to_string();
    const Neighbour& router = plan.find("node-1")->neighbours.at(0);
    EXPECT_EQ(router.mac.to_string(), mac_of_host.at("router"));
    const Neighbour& node_2 = plan.find("node-1")->neighbours.at(1);
    EXPECT_EQ(node_2.mac.to_string(), mac_of_host.at("node-2"));
}

TEST(NetworkPlanTest, PodHasASlash32AndItsGatewayOnLink) {
    const AddressPlan addresses;
    const PodPlan plan = plan_pod(addresses, 2, *Ipv4::parse("10.244.2.5"), 17, "1a2b3c4d");
    EXPECT_EQ(plan.node_end.name, "veth1a2b3c4d");
    EXPECT_EQ(plan.address.bits, 32);
    EXPECT_EQ(plan.default_route.to_string(), "default via 10.244.2.1 dev 2 onlink");
    EXPECT_EQ(plan.pod_route.to_string(), "10.244.2.5/32 dev 17 src 172.30.0.3");
    EXPECT_EQ(plan.pod_end.mac->to_string(), "0a:58:0a:f4:02:05");
    EXPECT_EQ(plan.pod.mac, *plan.pod_end.mac);
    EXPECT_EQ(plan.gateway.mac, *plan.node_end.mac);
}

TEST(NetworkPlanTest, OverlappingBlocksAreRefusedByName) {
    AddressPlan plan;
    plan.services = *Cidr::parse("10.244.128.0/20");
    const auto checked = plan.check(3);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().text(),
              "the addresses of pods (10.244.0.0/16) overlap those of services (10.244.128.0/20)");
    EXPECT_FALSE(AddressPlan{}.check(254));
    EXPECT_FALSE(AddressPlan{}.check(0));
    EXPECT_TRUE(AddressPlan{}.check(253));
}

TEST(NetworkPlanTest, NodeNamesReadBack) {
    EXPECT_EQ(node_number(node_name(12)), 12);
    for (const char* other : {"node-", "node-0", "node-01", "node-x", "router", "node--1"}) {
        EXPECT_EQ(node_number(other), 0) << other;
    }
}

TEST(AddressPoolTest, FreedAddressComesAgainLast) {
    AddressPool pool(*Cidr::parse("10.244.1.0/29"));
    for (const char* expected : {"10.244.1.2", "10.244.1.3", "10.244.1.4"}) {
        EXPECT_EQ(pool.take()->to_string(), expected);
    }
    pool.give_back(*Ipv4::parse("10.244.1.3"));
    for (const char* expected : {"10.244.1.5", "10.244.1.6", "10.244.1.3"}) {
        EXPECT_EQ(pool.take()->to_string(), expected);
    }
    EXPECT_FALSE(pool.take());
}

TEST(AddressPoolTest, WishIsGrantedWhereItIsFree) {
    AddressPool pool(*Cidr::parse("10.244.1.0/24"));
    EXPECT_EQ(pool.take(*Ipv4::parse("10.244.1.77"))->to_string(), "10.244.1.77");
    EXPECT_EQ(pool.take(*Ipv4::parse("10.244.1.77"))->to_string(), "10.244.1.2");
    EXPECT_EQ(pool.take(*Ipv4::parse("10.244.9.9"))->to_string(), "10.244.1.3");
    EXPECT_EQ(pool.take(*Ipv4::parse("10.244.1.1"))->to_string(), "10.244.1.4");
}

TEST(EgressTest, OnlyTrafficToTheOutsideIsRewritten) {
    EXPECT_EQ(nft::to_text(egress_table({}, 1).chains[0].rules[0]),
              "oifname \"eth0\" ip saddr 10.244.1.0/24 ip daddr != 10.244.0.0/16 "
              "ip daddr != 172.30.0.0/24 counter snat to 172.30.0.2 fully-random "
              "comment \"pods to the outside world leave as the node\"");
}

}  // namespace
}  // namespace kin::netns
