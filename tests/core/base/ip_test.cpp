#include "core/base/ip.h"

#include <gtest/gtest.h>

namespace kin {

TEST(Ipv4Test, ReadsFourOctets) {
    EXPECT_EQ(Ipv4::parse("10.96.0.10"), Ipv4{0x0A60000A});
    EXPECT_EQ(Ipv4{0x0A60000A}.to_string(), "10.96.0.10");
    EXPECT_EQ(Ipv4{0x0A60000A}.network_order(), 0x0A00600AU);
}

TEST(Ipv4Test, RefusesWhatOtherReadersTakeForOctalOrShort) {
    for (const char* bad : {"", "1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.256", "1.2.3.-4",
                            "1.2.3.4 ", "0x1.2.3.4", "a.b.c.d", "1..3.4"}) {
        EXPECT_FALSE(Ipv4::parse(bad)) << bad;
    }
}

TEST(CidrTest, ContainsItsAddressesOnly) {
    const auto block = Cidr::parse("10.244.1.0/24");
    ASSERT_TRUE(block);
    EXPECT_TRUE(block->contains({0x0AF40100}));
    EXPECT_TRUE(block->contains({0x0AF401FF}));
    EXPECT_FALSE(block->contains({0x0AF40200}));
    EXPECT_EQ(block->size(), 256U);
    EXPECT_TRUE(Cidr::parse("0.0.0.0/0")->contains({0xFFFFFFFF}));
}

TEST(CidrTest, RefusesHostBitsAndLongMasks) {
    for (const char* bad : {"10.0.0.1/8", "10.0.0.0/33", "10.0.0.0", "10.0.0.0/", "10.0.0.0/08"}) {
        EXPECT_FALSE(Cidr::parse(bad)) << bad;
    }
}

TEST(CidrTest, OverlapIsSymmetric) {
    const auto wide = *Cidr::parse("10.0.0.0/8"), narrow = *Cidr::parse("10.244.0.0/16"),
               other = *Cidr::parse("172.30.0.0/24");
    EXPECT_TRUE(wide.overlaps(narrow));
    EXPECT_TRUE(narrow.overlaps(wide));
    EXPECT_FALSE(narrow.overlaps(other));
}

}  // namespace kin
