#include <gtest/gtest.h>

#include "core/kernel/nft.h"
#include "tests/core/kernel/sample_table.h"
#include "tests/support/golden.h"

namespace kin::test {
namespace {

using namespace nft;

TEST(NftTextTest, ServiceTableReadsAsNftListsIt) {
    expect_golden("core/kernel/services.nft", to_text(service_table()));
}

TEST(NftTextTest, EveryStatementReadsAsNftListsIt) {
    expect_golden("core/kernel/every_statement.nft", to_text(every_statement_table()));
}

TEST(NftTextTest, IntervalIsABlockOnlyWhereOneFits) {
    const SetShape shape{"s", {kSourceAddress}, {}, SetShape::Keys::kIntervals, {}, ""};
    const auto text = [&](const char* first, const char* last) {
        return to_text(shape, Range(Key(ip(first)), Key(ip(last))), Element{});
    };
    EXPECT_EQ(text("10.0.0.0", "10.0.0.255"), "10.0.0.0/24");
    EXPECT_EQ(text("10.0.0.0", "10.0.0.254"), "10.0.0.0-10.0.0.254");
    EXPECT_EQ(text("10.0.0.128", "10.0.1.127"), "10.0.0.128-10.0.1.127");
    EXPECT_EQ(text("0.0.0.0", "255.255.255.255"), "0.0.0.0/0");
    EXPECT_EQ(text("10.0.0.2", "10.0.0.3"), "10.0.0.2/31");
}

TEST(NftTextTest, CommentsKeepWhatNftCanReadBack) {
    EXPECT_EQ(comment_text("say \"hi\""), "say 'hi'");
    EXPECT_EQ(comment_text(std::string(200, 'x')).size(), 128u);
}

TEST(NftKeyTest, RangeContainsAKeyPartByPart) {
    const Range range(Key(ip("10.0.0.0"), L4::kTcp, 80u), Key(ip("10.0.0.255"), L4::kTcp, 90u));
    EXPECT_TRUE(range.contains(Key(ip("10.0.0.7"), L4::kTcp, 90u)));
    EXPECT_FALSE(range.contains(Key(ip("10.0.0.7"), L4::kTcp, 91u)));
    EXPECT_FALSE(range.contains(Key(ip("10.0.0.7"), L4::kUdp, 80u)));
    EXPECT_FALSE(range.contains(Key(ip("10.0.1.0"), L4::kTcp, 80u)));
}

}  // namespace
}  // namespace kin::test
