#include "proxy/compile.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/kernel/nft_trace.h"
#include "tests/proxy/services.h"
#include "tests/support/golden.h"

namespace kin::test {
namespace {

using namespace nft;
using Outcome = Fate::Outcome;

Table table_of(std::vector<proxy::ServicePort> services) {
    return proxy::compile(node_1(), services);
}

Packet packet(const char* source, const char* destination, L4 l4, uint16_t port) {
    Packet packet;
    packet.source = ip(source);
    packet.destination = ip(destination);
    packet.l4 = l4;
    packet.source_port = 40000;
    packet.destination_port = port;
    return packet;
}

Fate forwarded(const std::vector<proxy::ServicePort>& services, const Packet& sent,
               uint32_t draw = 0) {
    const Table table = table_of(services);
    const Table* tables[] = {&table};
    TraceWorld world;
    world.draw = [draw](uint32_t modulus) { return draw % modulus; };
    return trace(tables, kForwarded, sent, world);
}

TEST(ProxyCompileTest, WithoutServicesOnlyTheSkeletonStands) {
    expect_golden("proxy/skeleton.nft", to_text(table_of({})));
}

TEST(ProxyCompileTest, ServicesAreElementsThatNameThemAndTheirPods) {
    expect_golden("proxy/services.nft", to_text(table_of({web(), dns(), none()})));
}

TEST(ProxyCompileTest, DrawLeadsToEveryEndpoint) {
    const Packet sent = packet("10.244.1.9", "10.96.0.20", L4::kTcp, 80);
    const Fate first = forwarded({web()}, sent, 0);
    const Fate second = forwarded({web()}, sent, 1);
    EXPECT_EQ(first.packet.destination, ip("10.244.1.2"));
    EXPECT_EQ(second.packet.destination, ip("10.244.2.2"));
    EXPECT_EQ(first.packet.destination_port, 8080);
    EXPECT_EQ(first.packet.source, sent.source);
}

TEST(ProxyCompileTest, NodeReachesServicesToo) {
    const Table table = table_of({dns()});
    const Table* tables[] = {&table};
    const Fate fate = trace(tables, kSent, packet("172.30.0.11", "10.96.0.10", L4::kUdp, 53));
    EXPECT_EQ(fate.packet.destination, ip("10.244.1.3"));
    EXPECT_EQ(fate.packet.source, ip("172.30.0.11"));
}

TEST(ProxyCompileTest, ServiceWithoutEndpointsIsRejected) {
    const Fate fate = forwarded({none()}, packet("10.244.1.9", "10.96.0.11", L4::kTcp, 80));
    EXPECT_EQ(fate.outcome, Outcome::kRejected);
    EXPECT_EQ(fate.steps.back().chain, "reject-chain");
}

TEST(ProxyCompileTest, OtherPortOfAClusterIpIsRejected) {
    for (const auto& [l4, port] : {std::pair{L4::kTcp, 81}, std::pair{L4::kUdp, 80}}) {
        const Packet sent = packet("10.244.1.9", "10.96.0.20", l4, static_cast<uint16_t>(port));
        EXPECT_EQ(forwarded({web()}, sent).outcome, Outcome::kRejected);
    }
}

TEST(ProxyCompileTest, UnallocatedClusterIpIsDropped) {
    const Packet sent = packet("10.244.1.9", "10.96.77.7", L4::kTcp, 80);
    EXPECT_EQ(forwarded({web()}, sent).outcome, Outcome::kDropped);
}

TEST(ProxyCompileTest, PodThatReachesItselfComesFromTheNode) {
    const Packet sent = packet("10.244.1.2", "10.96.0.20", L4::kTcp, 80);
    EXPECT_EQ(forwarded({web()}, sent, 0).packet.source, ip("172.30.0.11"));
    EXPECT_EQ(forwarded({web()}, sent, 1).packet.source, ip("10.244.1.2"));
}

TEST(ProxyCompileTest, WhatIsNoServicesKeepsItsSource) {
    const auto source_seen_by = [](const char* destination) {
        return forwarded({web()}, packet("10.244.1.9", destination, L4::kTcp, 80)).packet.source;
    };
    EXPECT_EQ(source_seen_by("203.0.113.10"), ip("10.244.1.9"));
    EXPECT_EQ(source_seen_by("172.30.0.12"), ip("10.244.1.9"));
    EXPECT_EQ(source_seen_by("10.244.2.9"), ip("10.244.1.9"));
}

TEST(ProxyCompileTest, PortsOfOneServiceShareItsClusterIp) {
    proxy::ServicePort metrics = web();
    metrics.name = "shop/web:metrics";
    metrics.port = 9090;
    const Table table = table_of({web(), metrics});
    const Elements& cluster_ips = table.find_set("cluster-ips")->elements;
    ASSERT_EQ(cluster_ips.size(), 1u);
    EXPECT_EQ(cluster_ips.begin()->second.comment, "shop/web");
    EXPECT_EQ(table.find_set("service-ips")->elements.size(), 2u);
}

TEST(ProxyCompileTest, ChainsExistPerNumberOfEndpoints) {
    proxy::ServicePort three = dns();
    three.endpoints.push_back({ip("10.244.3.3"), 53, "kube-system/coredns-c"});
    const Table table = table_of({web(), three});
    EXPECT_NE(table.find_chain("lb-2"), nullptr);
    EXPECT_NE(table.find_chain("lb-3"), nullptr);
    EXPECT_EQ(table.find_chain("lb-1"), nullptr);
}

}  // namespace
}  // namespace kin::test
