#include "core/api/selectors.h"

#include <gtest/gtest.h>

#include "core/api/kinds.h"

namespace kin {
namespace {

LabelSelector parsed(std::string_view text) {
    auto selector = LabelSelector::parse(text);
    EXPECT_TRUE(selector) << text;
    return selector ? *selector : LabelSelector();
}

std::string error_of(std::string_view text) {
    const auto selector = LabelSelector::parse(text);
    return selector ? "" : selector.error().message;
}

TEST(LabelSelectorTest, ReadsEveryOperator) {
    const LabelSelector all = parsed("a=1, b==2 ,c!=3,d in (x,y),e notin (z),f,!g,h>4,i<5");
    EXPECT_TRUE(
        all.matches({{"a", "1"}, {"b", "2"}, {"d", "x"}, {"f", ""}, {"h", "5"}, {"i", "4"}}));
    EXPECT_FALSE(
        all.matches({{"a", "1"}, {"b", "2"}, {"d", "w"}, {"f", ""}, {"h", "5"}, {"i", "4"}}));
    EXPECT_FALSE(all.matches({}));
}

TEST(LabelSelectorTest, EmptySelectsEverything) {
    EXPECT_TRUE(parsed("").matches({{"a", "b"}}));
    EXPECT_TRUE(parsed("  ").empty());
    EXPECT_TRUE(LabelSelector::from_json(Json::object()).matches({}));
}

TEST(LabelSelectorTest, ANegativeTermAlsoMatchesWithoutTheLabel) {
    EXPECT_TRUE(parsed("a!=b").matches({}));
    EXPECT_TRUE(parsed("a notin (b)").matches({{"x", "y"}}));
    EXPECT_FALSE(parsed("a!=b").matches({{"a", "b"}}));
}

TEST(LabelSelectorTest, SaysWhatItCannotRead) {
    EXPECT_EQ(error_of("a=b c"), "found 'c', expected: ',' or 'end of string'");
    EXPECT_EQ(error_of("a>=b"), "unable to parse requirement: found '=', expected: identifier");
    EXPECT_EQ(error_of("a in (b"), "unable to parse requirement: found '', expected: ',' or ')'");
    EXPECT_EQ(error_of("a in b"), "unable to parse requirement: found 'b' expected: '('");
    EXPECT_EQ(error_of("a=b,,c=d"), "found ',', expected: identifier after ','");
    EXPECT_EQ(error_of("!"), "unable to parse requirement: found '', expected: identifier");
    EXPECT_NE(error_of("-a=b"), "");
    EXPECT_NE(error_of("a=-b"), "");
    EXPECT_NE(error_of("a>b"), "");
}

TEST(LabelSelectorTest, PrintsAsScaleDoes) {
    const Json json = {{"matchLabels", {{"app", "web"}}},
                       {"matchExpressions",
                        {{{"key", "tier"}, {"operator", "In"}, {"values", {"b", "a"}}},
                         {{"key", "old"}, {"operator", "DoesNotExist"}}}}};
    EXPECT_EQ(LabelSelector::from_json(json).to_string(), "app=web,!old,tier in (a,b)");
    EXPECT_EQ(parsed("tier in (b,a),!old,app=web"), LabelSelector::from_json(json));
}

TEST(FieldSelectorTest, ComparesTextsNumbersAndFlags) {
    const Kind& pods = *find_resource("pods");
    const auto selector = FieldSelector::parse("metadata.name=web,status.phase!=Running", pods);
    ASSERT_TRUE(selector);
    EXPECT_TRUE(
        selector->matches({{"metadata", {{"name", "web"}}}, {"status", {{"phase", "Pending"}}}}));
    EXPECT_FALSE(
        selector->matches({{"metadata", {{"name", "web"}}}, {"status", {{"phase", "Running"}}}}));
    EXPECT_FALSE(selector->only_key());
    const auto node = FieldSelector::parse("spec.unschedulable=false", *find_resource("nodes"));
    ASSERT_TRUE(node);
    EXPECT_TRUE(node->matches(Json::object()));
}

TEST(FieldSelectorTest, JobsAreSelectedByHowManyPodsSucceeded) {
    const Kind& jobs = *find_resource("jobs.batch");
    const auto done = FieldSelector::parse("status.successful=1", jobs);
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_TRUE(done->matches({{"status", {{"succeeded", 1}}}}));
    EXPECT_FALSE(done->matches(Json::object()));
    EXPECT_TRUE(FieldSelector::parse("status.successful=0", jobs)->matches(Json::object()));
}

TEST(FieldSelectorTest, KeysNeedNoObject) {
    const auto selector = FieldSelector::parse("metadata.name==a,metadata.namespace!=b",
                                               *find_resource("configmaps"));
    ASSERT_TRUE(selector);
    EXPECT_TRUE(selector->only_key());
    EXPECT_TRUE(selector->matches_key("c", "a"));
    EXPECT_FALSE(selector->matches_key("b", "a"));
}

TEST(FieldSelectorTest, RefusesUnknownFields) {
    const auto pod = FieldSelector::parse("spec.foo=1", *find_resource("pods"));
    ASSERT_FALSE(pod);
    EXPECT_EQ(pod.error().message, "field label not supported: spec.foo");
    EXPECT_EQ(pod.error().code, 400);
    EXPECT_FALSE(FieldSelector::parse("data.a=1", *find_resource("configmaps")));
    EXPECT_FALSE(FieldSelector::parse("metadata.name", *find_resource("configmaps")));
    EXPECT_FALSE(FieldSelector::parse("metadata.name=a\\b", *find_resource("configmaps")));
}

}  // namespace
}  // namespace kin
