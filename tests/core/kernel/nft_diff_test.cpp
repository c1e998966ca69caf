#include <gtest/gtest.h>

#include "core/kernel/nft_change.h"
#include "tests/core/kernel/sample_table.h"

namespace kin::test {
namespace {

using namespace nft;

const Key kDns(ip("10.96.0.10"), L4::kUdp, 53u);

TEST(NftDiffTest, EqualTablesDifferByNothing) {
    EXPECT_TRUE(difference(service_table(), service_table()).empty());
}

TEST(NftDiffTest, OneMovedEndpointIsOneElementOutAndOneIn) {
    Table to = service_table();
    to.find_set("endpoints")->elements.at(kDns.with(1)) = {Key(ip("10.244.2.7"), 53u), "new"};
    const Change change = difference(service_table(), to);
    ASSERT_EQ(change.elements.size(), 1u);
    EXPECT_EQ(change.elements[0].set.name, "endpoints");
    EXPECT_EQ(change.elements[0].removed, std::vector<Range>{kDns.with(1)});
    ASSERT_EQ(change.elements[0].added.size(), 1u);
    EXPECT_EQ(change.elements[0].added[0].second.comment, "new");
    EXPECT_EQ(change.element_count(), 2u);
    EXPECT_TRUE(change.rewritten_chains.empty());
}

TEST(NftDiffTest, ChangedRuleRewritesItsChainOnly) {
    Table to = service_table();
    to.chains[1].rules[0].comment = "nobody home";
    const Change change = difference(service_table(), to);
    ASSERT_EQ(change.rewritten_chains.size(), 1u);
    EXPECT_EQ(change.rewritten_chains[0].name, "reject-chain");
    EXPECT_EQ(change.element_count(), 0u);
}

TEST(NftDiffTest, AddedAndRemovedObjectsAreNamed) {
    Table to = service_table();
    to.chains.push_back({"lb-3", {}, {}, ""});
    to.sets.push_back({{"new-set", {kSourceAddress}, {}, {}, {}, ""}, {{Key(ip("1.2.3.4")), {}}}});
    const Change there = difference(service_table(), to);
    ASSERT_EQ(there.added_chains.size(), 1u);
    ASSERT_EQ(there.added_sets.size(), 1u);
    EXPECT_EQ(there.element_count(), 1u);
    const Change back = difference(to, service_table());
    EXPECT_EQ(back.removed_chains, std::vector<std::string>{"lb-3"});
    EXPECT_EQ(back.removed_sets, std::vector<std::string>{"new-set"});
    EXPECT_EQ(back.element_count(), 0u);
}

TEST(NftDiffTest, ChangedShapeOrHookRebuildsTheTable) {
    Table other_key = service_table();
    other_key.sets[0].shape.comment = "other";
    EXPECT_EQ(difference(service_table(), other_key), whole(other_key));
    Table other_hook = service_table();
    other_hook.chains[3].base->priority = -111;
    EXPECT_EQ(difference(service_table(), other_hook), whole(other_hook));
}

Table table_of(uint32_t services) {
    Table table = service_table();
    for (Set& set : table.sets) set.elements.clear();
    for (uint32_t index = 0; index < services; ++index) {
        const Key key(ip("10.96.1.0").plus(index), L4::kTcp, 80u);
        table.sets[0].elements.emplace(key, Element{goto_("lb-2"), "ns/service"});
        for (const uint32_t endpoint : {0u, 1u})
            table.sets[1].elements.emplace(key.with(endpoint),
                                           Element{Key(ip("10.244.1.2"), 80u), "ns/pod"});
    }
    return table;
}

TEST(NftSplitTest, SmallChangeIsOnePiece) {
    const auto pieces = split(whole(service_table()), 100'000);
    ASSERT_EQ(pieces.size(), 1u);
    EXPECT_EQ(pieces[0], whole(service_table()));
}

TEST(NftSplitTest, LargeTableIsDormantUntilItsLastPiece) {
    const auto pieces = split(whole(table_of(1000)), 20'000);
    ASSERT_GT(pieces.size(), 5u);
    EXPECT_EQ(pieces.front().hooked, Change::Hooked::kDormant);
    EXPECT_EQ(pieces.front().element_count(), 0u);
    EXPECT_EQ(pieces.back().hooked, Change::Hooked::kAwake);
    size_t elements = 0;
    for (const Change& piece : pieces) elements += piece.element_count();
    EXPECT_EQ(elements, 3000u);
}

TEST(NftSplitTest, ElementsOfOneServiceStayTogether) {
    std::map<uint32_t, size_t> piece_of_address;
    const auto pieces = split(difference(table_of(0), table_of(1000)), 20'000);
    for (size_t piece = 0; piece < pieces.size(); ++piece)
        for (const ElementChange& change : pieces[piece].elements)
            for (const auto& [range, element] : change.added)
                EXPECT_EQ(piece_of_address.emplace(range.first[0], piece).first->second, piece);
    EXPECT_EQ(piece_of_address.size(), 1000u);
}

TEST(NftSplitTest, RemovalsOfObjectsComeLast) {
    Table to = table_of(0);
    to.chains.erase(to.chains.begin());  // lb-2
    const auto pieces = split(difference(table_of(1000), to), 20'000);
    ASSERT_GT(pieces.size(), 2u);
    EXPECT_TRUE(pieces.front().removed_chains.empty());
    EXPECT_EQ(pieces.back().removed_chains, std::vector<std::string>{"lb-2"});
}

}  // namespace
}  // namespace kin::test
