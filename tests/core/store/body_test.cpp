#include "core/store/body.h"

#include <gtest/gtest.h>

#include "core/base/json.h"

namespace kin {
namespace {

TEST(StoreBodyTest, TheRevisionGoesIntoMetadata) {
    EXPECT_EQ(with_revision(R"({"kind":"Pod","metadata":{"name":"a","resourceVersion":""}})", 42),
              R"({"kind":"Pod","metadata":{"name":"a","resourceVersion":"42"}})");
}

TEST(StoreBodyTest, ARevisionThatIsThereIsReplaced) {
    EXPECT_EQ(with_revision(R"({"metadata":{"resourceVersion":"1234","uid":"u"}})", 7),
              R"({"metadata":{"resourceVersion":"7","uid":"u"}})");
}

TEST(StoreBodyTest, OtherFieldsAndTextsThatLookLikeItAreLeftAlone) {
    const std::string body =
        R"({"data":{"resourceVersion":"","x":"\"metadata\":{\"resourceVersion\":\"\"}"},)"
        R"("list":[{"metadata":{"resourceVersion":""}},"]}"],)"
        R"("metadata":{"annotations":{"a":"\"resourceVersion\":\"\"","resourceVersion":""},)"
        R"("labels":{"resourceVersion":""},"resourceVersion":""},)"
        R"("spec":{"metadata":{"resourceVersion":""}}})";
    auto expected = parse_json(body).value();
    expected["metadata"]["resourceVersion"] = "9";
    EXPECT_EQ(with_revision(body, 9), to_text(expected));
}

TEST(StoreBodyTest, ValuesBeforeMetadataAreSteppedOver) {
    const std::string body =
        R"({"a":-1.5e3,"b":true,"c":null,"d":[],"e":{},"f":"\\","g":[1,[2,{"h":"}"}]],)"
        R"("metadata":{"resourceVersion":""}})";
    auto expected = parse_json(body).value();
    expected["metadata"]["resourceVersion"] = "9";
    EXPECT_EQ(parse_json(with_revision(body, 9)).value(), expected);
}

TEST(StoreBodyTest, BlanksAreAllowed) {
    EXPECT_EQ(with_revision("{ \"a\" : 1 ,\n\"metadata\" : { \"resourceVersion\" : \"\" } }", 3),
              "{ \"a\" : 1 ,\n\"metadata\" : { \"resourceVersion\" : \"3\" } }");
}

TEST(StoreBodyTest, AnObjectWithoutOneHasNone) {
    EXPECT_FALSE(find_revision(R"({"metadata":{"name":"x"}})"));
    EXPECT_FALSE(find_revision(R"({"metadata":{"resourceVersion":5}})"));
    EXPECT_FALSE(find_revision(R"({"metadata":[]})"));
    EXPECT_FALSE(find_revision(R"({})"));
}

TEST(StoreBodyTest, DamagedTextsEndTheSearch) {
    const std::string whole =
        R"({"a":[1,{"b":"c\"d"}],"metadata":{"labels":{"x":"y"},"resourceVersion":"1"}})";
    for (size_t cut = 0; cut < whole.size(); ++cut) {
        find_revision(whole.substr(0, cut));
        labels_in(whole.substr(0, cut));
        std::string other = whole;
        for (const char c : {'"', '{', '}', '[', ']', ',', ':', '\\', ' ', 'x'}) {
            other[cut] = c;
            find_revision(other);
            labels_in(other);
        }
    }
}

TEST(StoreBodyTest, LabelsAreThoseOfMetadata) {
    EXPECT_EQ(labels_in(R"({"labels":{"no":"no"},"metadata":{"labels":{"app":"web","b":""}},)"
                        R"("spec":{"metadata":{"labels":{"no":"no"}}}})"),
              (Labels{{"app", "web"}, {"b", ""}}));
    EXPECT_EQ(labels_in(R"({"metadata":{}})"), Labels{});
}

}  // namespace
}  // namespace kin
