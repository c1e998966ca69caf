#include <gtest/gtest.h>

#include "core/base/strings.h"
#include "core/kernel/nodes.h"
#include "tests/core/kernel/sample_table.h"
#include "tests/support/lab_namespace.h"

namespace kin::test {
namespace {

using namespace nft;

class NftLabTest : public testing::Test {
protected:
    void SetUp() override {
        KIN_REQUIRE_LAB();
        auto node = KernelNode::create("node");
        ASSERT_TRUE(node) << node.error().text();
        node_.emplace(std::move(node).value());
    }
    Nft& nft() { return node_->nft; }
    std::string shell_in(const std::string& command) {
        return node_->netns.enter([&] { return Result<std::string>(shell(command)); }).value();
    }
    std::string listing(const std::string& table) {
        return with_sorted_elements(shell_in(cat("nft -s list table ip ", table)));
    }

    std::optional<KernelNode> node_;
};

TEST_F(NftLabTest, KernelListsWhatToTextPrints) {
    for (const Table& table : {service_table(), every_statement_table()}) {
        ASSERT_DONE(nft().replace(table));
        EXPECT_EQ(listing(table.name), with_sorted_elements(to_text(table)));
    }
}

TEST_F(NftLabTest, SingleFieldSetsAreListedExactlyAsPrinted) {
    Table table = every_statement_table();
    table.chains.resize(1);  // Jumped to by a verdict.
    std::erase_if(table.sets, [](const Set& set) { return set.shape.key.size() > 1; });
    ASSERT_DONE(nft().replace(table));
    EXPECT_EQ(shell_in("nft -s list table ip every"), to_text(table));
}

TEST_F(NftLabTest, NftLoadsWhatToTextPrints) {
    for (const Table& table : {service_table(), every_statement_table()}) {
        const std::string file = cat("cat <<'END' | nft -f -\n", to_text(table), "END\n");
        EXPECT_EQ(shell_in(file), "");
        EXPECT_EQ(listing(table.name), with_sorted_elements(to_text(table)));
    }
}

TEST_F(NftLabTest, DifferenceLeadsFromOneTableToTheOther) {
    Table from = every_statement_table();
    Table to = from;
    to.find_set("blocks")->elements.erase(Range(Key(ip("11.0.0.1"))));
    to.find_set("blocks")->elements.emplace(Range(cidr("13.0.0.0/24")), Element{{}, "new"});
    to.find_set("peers")->elements.begin()->second.comment = "renamed";
    to.find_set("verdicts")->elements.at(Key(ip("10.0.0.1"))) = {accept(), "changed"};
    to.find_set("marks-of")->elements.clear();
    std::erase_if(to.sets, [](const Set& set) { return set.shape.name == "ports"; });
    to.chains[1].rules.pop_back();
    to.chains.push_back({"late", {}, {{{accept()}, ""}}, ""});
    std::erase_if(to.chains, [](const Chain& chain) { return chain.name == "nat-prerouting"; });
    ASSERT_DONE(nft().replace(from));
    ASSERT_DONE(nft().apply(difference(from, to)));
    EXPECT_EQ(listing("every"), with_sorted_elements(to_text(to)));
    ASSERT_DONE(nft().apply(difference(to, from)));
    ASSERT_DONE(nft().apply(difference(from, to)));
    EXPECT_EQ(listing("every"), with_sorted_elements(to_text(to)));
}

TEST_F(NftLabTest, FailedChangeNamesItsRequestAndChangesNothing) {
    ASSERT_DONE(nft().replace(service_table()));
    const std::string before = listing("kube-proxy");
    Table to = service_table();
    to.sets[0].elements.emplace(Key(ip("10.96.0.77"), L4::kTcp, 1u), Element{goto_("nowhere"), ""});
    const auto done = nft().apply(difference(service_table(), to));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code(), Errc::kNotFound);
    EXPECT_TRUE(done.error().text().starts_with(
        "change nft table kube-proxy: add elements to service-ips: kernel"))
        << done.error().text();
    EXPECT_EQ(listing("kube-proxy"), before);
    ASSERT_DONE(nft().replace(to = service_table()));  // The socket has no stale answers.
}

TEST_F(NftLabTest, ForeignChangeIsAConflictUntilTheTableIsReplaced) {
    Table to = service_table();
    to.sets[0].elements.clear();
    ASSERT_DONE(nft().replace(service_table()));
    shell_in("nft add table ip foreign");
    const auto done = nft().apply(difference(service_table(), to));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code(), Errc::kConflict);
    EXPECT_EQ(nft().apply(difference(service_table(), to)).error().code(), Errc::kConflict);
    ASSERT_DONE(nft().replace(service_table()));
    ASSERT_DONE(nft().apply(difference(service_table(), to)));
}

TEST_F(NftLabTest, TablesOfTwoOwnersDoNotDisturbEachOther) {
    Table to = service_table();
    to.sets[0].elements.clear();
    ASSERT_DONE(nft().replace(service_table()));
    ASSERT_DONE(nft().replace(every_statement_table()));
    ASSERT_DONE(nft().apply(difference(service_table(), to)));
    ASSERT_DONE(nft().remove("every"));
    ASSERT_DONE(nft().apply(difference(to, service_table())));
    ASSERT_DONE(nft().remove("every"));
    EXPECT_EQ(shell_in("nft list tables"), "table ip kube-proxy\n");
}

Table table_of(uint32_t services) {
    Table table = service_table();
    for (Set& set : table.sets) set.elements.clear();
    for (uint32_t index = 0; index < services; ++index) {
        const Key key(ip("10.96.1.0").plus(index), L4::kTcp, 80u);
        table.sets[0].elements.emplace(key,
                                       Element{goto_("lb-2"), cat("namespace/service-", index)});
        for (const uint32_t endpoint : {0u, 1u})
            table.sets[1].elements.emplace(
                key.with(endpoint),
                Element{Key(ip("10.244.1.2"), 80u), cat("namespace/pod-", index)});
    }
    return table;
}

TEST_F(NftLabTest, TenThousandServicesLoadInPiecesAndAreInForce) {
    const Table table = table_of(10'000);
    ASSERT_DONE(nft().replace(table));
    EXPECT_EQ(shell_in("nft -s list table ip kube-proxy | grep -c goto"), "10000\n");
    EXPECT_EQ(shell_in("nft list table ip kube-proxy | grep -c dormant"), "0\n");
    ASSERT_DONE(nft().apply(difference(table, table_of(3))));
    EXPECT_EQ(listing("kube-proxy"), with_sorted_elements(to_text(table_of(3))));
}

TEST_F(NftLabTest, CountsAreReadWithTheirElements) {
    const Table table = service_table();
    ASSERT_DONE(nft().replace(table));
    const auto counts = nft().counts("kube-proxy", table.sets[1].shape);
    ASSERT_TRUE(counts) << counts.error().text();
    ASSERT_EQ(counts->size(), 2u);
    for (const Count& count : *counts) {
        const Element& element = table.sets[1].elements.at(count.range);
        EXPECT_EQ(count.comment, element.comment);
        EXPECT_EQ(count.packets, 0u);
    }
}

}  // namespace
}  // namespace kin::test
