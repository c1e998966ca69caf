#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/strings.h"
#include "core/kernel/nodes.h"
#include "core/kernel/rtnl.h"
#include "tests/core/kernel/sample_table.h"
#include "tests/support/lab_namespace.h"

namespace kin::test {
namespace {

const Mac kHostMac{{2, 0, 0, 0, 0, 1}};
const Mac kPodMac{{2, 0, 0, 0, 0, 2}};

class RtnlLabTest : public testing::Test {
protected:
    void SetUp() override {
        KIN_REQUIRE_LAB();
        auto node = KernelNode::create("node");
        ASSERT_TRUE(node) << node.error().text();
        node_.emplace(std::move(node).value());
        auto pod = KernelNode::create("pod");
        ASSERT_TRUE(pod);
        pod_.emplace(std::move(pod).value());
    }
    Rtnl& node() { return node_->rtnl; }
    Rtnl& pod() { return pod_->rtnl; }

    VethPair wire() const {
        return {{"veth5", 5, kHostMac}, {"eth0", 2, kPodMac}, &pod_->netns, 1450};
    }

    std::optional<KernelNode> node_, pod_;
};

TEST_F(RtnlLabTest, VethIsBornInBothNamespacesAsChosen) {
    ASSERT_DONE(node().apply(RtnlBatch().add_veth(wire()).set_up(5)));
    const auto here = node().link("veth5");
    const auto there = pod().link("eth0");
    ASSERT_TRUE(here && there);
    EXPECT_EQ(here->index, 5);
    EXPECT_EQ(here->kind, "veth");
    EXPECT_EQ(here->mac, kHostMac);
    EXPECT_EQ(here->peer, 2);
    EXPECT_TRUE(here->up);
    EXPECT_EQ(there->index, 2);
    EXPECT_EQ(there->mac, kPodMac);
    EXPECT_EQ(there->mtu_bytes, 1450u);
    EXPECT_FALSE(there->up);
}

TEST_F(RtnlLabTest, RoutedPodIsReachedThroughOneBatchPerNamespace) {
    ASSERT_DONE(node().apply(RtnlBatch()
                                 .add_veth(wire())
                                 .set_up(1)
                                 .set_up(5)
                                 .add_address({1, ip("10.244.1.1"), 32})
                                 .set_route({cidr("10.244.1.2/32"), {{{}, 5}}, {}, {}})
                                 .set_neighbour({5, ip("10.244.1.2"), kPodMac})));
    ASSERT_DONE(pod().apply(
        RtnlBatch()
            .set_up(1)
            .set_up(2)
            .add_address({2, ip("10.244.1.2"), 32})
            .set_route({cidr("0.0.0.0/0"), {{ip("10.244.1.1"), 2}}, {}, Route::Gateway::kOnLink})
            .set_neighbour({2, ip("10.244.1.1"), kHostMac})));
    const auto pinged = pod_->netns.enter([] {
        return Result<std::string>(shell("ping -c1 -W2 10.244.1.1 | grep -c ' 0% packet'"));
    });
    EXPECT_EQ(pinged.value(), "1\n");
    const auto routes = pod().routes();
    ASSERT_TRUE(routes);
    ASSERT_EQ(routes->size(), 1u);
    EXPECT_EQ(routes->front().to_string(), "default via 10.244.1.1 dev 2 onlink");
    EXPECT_EQ(node().neighbours().value(),
              (std::vector<Neighbour>{{5, ip("10.244.1.2"), kPodMac}}));
}

TEST_F(RtnlLabTest, FailingChangeIsNamedAndTheOthersAreCarriedOut) {
    const auto done =
        node().apply(RtnlBatch().add_bridge({"br0", 7, {}}).set_bridge(99, 7).set_up(7));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code(), Errc::kNotFound);
    EXPECT_TRUE(done.error().text().starts_with("make link 99 a port of bridge 7: kernel"))
        << done.error().text();
    EXPECT_TRUE(node().link("br0").value().up);
}

TEST_F(RtnlLabTest, TakenNameIsExists) {
    ASSERT_DONE(node().apply(RtnlBatch().add_bridge({"br0", 0, {}})));
    const auto again = node().apply(RtnlBatch().add_bridge({"br0", 0, {}}));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code(), Errc::kExists);
}

TEST_F(RtnlLabTest, BridgePortsCanBeIsolated) {
    ASSERT_DONE(node().apply(RtnlBatch()
                                 .add_bridge({"br0", 7, kHostMac})
                                 .add_veth({{"p1", 8, {}}, {"eth0", 2, {}}, &pod_->netns, 0})
                                 .set_bridge(8, 7)
                                 .isolate_port(8)));
    EXPECT_EQ(node().link("p1").value().bridge, 7);
    EXPECT_TRUE(node().link("p1").value().locked);
    const auto shown = node_->netns.enter([] {
        return Result<std::string>(
            shell("bridge -d link show dev p1 | grep -Eo '(isolated|learning|locked) o[nf]+'"));
    });
    EXPECT_EQ(shown.value(), "learning off\nisolated on\nlocked on\n");
}

TEST_F(RtnlLabTest, IsolatedPortTakesFramesOfKnownMacsOnly) {
    ASSERT_DONE(node().apply(RtnlBatch()
                                 .add_bridge({"br0", 7, kHostMac})
                                 .add_veth({{"p1", 8, {}}, {"eth0", 2, kPodMac}, &pod_->netns, 0})
                                 .set_bridge(8, 7)
                                 .isolate_port(8)
                                 .add_address({7, ip("10.0.0.1"), 24})
                                 .set_up(7)
                                 .set_up(8)));
    ASSERT_DONE(pod().apply(RtnlBatch().set_up(2).add_address({2, ip("10.0.0.2"), 24})));
    const auto answers = [&] {
        return pod_->netns
            .enter([] {
                return Result<std::string>(shell("ping -c1 -W1 10.0.0.1 | grep -c ' 0% packet'"));
            })
            .value();
    };
    EXPECT_EQ(answers(), "0\n");
    const Forwarding known{8, kPodMac, {}};
    ASSERT_DONE(node().apply(RtnlBatch().set_forwarding(known).set_forwarding(known)));
    EXPECT_EQ(node().forwarding().value(), std::vector<Forwarding>{known});
    EXPECT_EQ(answers(), "1\n");
    for (int turn = 0; turn < 2; ++turn) {
        ASSERT_DONE(node().apply(RtnlBatch().delete_forwarding(known)));
    }
    EXPECT_TRUE(node().forwarding().value().empty());
    EXPECT_EQ(answers(), "0\n");
}

TEST_F(RtnlLabTest, VxlanCarriesPacketsWhereForwardingEntriesSay) {
    const auto end = [](KernelNode& host, int wire, const char* own, const char* other) {
        const Mac far = std::string_view(other) == "10.0.0.1" ? kHostMac : kPodMac;
        Vxlan tunnel{{"vxlan.1", 9, std::string_view(own) == "10.0.0.1" ? kHostMac : kPodMac},
                     1,
                     ip(own),
                     wire,
                     4789,
                     1450};
        const Ipv4 inner = ip(own).plus(0x10000), far_inner = ip(other).plus(0x10000);
        return host.rtnl.apply(
            RtnlBatch()
                .set_up(wire)
                .add_address({wire, ip(own), 24})
                .add_vxlan(tunnel)
                .add_address({9, inner, 32})
                .set_up(9)
                .set_neighbour({9, far_inner, far})
                .set_forwarding({9, far, ip(other)})
                .set_route({{far_inner, 32}, {{far_inner, 9}}, inner, Route::Gateway::kOnLink}));
    };
    ASSERT_DONE(
        node().apply(RtnlBatch().add_veth({{"veth5", 5, {}}, {"eth0", 2, {}}, &pod_->netns, 0})));
    ASSERT_DONE(end(*node_, 5, "10.0.0.1", "10.0.0.2"));
    ASSERT_DONE(end(*pod_, 2, "10.0.0.2", "10.0.0.1"));
    EXPECT_EQ(node().link("vxlan.1").value().mtu_bytes, 1450u);
    EXPECT_EQ(node().link("vxlan.1").value().kind, "vxlan");
    EXPECT_EQ(node().forwarding().value(), (std::vector<Forwarding>{{9, kPodMac, ip("10.0.0.2")}}));
    const auto ping = [&](const std::string& more) {
        return node_->netns
            .enter([&] { return Result<std::string>(shell("ping -c1 -W1 -M do " + more)); })
            .value();
    };
    EXPECT_NE(ping("-s 1422 10.1.0.2").find(" 0% packet loss"), std::string::npos);
    EXPECT_NE(ping("-s 1423 10.1.0.2").find("mtu=1450"), std::string::npos);
    for (int turn = 0; turn < 2; ++turn) {
        ASSERT_DONE(node().apply(RtnlBatch().delete_forwarding({9, kPodMac, ip("10.0.0.2")})));
    }
    EXPECT_TRUE(node().forwarding().value().empty());
    EXPECT_EQ(ping("10.1.0.2").find(" 0% packet loss"), std::string::npos);
}

TEST_F(RtnlLabTest, CheckedLinkTakesPacketsOnlyOfSendersBehindIt) {
    // The way back to 10.9.0.2 is another link than the one it comes by.
    ASSERT_DONE(node().apply(RtnlBatch()
                                 .add_veth(wire())
                                 .set_up(1)
                                 .set_up(5)
                                 .add_address({5, ip("10.0.0.1"), 24})
                                 .set_route({cidr("10.9.0.0/24"), {{{}, 1}}, {}, {}})));
    ASSERT_DONE(pod().apply(RtnlBatch()
                                .set_up(2)
                                .add_address({2, ip("10.0.0.2"), 24})
                                .add_address({2, ip("10.9.0.2"), 32})));
    const auto received = [&] {
        return node_->netns
            .enter([] {
                return Result<std::string>(
                    shell("nstat -asz IcmpInEchos | awk '/IcmpInEchos/ {print $2}'"));
            })
            .value();
    };
    const auto ping_as = [&](const std::string& from) {
        return pod_->netns.enter(
            [&] { return Result<std::string>(shell("ping -c1 -W1 10.0.0.1 -I " + from)); });
    };
    ASSERT_TRUE(ping_as("10.0.0.2"));
    ASSERT_TRUE(ping_as("10.9.0.2"));
    EXPECT_EQ(received(), "2\n");
    ASSERT_DONE(node().apply(RtnlBatch().check_senders(5)));
    EXPECT_EQ(node_->netns.read_sysctl("net/ipv4/conf/veth5/rp_filter").value(), "1");
    EXPECT_EQ(node_->netns.read_sysctl("net/ipv4/conf/all/rp_filter").value(), "0");
    ASSERT_TRUE(ping_as("10.9.0.2"));
    EXPECT_EQ(received(), "2\n");
    ASSERT_TRUE(ping_as("10.0.0.2"));
    EXPECT_EQ(received(), "3\n");
}

TEST_F(RtnlLabTest, RoutesCanShareTrafficAndAreReplaced) {
    ASSERT_DONE(node().apply(
        RtnlBatch().add_bridge({"br0", 7, {}}).set_up(7).add_address({7, ip("172.30.0.1"), 24})));
    const Cidr pool = cidr("172.30.200.0/24");
    const Route shared{pool, {{ip("172.30.0.2"), 7}, {ip("172.30.0.3"), 7}}, {}, {}};
    ASSERT_DONE(node().apply(RtnlBatch().set_route(shared)));
    auto routes = node().routes().value();
    EXPECT_NE(std::ranges::find(routes, shared), routes.end());
    const Route single{pool, {{ip("172.30.0.2"), 7}}, ip("172.30.0.1"), {}};
    ASSERT_DONE(node().apply(RtnlBatch().set_route(single)));
    routes = node().routes().value();
    EXPECT_NE(std::ranges::find(routes, single), routes.end());
    EXPECT_EQ(std::ranges::find(routes, shared), routes.end());
}

TEST_F(RtnlLabTest, RouteWithoutHopsIsUnreachable) {
    const Route nowhere{cidr("10.96.0.0/16"), {}, {}, {}};
    ASSERT_DONE(node().apply(RtnlBatch().set_up(1).set_route(nowhere)));
    const auto routes = node().routes().value();
    ASSERT_EQ(routes.size(), 1u);
    EXPECT_EQ(routes[0].to_string(), "unreachable 10.96.0.0/16");
}

TEST_F(RtnlLabTest, TakingAwayTwiceIsSuccess) {
    ASSERT_DONE(node().apply(RtnlBatch()
                                 .add_veth(wire())
                                 .set_up(5)
                                 .add_address({5, ip("10.0.0.1"), 24})
                                 .set_neighbour({5, ip("10.0.0.2"), kPodMac})
                                 .set_route({cidr("10.5.0.0/16"), {{ip("10.0.0.2"), 5}}, {}, {}})));
    for (int turn = 0; turn < 2; ++turn) {
        ASSERT_DONE(node().apply(RtnlBatch()
                                     .delete_route(cidr("10.5.0.0/16"))
                                     .delete_neighbour(5, ip("10.0.0.2"))
                                     .delete_address({5, ip("10.0.0.1"), 24})));
    }
    EXPECT_TRUE(node().addresses().value().empty());
    for (int turn = 0; turn < 2; ++turn) {
        ASSERT_DONE(node().apply(RtnlBatch().delete_link(5)));
        ASSERT_DONE(node().delete_link("veth5"));
    }
    EXPECT_EQ(pod().link("eth0").error().code(), Errc::kNotFound);
}

TEST_F(RtnlLabTest, ManyChangesFitBecauseTheyAreSentInParts) {
    RtnlBatch batch;
    batch.add_bridge({"br0", 7, {}}).set_up(7);
    for (uint32_t host = 0; host < 3000; ++host)
        batch.add_address({7, ip("10.0.0.0").plus(host + 1), 16});
    ASSERT_DONE(node().apply(batch));
    EXPECT_EQ(node().addresses().value().size(), 3000u);
}

}  // namespace
}  // namespace kin::test
