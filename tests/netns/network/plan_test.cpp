#include "netns/network/plan.h"

#include <gtest/gtest.h>

#include <set>

#include "core/base/strings.h"
#include "core/kernel/nft_trace.h"
#include "netns/network/address_pool.h"
#include "netns/network/egress.h"

namespace kin::netns {
namespace {

std::string words(const std::vector<Route>& routes) {
    std::string out;
    for (const Route& route : routes) out += route.to_string() + '\n';
    return out;
}

NetworkShape shape(std::string_view attachment, std::string_view overlay) {
    return {{}, find_attachment(attachment), find_overlay(overlay)};
}

/// All there are.
std::vector<NetworkShape> shapes() {
    std::vector<NetworkShape> out;
    for (const Attachment* attachment : attachments()) {
        for (const Overlay* overlay : overlays()) out.push_back({{}, attachment, overlay});
    }
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
    for (const NetworkShape& shape : shapes()) {
        const ClusterPlan small = plan_cluster(shape, before), big = plan_cluster(shape, after);
        for (const int node : before) {
            HostPlan grown = *small.find(node_name(node));
            append(grown, plan_peer(shape, node, 3));
            const HostPlan& wanted = *big.find(node_name(node));
            EXPECT_EQ(words(grown.routes), words(wanted.routes));
            EXPECT_EQ(grown.neighbours, wanted.neighbours);
            EXPECT_EQ(grown.forwarding, wanted.forwarding);
        }
        EXPECT_EQ(words(plan_node(shape, 3, before).host.routes),
                  words(big.find("node-3")->routes));
    }
}

TEST(NetworkPlanTest, WaysAreFoundByTheirNamesOnly) {
    EXPECT_EQ(NetworkShape{}.attachment, find_attachment("ptp"));
    EXPECT_EQ(NetworkShape{}.overlay, find_overlay("none"));
    for (const Attachment* each : attachments()) EXPECT_EQ(find_attachment(each->name()), each);
    for (const Overlay* each : overlays()) EXPECT_EQ(find_overlay(each->name()), each);
    EXPECT_FALSE(find_attachment("vxlan"));
    EXPECT_FALSE(find_overlay(""));
}

TEST(NetworkPlanTest, BridgedNodeHasOneRouteToItsPods) {
    const ClusterPlan plan = plan_cluster(shape("bridge", "none"), first_nodes(2));
    const HostPlan& node = *plan.find("node-2");
    EXPECT_EQ(words(node.routes),
              "default via 172.30.0.1 dev 2\n"
              "10.244.2.0/24 dev 3 src 172.30.0.3\n"
              "10.244.1.0/24 via 172.30.0.2 dev 2\n");
    ASSERT_EQ(node.bridges.size(), 1u);
    EXPECT_EQ(node.bridges[0].name, "cni0");
    EXPECT_EQ(node.addresses.back(), (LinkAddress{3, *Ipv4::parse("10.244.2.1"), 24}));
    EXPECT_TRUE(plan.find("router")->tunnels.empty());
}

TEST(NetworkPlanTest, TunnelLeadsToTheNodeOfThePods) {
    const ClusterPlan plan = plan_cluster(shape("ptp", "vxlan"), first_nodes(2));
    const HostPlan& node = *plan.find("node-2");
    EXPECT_EQ(words(node.routes),
              "default via 172.30.0.1 dev 2\n"
              "unreachable 10.244.2.0/24\n"
              "10.244.1.0/24 via 10.244.1.0 dev 4 src 172.30.0.3 onlink\n");
    ASSERT_EQ(node.tunnels.size(), 1u);
    EXPECT_EQ(node.tunnels[0].local, *Ipv4::parse("172.30.0.3"));
    const Mac far = *plan.find("node-1")->tunnels.at(0).end.mac;
    EXPECT_EQ(node.forwarding, (std::vector<Forwarding>{{4, far, Ipv4::parse("172.30.0.2")}}));
    EXPECT_EQ(node.neighbours.back(), (Neighbour{4, *Ipv4::parse("10.244.1.0"), far}));
}

TEST(NetworkPlanTest, TunnelTakesDatagramsOfNodesOnly) {
    const ClusterPlan plan = plan_cluster(shape("ptp", "vxlan"), first_nodes(2));
    const nft::Table table = rules_of(*plan.find("node-1"));
    const auto fate = [&](const char* in, const char* source, uint16_t port = 4789) {
        nft::Packet packet;
        packet.source = *Ipv4::parse(source);
        packet.l4 = nft::L4::kUdp;
        packet.destination_port = port;
        packet.in = in;
        const nft::Table* const tables[] = {&table};
        return nft::trace(tables, nft::Hook::kInput, packet).outcome;
    };
    using enum nft::Fate::Outcome;
    EXPECT_EQ(fate("eth0", "172.30.0.3"), kAccepted);
    EXPECT_EQ(fate("eth0", "172.30.0.1"), kDropped);
    EXPECT_EQ(fate("eth0", "10.244.2.2"), kDropped);
    EXPECT_EQ(fate("eth0", "203.0.113.10"), kDropped);
    EXPECT_EQ(fate("veth1", "10.244.1.2"), kDropped);
    EXPECT_EQ(fate("veth1", "10.244.1.2", 53), kAccepted);
    EXPECT_EQ(plan.find("router")->checked, std::vector<int>{3});
    EXPECT_FALSE(rules_of(*plan_cluster({}, {1}).find("node-1")).find_chain("input"));
}

TEST(NetworkPlanTest, BridgedNodeKnowsWhichPodHasWhichMac) {
    const ClusterPlan plan = plan_cluster(shape("bridge", "none"), first_nodes(2));
    const nft::Table table = rules_of(*plan.find("node-2"));
    const auto fate = [&](const char* in, const char* mac, const char* source) {
        nft::Packet packet;
        packet.source_mac = Ipv4::parse(mac)->value;
        packet.source = *Ipv4::parse(source);
        packet.in = in;
        const nft::Table* const tables[] = {&table};
        return nft::trace(tables, nft::Hook::kPrerouting, packet).outcome;
    };
    using enum nft::Fate::Outcome;
    for (const char* pod : {"10.244.2.2", "10.244.2.254"}) {
        EXPECT_EQ(fate("cni0", pod, pod), kAccepted) << pod;
    }
    EXPECT_EQ(fate("cni0", "10.244.2.2", "10.244.2.3"), kDropped);
    EXPECT_EQ(fate("cni0", "10.244.2.1", "10.244.2.1"), kDropped);
    EXPECT_EQ(fate("cni0", "10.244.1.2", "10.244.1.2"), kDropped);
    EXPECT_EQ(fate("eth0", "172.30.0.2", "10.244.1.2"), kAccepted);
}

TEST(NetworkPlanTest, BridgedPodIsAnIsolatedPortWithAFixedMac) {
    const Ipv4 pod = *Ipv4::parse("10.244.2.5");
    const PodPlan plan = plan_pod(shape("bridge", "vxlan"), 2, pod, 17, "1a2b3c4d");
    EXPECT_EQ(plan.mtu_bytes, 1450u);
    EXPECT_EQ(plan.address.bits, 32);
    EXPECT_EQ(plan.default_route.to_string(), "default via 10.244.2.1 dev 2 onlink");
    EXPECT_EQ(plan.gateway.mac, mac_of(*Ipv4::parse("10.244.2.1")));
    ASSERT_EQ(plan.node.ports.size(), 1u);
    EXPECT_EQ(plan.node.ports[0].trust, HostPlan::Port::Trust::kIsolated);
    EXPECT_EQ(plan.node.forwarding, (std::vector<Forwarding>{{17, *plan.pod_end.mac, {}}}));
    EXPECT_EQ(plan.node.neighbours, (std::vector<Neighbour>{{3, pod, *plan.pod_end.mac}}));
    EXPECT_TRUE(plan.node.routes.empty());
}

TEST(NetworkPlanTest, RouterKnowsNoPods) {
    const ClusterPlan plan = plan_cluster({}, first_nodes(1));
    EXPECT_EQ(words(plan.find("router")->routes),
              "unreachable 10.244.0.0/16\nunreachable 10.96.0.0/16\nunreachable 172.30.200.0/24\n");
}

TEST(NetworkPlanTest, EveryCableEndsInANamespaceOfThePlanAndNoIndexIsUsedTwice) {
    const ClusterPlan plan = plan_cluster(shape("bridge", "vxlan"), first_nodes(50));
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
        for (const Vxlan& tunnel : host.tunnels) {
            EXPECT_TRUE(indexes.insert({host.name, tunnel.end.index}).second);
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
    const PodPlan plan = plan_pod({}, 2, *Ipv4::parse("10.244.2.5"), 17, "1a2b3c4d");
    EXPECT_EQ(plan.node_end.name, "veth1a2b3c4d");
    EXPECT_EQ(plan.address.bits, 32);
    EXPECT_EQ(plan.default_route.to_string(), "default via 10.244.2.1 dev 2 onlink");
    EXPECT_EQ(words(plan.node.routes), "10.244.2.5/32 dev 17 src 172.30.0.3\n");
    EXPECT_EQ(plan.node.checked, std::vector<int>{17});
    EXPECT_EQ(plan.mtu_bytes, 0u);
    EXPECT_EQ(plan.pod_end.mac->to_string(), "0a:58:0a:f4:02:05");
    EXPECT_EQ(plan.node.neighbours.at(0).mac, *plan.pod_end.mac);
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
    EXPECT_EQ(nft::to_text(leave_as_node({}, 1).rules[0]),
              "oifname \"eth0\" ip saddr 10.244.1.0/24 ip daddr != 10.244.0.0/16 "
              "ip daddr != 172.30.0.0/24 counter snat to 172.30.0.2 fully-random "
              "comment \"pods to the outside world leave as the node\"");
}

}  // namespace
}  // namespace kin::netns
