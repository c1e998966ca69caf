#include "proxy/connections.h"

#include <gtest/gtest.h>

#include "tests/proxy/services.h"

namespace kin::test {
namespace {

nft::Count count(const nft::Key& key, uint64_t packets) {
    return {nft::Range(key), "", packets, 0};
}

TEST(ConnectionsTest, EveryWayToAnEndpointCounts) {
    proxy::ServicePort port = web();
    port.node_port = 30'080;
    port.balanced_ips = {ip("172.30.200.1")};
    const nft::Key cluster(port.cluster_ip, port.l4, uint32_t{port.port});
    const nft::Key balanced(ip("172.30.200.1"), port.l4, uint32_t{port.port});
    const nft::Key node(port.l4, uint32_t{port.node_port});
    proxy::EndpointCounts counts;
    counts.add("endpoints",
               {count(cluster.with(0), 3), count(cluster.with(1), 4), count(balanced.with(1), 10)});
    counts.add("nodeport-endpoints", {count(node.with(0), 100)});
    proxy::Connections out;
    add_connections("node-1", {&port, 1}, counts, out);
    EXPECT_EQ(out, (proxy::Connections{{port.endpoints[0].pod, 103}, {port.endpoints[1].pod, 14}}));
    add_connections("node-2", {&port, 1}, counts, out);
    EXPECT_EQ(out[port.endpoints[0].pod], 206u) << "nodes add up";
}

TEST(ConnectionsTest, LocalPoliciesCountTheirOwnEndpoints) {
    proxy::ServicePort port = web();
    port.external = proxy::TrafficPolicy::kLocal;
    port.balanced_ips = {ip("172.30.200.1")};
    port.local["node-2"] = {port.endpoints[1]};
    const nft::Key balanced(ip("172.30.200.1"), port.l4, uint32_t{port.port});
    proxy::EndpointCounts counts;
    counts.add("local-endpoints", {count(balanced.with(0), 7)});
    proxy::Connections here, there;
    add_connections("node-2", {&port, 1}, counts, here);
    add_connections("node-1", {&port, 1}, counts, there);
    EXPECT_EQ(here, (proxy::Connections{{port.endpoints[1].pod, 7}}));
    EXPECT_TRUE(there.empty());
}

TEST(ConnectionsTest, WhatNobodyUsedAndAffinityAreLeftOut) {
    proxy::ServicePort port = web();
    const nft::Key cluster(port.cluster_ip, port.l4, uint32_t{port.port});
    proxy::EndpointCounts counts;
    counts.add("endpoints", {count(cluster.with(0), 0)});
    proxy::Connections out;
    add_connections("node-1", {&port, 1}, counts, out);
    EXPECT_TRUE(out.empty());
    counts.add("endpoints", {count(cluster.with(0), 5)});
    port.affinity_s = 10;
    add_connections("node-1", {&port, 1}, counts, out);
    EXPECT_TRUE(out.empty());
}

}  // namespace
}  // namespace kin::test
