#include "dns/wire.h"

#include <gmock/gmock.h>

#include "tests/dns/messages.h"

namespace kin::dns {
namespace {

using test::opt;
using test::question;

TEST(WireNameTest, ReadsAndWritesDottedNames) {
    EXPECT_EQ(to_wire("Web.Shop"), std::string("\3web\4shop\0", 10));
    EXPECT_EQ(to_wire("web.shop."), to_wire("web.shop"));
    EXPECT_EQ(to_dotted(*to_wire("web.shop")), "web.shop.");
    EXPECT_EQ(to_dotted(std::string("\3a.\x07\0", 5)), "a\\046\\007.");
}

TEST(WireNameTest, RefusesWhatDnsCannotHold) {
    EXPECT_FALSE(to_wire("a..b"));
    EXPECT_FALSE(to_wire(""));
    EXPECT_FALSE(to_wire(std::string(64, 'a')));
    std::string longest;
    for (int i = 0; i < 128; ++i) longest += "a.";
    EXPECT_FALSE(to_wire(longest));
    EXPECT_TRUE(to_wire(longest.substr(2)));
}

TEST(WireNameTest, ANameIsWithinItsZoneOnlyOnWholeLabels) {
    const auto zone = *to_wire("cluster.local");
    EXPECT_TRUE(is_within(*to_wire("web.cluster.local"), zone));
    EXPECT_TRUE(is_within(zone, zone));
    EXPECT_FALSE(is_within(*to_wire("mycluster.local"), zone));
    EXPECT_FALSE(is_within(*to_wire("local"), zone));
}

TEST(WireNameTest, LowerCaseChangesLettersAlone) {
    const std::string name("\6@AZ[az\3\xC1`{\0", 12);
    EXPECT_EQ(LowerName(name).view(), std::string_view("\6@az[az\3\xC1`{\0", 12));
    const std::string longest(255, 'Q');
    EXPECT_EQ(LowerName(longest).view(), std::string(255, 'q'));
}

/// Its views are into `packet`.
Query query(const std::string& packet) { return std::get<Query>(parse_query(packet)); }
Rcode refusal(const std::string& packet) { return std::get<Refusal>(parse_query(packet)).rcode; }

TEST(ParseQueryTest, ReadsAQuestion) {
    std::string packet = question("web.shop", Type::kA, opt(512), 1);
    packet[13] = 'W';
    const Query read = query(packet);
    EXPECT_EQ(read.id, 0x1234);
    EXPECT_TRUE(read.recursion_desired);
    EXPECT_EQ(to_dotted(read.name), "Web.shop.");
    EXPECT_EQ(read.head, packet.substr(0, packet.size() - opt(512).size()));
    EXPECT_EQ(read.udp_size, 512);
}

TEST(ParseQueryTest, TheAskersSizeCountsUpToWhatPassesEveryPath) {
    EXPECT_EQ(query(question("a", Type::kA, opt(4096), 1)).udp_size, 1232);
    EXPECT_EQ(query(question("a", Type::kA, opt(800), 1)).udp_size, 800);
    EXPECT_EQ(query(question("a", Type::kA, opt(0), 1)).udp_size, 512);
}

TEST(ParseQueryTest, AnAnswerIsNeverAnswered) {
    std::string packet = question("a", Type::kA);
    packet[2] = static_cast<char>(0x80);
    EXPECT_TRUE(std::holds_alternative<Silence>(parse_query(packet)));
    EXPECT_TRUE(std::holds_alternative<Silence>(parse_query("short")));
}

struct Bad {
    const char* name;
    std::string packet;
    Rcode rcode;
};
class BadQueryTest : public testing::TestWithParam<Bad> {};

TEST_P(BadQueryTest, GetsItsRcode) { EXPECT_EQ(refusal(GetParam().packet), GetParam().rcode); }

std::string patched(std::string packet, size_t at, std::initializer_list<int> bytes) {
    for (const int byte : bytes) packet[at++] = static_cast<char>(byte);
    return packet;
}
const std::string kPlain = question("web.shop", Type::kA);

INSTANTIATE_TEST_SUITE_P(
    Hostile, BadQueryTest,
    testing::Values(
        Bad{"PointerInQuestion", patched(kPlain, 12, {0xC0, 0x0C}), Rcode::kFormErr},
        Bad{"PointerIntoHeader", patched(kPlain, 12, {0xC0, 0x00}), Rcode::kFormErr},
        Bad{"UnknownLabelType", patched(kPlain, 12, {0x40}), Rcode::kFormErr},
        Bad{"LabelPastTheEnd", patched(kPlain, 12, {63}), Rcode::kFormErr},
        Bad{"NoQuestion", patched(kPlain, 4, {0, 0}), Rcode::kFormErr},
        Bad{"TwoQuestions", patched(kPlain, 4, {0, 2}), Rcode::kFormErr},
        Bad{"ManyQuestions", patched(kPlain, 4, {255, 255}), Rcode::kFormErr},
        Bad{"ManyAnswers", patched(kPlain, 6, {255, 255}), Rcode::kFormErr},
        Bad{"TrailingBytes", kPlain + "x", Rcode::kFormErr},
        Bad{"CutShort", kPlain.substr(0, kPlain.size() - 1), Rcode::kFormErr},
        Bad{"HeaderOnly", kPlain.substr(0, 12), Rcode::kFormErr},
        Bad{"Update", patched(kPlain, 2, {0x28}), Rcode::kNotImp},
        Bad{"Notify", patched(kPlain, 2, {0x20}), Rcode::kNotImp},
        Bad{"TwoOpts", question("a", Type::kA, opt(512) + opt(512), 2), Rcode::kFormErr},
        Bad{"OptAmongAnswers", patched(question("a", Type::kA, opt(512), 0), 6, {0, 1}),
            Rcode::kFormErr},
        Bad{"OptionPastTheEnd",
            question("a", Type::kA, opt(512).substr(0, 9) + std::string("\0\5\0\x0A\0\x09\0", 7),
                     1),
            Rcode::kFormErr},
        Bad{"EdnsVersionOne", question("a", Type::kA, opt(512, 1), 1), Rcode::kBadVers}),
    [](const auto& test) { return test.param.name; });

TEST(ParseQueryTest, ANameOf128LabelsIsTooLong) {
    std::string packet = kPlain.substr(0, 12);
    for (int i = 0; i < 128; ++i) packet += "\1a";
    packet += std::string("\0\0\1\0\1", 5);
    EXPECT_EQ(refusal(packet), Rcode::kFormErr);
}

}  // namespace
}  // namespace kin::dns
