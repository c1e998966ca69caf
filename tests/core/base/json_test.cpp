#include "core/base/json.h"

#include <gtest/gtest.h>

namespace kin {

TEST(JsonTest, AccessorsNeverThrowOnWrongTypes) {
    const Json json = *parse_json(R"({"spec":{"replicas":3,"name":"web","on":true},"list":[1]})");
    EXPECT_EQ(int_at(json, {"spec", "replicas"}), 3);
    EXPECT_EQ(string_at(json, {"spec", "name"}), "web");
    EXPECT_TRUE(bool_at(json, {"spec", "on"}));
    EXPECT_EQ(string_at(json, {"spec", "replicas"}, "none"), "none");
    EXPECT_EQ(find(json, {"list", "x"}), nullptr);
    EXPECT_TRUE(array_at(json, {"spec"}).empty());
}

TEST(JsonTest, DepthIsBounded) {
    EXPECT_TRUE(parse_json(std::string(150, '[') + std::string(150, ']')));
    EXPECT_FALSE(parse_json(std::string(100'000, '[')));
    EXPECT_FALSE(parse_json(std::string(100'000, '[') + std::string(100'000, ']')));
}

TEST(JsonTest, BrokenTextIsAnErrorNotAnException) {
    for (const char* bad : {"", "{", "{\"a\":}", "nul", "1 2", "{'a':1}"}) {
        EXPECT_FALSE(parse_json(bad)) << bad;
    }
}

TEST(JsonTest, TextOfBrokenUtf8IsReplaced) {
    EXPECT_EQ(to_text(Json("a\xff")), "\"a\xEF\xBF\xBD\"");
}

}  // namespace kin
