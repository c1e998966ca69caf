#include "core/api/quantity.h"

#include <gtest/gtest.h>

namespace kin {
namespace {

std::string canonical(std::string_view text) {
    const auto quantity = Quantity::parse(text);
    return quantity ? quantity->to_string() : "refused";
}

TEST(QuantityTest, HasOneForm) {
    EXPECT_EQ(canonical("0.5"), "500m");
    EXPECT_EQ(canonical("1000m"), "1");
    EXPECT_EQ(canonical("1024Mi"), "1Gi");
    EXPECT_EQ(canonical("1.5Gi"), "1536Mi");
    EXPECT_EQ(canonical("512"), "512");
    EXPECT_EQ(canonical("1000000"), "1M");
    EXPECT_EQ(canonical("2e3"), "2e3");
    EXPECT_EQ(canonical("-5"), "-5");
    EXPECT_EQ(canonical("0"), "0");
    EXPECT_EQ(canonical("0.1Ki"), "102400m");
}

TEST(QuantityTest, RefusesWhatIsNoAmount) {
    for (const char* text : {"", "a", "1.2.3", "1Gib", "1 Gi", "e3", "1e", "--1", "."})
        EXPECT_EQ(canonical(text), "refused") << text;
}

TEST(QuantityTest, RoundsUpAndCutsAtTheLimit) {
    EXPECT_EQ(Quantity::parse("1.1")->value(), 2);
    EXPECT_EQ(Quantity::parse("100m")->milli_value(), 100);
    EXPECT_EQ(Quantity::parse("1n")->milli_value(), 1);
    EXPECT_EQ(Quantity::parse("1n")->rounded_to_milli().to_string(), "1m");
    EXPECT_EQ(Quantity::parse("100E")->value(), INT64_MAX);
    EXPECT_EQ(Quantity::parse("99999999999999999999999999999999999999999999")->value(), INT64_MAX);
    EXPECT_EQ(Quantity::parse("0.00000000000000000000000000000000000000001")->value(), 1);
}

TEST(QuantityTest, ComparesAcrossForms) {
    EXPECT_EQ(*Quantity::parse("1"), *Quantity::parse("1000m"));
    EXPECT_LT(*Quantity::parse("1G"), *Quantity::parse("1Gi"));
    EXPECT_LT(*Quantity::parse("-1"), *Quantity::parse("0"));
}

}  // namespace
}  // namespace kin
