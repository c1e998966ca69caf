#include "core/kernel/nft_trace.h"

#include <gtest/gtest.h>

#include "tests/core/kernel/sample_table.h"

namespace kin::test {
namespace {

using namespace nft;
using Outcome = Fate::Outcome;

Packet packet_to(const char* address, L4 l4, uint16_t port) {
    Packet packet;
    packet.source = ip("10.244.1.9");
    packet.destination = ip(address);
    packet.l4 = l4;
    packet.source_port = 40000;
    packet.destination_port = port;
    packet.in = "veth9";
    return packet;
}

Fate trace_forward(const Table& table, const Packet& packet, uint32_t draw = 0) {
    TraceWorld world;
    world.draw = [draw](uint32_t modulus) { return draw % modulus; };
    const Table* tables[] = {&table};
    return trace(tables, kForwarded, packet, world);
}

TEST(NftTraceTest, DrawDecidesTheEndpoint) {
    const Packet packet = packet_to("10.96.0.10", L4::kUdp, 53);
    EXPECT_EQ(trace_forward(service_table(), packet, 0).packet.destination, ip("10.244.1.2"));
    EXPECT_EQ(trace_forward(service_table(), packet, 1).packet.destination, ip("10.244.1.3"));
}

TEST(NftTraceTest, StepsNameTheElementsAndTheirObjects) {
    const Fate fate = trace_forward(service_table(), packet_to("10.96.0.10", L4::kUdp, 53));
    ASSERT_EQ(fate.steps.size(), 3u);
    EXPECT_EQ(fate.steps[0].text, "jump services");
    EXPECT_EQ(fate.steps[1].chain, "services");
    EXPECT_EQ(fate.steps[1].text,
              "ip daddr . meta l4proto . th dport vmap @service-ips -> 10.96.0.10 . udp . 53 "
              "counter comment \"kube-system/kube-dns:dns\" : goto lb-2");
    EXPECT_EQ(fate.steps[2].chain, "lb-2");
    EXPECT_TRUE(fate.packet.dnatted);
}

TEST(NftTraceTest, ServiceWithoutEndpointsIsRejected) {
    const Fate fate = trace_forward(service_table(), packet_to("10.96.0.11", L4::kTcp, 80));
    EXPECT_EQ(fate.outcome, Outcome::kRejected);
    EXPECT_EQ(fate.steps.back().chain, "reject-chain");
}

TEST(NftTraceTest, OtherPortsAndKnownConnectionsPassUntouched) {
    const Packet other = packet_to("10.96.0.10", L4::kTcp, 53);
    EXPECT_EQ(trace_forward(service_table(), other).packet, other);
    Packet established = packet_to("10.96.0.10", L4::kUdp, 53);
    established.ct_state = kCtEstablished;
    EXPECT_EQ(trace_forward(service_table(), established).packet, established);
}

/// A table with one filter chain of these rules.
Table filter_of(std::vector<Rule> rules, Verdict::Kind policy = Verdict::Kind::kAccept) {
    Table table;
    table.name = "t";
    table.sets = every_statement_table().sets;
    table.chains = {
        {"input", Base{Base::Type::kFilter, Hook::kInput, 0, policy}, std::move(rules), ""},
        {"empty", {}, {}, ""},
        {"returns", {}, {{{return_()}, ""}, {{drop()}, ""}}, ""},
        {"drops", {}, {{{drop()}, ""}}, ""}};
    return table;
}

Outcome outcome_of(std::vector<Statement> statements, Packet packet,
                   Verdict::Kind policy = Verdict::Kind::kAccept) {
    const Table table = filter_of({{std::move(statements), ""}}, policy);
    const Table* tables[] = {&table};
    return trace(tables, Hook::kInput, packet).outcome;
}

TEST(NftTraceTest, MatchesDecideWhetherARuleApplies) {
    const Packet packet = packet_to("10.0.0.1", L4::kTcp, 85);
    const auto dropped = [&](const Statement& match) {
        return outcome_of({match, drop()}, packet) == Outcome::kDropped;
    };
    EXPECT_TRUE(dropped(AddressMatch{Side::kSource, cidr("10.244.0.0/16")}));
    EXPECT_FALSE(dropped(AddressMatch{Side::kSource, cidr("10.244.0.0/16"), Sense::kIsNot}));
    EXPECT_TRUE(dropped(PortMatch{L4::kTcp, Side::kDestination, 80, 90}));
    EXPECT_FALSE(dropped(PortMatch{L4::kUdp, Side::kDestination, 80, 90}));
    EXPECT_TRUE(dropped(InterfaceMatch{Direction::kIn, "veth*"}));
    EXPECT_FALSE(dropped(InterfaceMatch{Direction::kIn, "veth"}));
    EXPECT_TRUE(dropped(SetMatch{{kSourceAddress, kProtocol, kDestinationPort}, "peers"}));
    EXPECT_FALSE(dropped(SetMatch{{kSourceAddress}, "addresses"}));
    EXPECT_FALSE(dropped(MarkMatch{0x4000, 0x4000}));
    EXPECT_FALSE(dropped(CtDnatMatch{}));
}

TEST(NftTraceTest, JumpComesBackAndGotoDoesNot) {
    const Packet packet = packet_to("10.0.0.1", L4::kTcp, 85);
    const auto outcome = [&](const Verdict& first) {
        const Table table = filter_of({{{first}, ""}, {{Reject{}}, ""}}, Verdict::Kind::kAccept);
        const Table* tables[] = {&table};
        return trace(tables, Hook::kInput, packet).outcome;
    };
    EXPECT_EQ(outcome(jump("empty")), Outcome::kRejected);
    EXPECT_EQ(outcome(jump("returns")), Outcome::kRejected);
    EXPECT_EQ(outcome(goto_("empty")), Outcome::kAccepted);
    EXPECT_EQ(outcome(jump("drops")), Outcome::kDropped);
}

TEST(NftTraceTest, PolicyDecidesWhatNoRuleDid) {
    const Packet packet = packet_to("10.0.0.1", L4::kTcp, 85);
    EXPECT_EQ(outcome_of({Counter{}}, packet, Verdict::Kind::kDrop), Outcome::kDropped);
    EXPECT_EQ(outcome_of({accept()}, packet, Verdict::Kind::kDrop), Outcome::kAccepted);
}

}  // namespace
}  // namespace kin::test
