#include <gtest/gtest.h>

#include <random>

#include "core/base/strings.h"
#include "core/registry/patch.h"

namespace kin {
namespace {

std::string patched(std::string_view object, std::string_view patch,
                    std::string_view type = "core.v1.PodSpec") {
    const auto result = strategic_merge_patch(*Schema::builtin().find(type), Json::parse(object),
                                              Json::parse(patch));
    return result ? to_text(*result) : cat(result.error().code, ' ', result.error().message);
}

TEST(StrategicMergeTest, ListsMergeByTheirKeyAndNewElementsComeFirst) {
    EXPECT_EQ(patched(R"({"containers":[{"name":"a","image":"1"},{"name":"b"}]})",
                      R"({"containers":[{"name":"c"},{"name":"a","image":"2"}]})"),
              R"({"containers":[{"name":"c"},{"image":"2","name":"a"},{"name":"b"}]})");
    EXPECT_EQ(
        patched(R"({"finalizers":["a","b"]})", R"({"finalizers":["c","b"]})", "meta.v1.ObjectMeta"),
        R"({"finalizers":["c","a","b"]})");
    EXPECT_EQ(patched(R"({"tolerations":[{"key":"a"}]})", R"({"tolerations":[{"key":"b"}]})"),
              R"({"tolerations":[{"key":"b"}]})");
}

TEST(StrategicMergeTest, DirectivesActAndAreNotStored) {
    EXPECT_EQ(patched(R"({"containers":[{"name":"a"},{"name":"b"}]})",
                      R"({"containers":[{"name":"a","$patch":"delete"}]})"),
              R"({"containers":[{"name":"b"}]})");
    EXPECT_EQ(patched(R"({"containers":[{"name":"a"},{"name":"b"}]})",
                      R"({"containers":[{"$patch":"replace"},{"name":"c"}]})"),
              R"({"containers":[{"name":"c"}]})");
    EXPECT_EQ(patched(R"({"nodeSelector":{"a":"1"}})",
                      R"({"nodeSelector":{"$patch":"replace","b":"2"}})"),
              R"({"nodeSelector":{"b":"2"}})");
    EXPECT_EQ(patched(R"({"volumes":[{"name":"v","emptyDir":{}}]})",
                      R"({"volumes":[{"name":"v","$retainKeys":["name","hostPath"],)"
                      R"("hostPath":{"path":"/x"}}]})"),
              R"({"volumes":[{"hostPath":{"path":"/x"},"name":"v"}]})");
    EXPECT_EQ(patched(R"({"finalizers":["a","b"]})",
                      R"({"$deleteFromPrimitiveList/finalizers":["a","x"]})", "meta.v1.ObjectMeta"),
              R"({"finalizers":["b"]})");
    EXPECT_EQ(
        patched("{}", R"({"affinity":{"$patch":"replace","nodeAffinity":null,"podAffinity":{}},
                                "containers":[{"$patch":"delete","name":"x"}]})"),
        R"({"affinity":{"podAffinity":{}},"containers":[]})");
}

TEST(StrategicMergeTest, AnElementOrderArrangesListedAndLiveElements) {
    EXPECT_EQ(patched(R"({"containers":[{"name":"a"},{"name":"b"},{"name":"live"}]})",
                      R"({"$setElementOrder/containers":[{"name":"b"},{"name":"a"}],
                          "containers":[{"name":"a","image":"x"}]})"),
              R"({"containers":[{"name":"b"},{"image":"x","name":"a"},{"name":"live"}]})");
    EXPECT_EQ(patched(R"({"containers":[{"name":"a"}]})",
                      R"({"$setElementOrder/containers":[{"name":"b"},{"name":"a"}],
                          "containers":[{"name":"a"},{"name":"b"}]})")
                  .substr(0, 3),
              "400");
}

TEST(StrategicMergeTest, MalformedDirectivesAre400) {
    for (const char* patch :
         {R"({"$patch":"merge"})", R"({"containers":[{"$patch":"merge","name":"a"}]})",
          R"({"containers":[{"$patch":"delete"}]})", R"({"containers":[{"image":"x"}]})",
          R"({"containers":[1]})", R"({"$retainKeys":1})", R"({"$retainKeys":["a"],"b":1})",
          R"({"$setElementOrder/containers":1})",
          R"({"$setElementOrder/containers":[],"containers":1})",
          R"({"$deleteFromPrimitiveList/x":1})", "[]"}) {
        EXPECT_EQ(patched(R"({"containers":[{"name":"a"}]})", patch).substr(0, 3), "400") << patch;
    }
}

TEST(StrategicMergeTest, SurvivesMutatedPatches) {
    const std::string seed =
        R"({"$setElementOrder/containers":[{"name":"b"},{"name":"a"}],"containers":[)"
        R"({"name":"a","$retainKeys":["name","env"],"env":[{"name":"X","$patch":"delete"}]},)"
        R"({"$patch":"replace"}],"$deleteFromPrimitiveList/x":["a"],"volumes":null})";
    std::mt19937 random(9);
    for (int round = 0; round < 5'000; ++round) {
        std::string text = seed;
        for (size_t changes = random() % 4 + 1; changes > 0; --changes)
            text[random() % text.size()] = "01ab$/\"{}[]:,enm"[random() % 16];
        const Json patch = Json::parse(text, nullptr, false);
        if (patch.is_discarded()) continue;
        const auto result = strategic_merge_patch(
            *Schema::builtin().find("core.v1.PodSpec"),
            Json::parse(R"({"containers":[{"name":"a","env":[{"name":"X"}]},{"name":"b"}]})"),
            patch);
        if (result) to_text(*result);
    }
}

}  // namespace
}  // namespace kin
