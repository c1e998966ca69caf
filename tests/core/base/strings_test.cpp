#include "core/base/strings.h"

#include <gtest/gtest.h>

#include <random>

#include "core/base/ip.h"

namespace kin {

TEST(StringsTest, CatJoinsWhatPrints) {
    EXPECT_EQ(cat("a", 'b', 3, std::string("c"), Ipv4{0x7F000001}), "ab3c127.0.0.1");
}

TEST(StringsTest, SplitKeepsEmptyParts) {
    EXPECT_EQ(split("a,,b", ',').size(), 3U);
    EXPECT_EQ(split("", ',').size(), 1U);
    EXPECT_EQ(trim(" \ta b\r\n"), "a b");
}

TEST(StringsTest, NumbersAreTheWholeText) {
    EXPECT_EQ(parse_number<int>("-12"), -12);
    EXPECT_FALSE(parse_number<uint16_t>("70000"));
    EXPECT_FALSE(parse_number<uint16_t>("-1"));
    EXPECT_FALSE(parse_number<int>("12x"));
    EXPECT_FALSE(parse_number<int>(""));
}

TEST(StringsTest, Base64TakesBackWhatItGives) {
    EXPECT_EQ(base64_encode("M"), "TQ==");
    EXPECT_EQ(base64_encode("Ma"), "TWE=");
    EXPECT_EQ(base64_encode("Man"), "TWFu");
    std::mt19937 random(1);
    for (size_t size = 0; size < 100; ++size) {
        std::string bytes(size, '\0');
        for (char& c : bytes) c = static_cast<char>(random());
        EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
    }
    for (const char* bad : {"A", "AA=A", "====", "A===", "AB C", "AAA*"}) {
        EXPECT_FALSE(base64_decode(bad)) << bad;
    }
}

}  // namespace kin
