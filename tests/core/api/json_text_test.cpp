#include "core/api/json_text.h"

#include <gtest/gtest.h>

#include <random>

namespace kin {
namespace {

std::string error_of(std::string_view text) {
    const auto parsed = parse_json_strict(text);
    return parsed ? "" : parsed.error().text();
}

TEST(JsonTextTest, ReadsWhatNlohmannReads) {
    const std::string text = R"({"a":[1,-2,3.5,"x",null,true,{"b":[]}],"c":{}})";
    const auto parsed = parse_json_strict(text);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->value, Json::parse(text));
    EXPECT_TRUE(parsed->duplicates.empty());
}

TEST(JsonTextTest, DuplicateKeysAreNamedByTheirPathAndTheLastWins) {
    const auto parsed = parse_json_strict(
        R"({"spec":{"a":1,"a":2,"ports":[{"p":1},{"p":1,"p":2,"p":3}]},"spec2":{"a":1}})");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->duplicates,
              (std::vector<std::string>{R"(duplicate field "spec.a")",
                                        R"(duplicate field "spec.ports[1].p")"}));
    EXPECT_EQ(parsed->value["spec"]["a"], 2);
    EXPECT_EQ(parsed->value["spec"]["ports"][1]["p"], 3);
}

TEST(JsonTextTest, IntegersBeyondSixtyFourBitsBecomeDoubles) {
    const auto parsed =
        parse_json_strict("[9223372036854775807, 18446744073709551615, 18446744073709551616]");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->value[0], INT64_MAX);
    EXPECT_EQ(parsed->value[1], UINT64_MAX);
    EXPECT_TRUE(parsed->value[2].is_number_float());
}

TEST(JsonTextTest, ErrorsSayWhere) {
    EXPECT_EQ(error_of("{\"a\": 1,\n \"b\": x}"), R"(invalid character "x" at line 2, column 7)");
    EXPECT_EQ(error_of(R"({"a": 1)"), "unexpected end of JSON input");
    EXPECT_EQ(error_of(""), "unexpected end of JSON input");
    EXPECT_EQ(error_of(R"({"a":1} x)"), R"(invalid character "x" at line 1, column 9)");
    EXPECT_NE(error_of("\"\xff\""), "");
}

TEST(JsonTextTest, DepthAndSizeAreLimited) {
    const std::string deep(200'000, '[');
    EXPECT_EQ(error_of(deep), "JSON nests deeper than 200 levels");
    EXPECT_TRUE(parse_json_strict(std::string(200, '[') + std::string(200, ']')));
    EXPECT_NE(error_of('"' + std::string(4 << 20, 'x') + '"'), "");
}

TEST(JsonTextTest, SurvivesMutatedBodies) {
    const std::string seed =
        R"({"a":[1,2.5e3,"x\u00e9\n",null,true,{"b":{"c":[[],{}]}}],"a":{"d":"\"{"},"e":-0})";
    std::mt19937 random(7);
    for (int round = 0; round < 5'000; ++round) {
        std::string text = seed;
        for (size_t changes = random() % 4 + 1; changes > 0; --changes) {
            const size_t at = random() % text.size();
            if (random() % 2)
                text[at] = static_cast<char>(random());
            else
                text.insert(at, 1, "{}[]\",:\\"[random() % 8]);
        }
        const auto parsed = parse_json_strict(text);
        EXPECT_EQ(parsed.has_value(), Json::accept(text)) << text;
    }
}

}  // namespace
}  // namespace kin
