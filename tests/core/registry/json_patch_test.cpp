#include <gtest/gtest.h>

#include <random>

#include "core/base/strings.h"
#include "core/registry/patch.h"

namespace kin {
namespace {

std::string patched(std::string_view object, std::string_view patch) {
    const auto result = json_patch(Json::parse(object), Json::parse(patch));
    return result ? to_text(*result) : cat(result.error().code);
}

TEST(JsonPatchTest, DoesAllSixOperations) {
    EXPECT_EQ(patched(R"({"a":1})", R"([{"op":"add","path":"/b","value":{"c":null}}])"),
              R"({"a":1,"b":{"c":null}})");
    EXPECT_EQ(patched(R"({"a":[1,3]})", R"([{"op":"add","path":"/a/1","value":2},
                                            {"op":"add","path":"/a/-","value":4},
                                            {"op":"add","path":"/a/-2","value":9}])"),
              R"({"a":[1,2,3,9,4]})");
    EXPECT_EQ(patched(R"({"a":1,"b":[1,2]})", R"([{"op":"remove","path":"/a"},
                                                  {"op":"remove","path":"/b/0"}])"),
              R"({"b":[2]})");
    EXPECT_EQ(patched(R"({"a":1})", R"([{"op":"replace","path":"/a","value":[]}])"), R"({"a":[]})");
    EXPECT_EQ(patched(R"({"a":{"x":1}})", R"([{"op":"move","from":"/a/x","path":"/b"},
                                              {"op":"copy","from":"/b","path":"/a/y"}])"),
              R"({"a":{"y":1},"b":1})");
    EXPECT_EQ(patched(R"({"a~/b":1})", R"([{"op":"test","path":"/a~0~1b","value":1}])"),
              R"({"a~/b":1})");
    EXPECT_EQ(patched(R"({"a":1})", R"([{"op":"test","path":"/b","value":null}])"), R"({"a":1})");
}

TEST(JsonPatchTest, WhatCannotBeDoneIs422) {
    for (const char* operation : {
             R"({"op":"remove","path":"/x"})",
             R"({"op":"replace","path":"/x","value":1})",
             R"({"op":"add","path":"/x/y","value":1})",
             R"({"op":"add","path":"/a/3","value":1})",
             R"({"op":"add","path":"/a/-4","value":1})",
             R"({"op":"add","path":"/b"})",
             R"({"op":"add","path":"b","value":1})",
             R"({"op":"add","path":"/b~2","value":1})",
             R"({"op":"add","value":1})",
             R"({"op":"remove","path":"/a/-"})",
             R"({"op":"remove","path":""})",
             R"({"op":"test","path":"/a/0","value":2})",
             R"({"op":"copy","from":"/x","path":"/b"})",
             R"({"op":"move","from":"/o","path":"/o/b"})",
             R"({"op":"jump","path":"/a"})",
         })
        EXPECT_EQ(patched(R"({"a":[1,2],"o":{}})", cat('[', operation, ']')), "422") << operation;
    EXPECT_EQ(patched("{}", "{}"), "400");
    EXPECT_EQ(patched("{}", "[1]"), "400");
}

TEST(JsonPatchTest, LimitsHoldAgainstHostilePatches) {
    Json many = Json::array();
    for (int i = 0; i < 10'001; ++i) many.push_back({{"op", "add"}, {"path", "/a"}, {"value", 1}});
    EXPECT_EQ(json_patch(Json::object(), many).error().code, 413);

    Json doubling = Json::array();
    for (int i = 0; i < 60; ++i)
        doubling.push_back({{"op", "copy"}, {"from", "/a"}, {"path", "/a/-"}});
    EXPECT_EQ(json_patch({{"a", {std::string(1000, 'x')}}}, doubling).error().code, 422);

    Json deeper = Json::array();
    for (int i = 0; i < 1'000; ++i)
        deeper.push_back({{"op", "copy"}, {"from", "/a"}, {"path", "/a/b"}});
    EXPECT_EQ(json_patch({{"a", Json::object()}}, deeper).error().code, 422);
}

TEST(JsonPatchTest, SurvivesMutatedPatches) {
    const std::string seed =
        R"([{"op":"add","path":"/a/-","value":{"x":1}},{"op":"move","from":"/a/0","path":"/b"},)"
        R"({"op":"copy","from":"","path":"/c"},{"op":"test","path":"/a/0","value":2},)"
        R"({"op":"replace","path":"/a/-1","value":[]},{"op":"remove","path":"/a/0"}])";
    std::mt19937 random(5);
    int done = 0;
    for (int round = 0; round < 5'000; ++round) {
        std::string text = seed;
        for (size_t changes = random() % 3; changes > 0; --changes)
            text[random() % text.size()] = "0123ab/-~\"{}[]:,"[random() % 16];
        const Json patch = Json::parse(text, nullptr, false);
        if (!patch.is_discarded()) done += json_patch({{"a", {1, 2}}}, patch).has_value();
    }
    EXPECT_GT(done, 100);
}

TEST(MergePatchTest, NullDeletesAndObjectsMerge) {
    EXPECT_EQ(to_text(merge_patch(Json::parse(R"({"a":{"b":1,"c":2},"d":[1],"e":1})"),
                                  Json::parse(R"({"a":{"b":null,"x":{"y":null,"z":1}},"d":[null],
                                                  "e":{"f":1},"g":null})"))),
              R"({"a":{"c":2,"x":{"z":1}},"d":[null],"e":{"f":1}})");
}

}  // namespace
}  // namespace kin
