#include "policy/intervals.h"

#include <gtest/gtest.h>

#include <random>

namespace kin::policy {

namespace {
NetworkPolicyPeer block(const char* cidr, std::vector<const char*> except = {}) {
    NetworkPolicyPeer out;
    out.is_block = true;
    out.block = Cidr::parse(cidr);
    for (const char* one : except) out.except.push_back(*Cidr::parse(one));
    return out;
}

bool overlap(const nft::Range& a, const nft::Range& b) {
    for (size_t i = 0; i < a.first.size(); ++i)
        if (a.last[i] < b.first[i] || b.last[i] < a.first[i]) return false;
    return true;
}
}  // namespace

TEST(PolicyIntervalsTest, ABlockHasHolesWhereItIsExcepted) {
    const auto spans =
        spans_of(block("10.0.0.0/24", {"10.0.0.128/25", "10.0.0.8/29", "11.0.0.0/8"}));
    const std::vector<Span> wanted = {{0x0A000000, 0x0A000007}, {0x0A000010, 0x0A00007F}};
    EXPECT_EQ(spans, wanted);
    EXPECT_EQ(spans_of(block("0.0.0.0/0")), (std::vector<Span>{{0, 0xFFFFFFFF}}));
    EXPECT_TRUE(spans_of(block("10.0.0.0/24", {"10.0.0.0/16"})).empty());
    EXPECT_TRUE(spans_of(block("10.0.0.0/24", {"0.0.0.0/0"})).empty());
}

TEST(PolicyIntervalsTest, BoxesBecomeElementsThatDoNotOverlapAndHoldTheSame) {
    std::mt19937 random(1);
    const auto below = [&](uint32_t limit) { return static_cast<uint32_t>(random() % limit); };
    for (int round = 0; round < 80; ++round) {
        std::vector<Box> boxes;
        for (uint32_t n = below(6); n > 0; --n) {
            Box box;
            box.addresses.first = below(20);
            box.addresses.last = box.addresses.first + below(10);
            box.ports.first = below(20);
            box.ports.last = box.ports.first + below(10);
            box.l4 = below(2) == 0 ? nft::L4::kTcp : nft::L4::kUdp;
            box.rule = {{"x", "p"}, Direction::kIngress, n};
            boxes.push_back(box);
        }
        const nft::Elements elements = disjoint(boxes);
        for (auto a = elements.begin(); a != elements.end(); ++a)
            for (auto b = std::next(a); b != elements.end(); ++b)
                ASSERT_FALSE(overlap(a->first, b->first)) << "round " << round;
        for (uint32_t address = 0; address < 32; ++address) {
            for (uint32_t port = 0; port < 32; ++port) {
                const bool wanted = std::any_of(boxes.begin(), boxes.end(), [&](const Box& box) {
                    return box.l4 == nft::L4::kTcp && box.addresses.first <= address &&
                           address <= box.addresses.last && box.ports.first <= port &&
                           port <= box.ports.last;
                });
                const nft::Key key(address, nft::L4::kTcp, port);
                const bool held =
                    std::any_of(elements.begin(), elements.end(),
                                [&](const auto& entry) { return entry.first.contains(key); });
                ASSERT_EQ(held, wanted) << "round " << round;
            }
        }
    }
}

TEST(PolicyIntervalsTest, NeighboursOfTheSameRuleAreOneElement) {
    const RuleName rule{{"x", "p"}, Direction::kIngress, 0};
    const auto elements =
        disjoint(std::vector<std::pair<Span, RuleName>>{{{1, 5}, rule}, {{6, 9}, rule}});
    ASSERT_EQ(elements.size(), 1U);
    EXPECT_EQ(elements.begin()->first, nft::Range(nft::Key(1U), nft::Key(9U)));
    EXPECT_EQ(elements.begin()->second.comment, "x/p ingress rule 1");
}

}  // namespace kin::policy
