#include <gtest/gtest.h>

#include "core/api/validation.h"
#include "core/base/strings.h"

namespace kin {
namespace {

const Kind& deployments() { return *find_resource("deployments.apps"); }
const Kind& pods() { return *find_resource("pods"); }
const Kind& secrets() { return *find_resource("secrets"); }

std::string error_of(const Kind& kind, Json object) {
    const auto result = conform(kind, object);
    return result ? "" : result.error().message;
}

TEST(ConformTest, WrongTypesAreToldAsGoDoes) {
    EXPECT_EQ(error_of(deployments(), {{"spec", {{"replicas", "two"}}}}),
              "Deployment in version \"v1\" cannot be handled as a Deployment: json: cannot "
              "unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32");
    EXPECT_EQ(error_of(pods(), {{"spec", {{"containers", {{{"name", 5}}}}}}}),
              "Pod in version \"v1\" cannot be handled as a Pod: json: cannot unmarshal number "
              "into Go struct field Container.spec.containers.name of type string");
    EXPECT_EQ(error_of(pods(), {{"spec", {{"containers", Json::object()}}}}),
              "Pod in version \"v1\" cannot be handled as a Pod: json: cannot unmarshal object "
              "into Go struct field PodSpec.spec.containers of type []v1.Container");
    EXPECT_NE(error_of(deployments(), {{"spec", {{"replicas", 1.5}}}}), "");
    EXPECT_NE(error_of(deployments(), {{"spec", {{"replicas", 3000000000}}}}), "");
    EXPECT_NE(error_of(pods(), {{"metadata", {{"labels", {{"a", 1}}}}}}), "");
    EXPECT_NE(error_of(pods(), {{"metadata", {{"creationTimestamp", "yesterday"}}}}), "");
    EXPECT_NE(error_of(secrets(), {{"data", {{"a", "***"}}}}), "");
}

TEST(ConformTest, UnknownFieldsAreNamedAndRemoved) {
    Json pod = {
        {"spec", {{"containers", {{{"name", "a"}}, {{"name", "b"}, {"foo", 1}}}}, {"bar", 2}}}};
    const auto strict = conform(pods(), pod);
    ASSERT_TRUE(strict);
    EXPECT_EQ(strict->unknown,
              (std::vector<std::string>{"unknown field \"spec.bar\"",
                                        "unknown field \"spec.containers[1].foo\""}));
    EXPECT_EQ(pod, (Json{{"spec", {{"containers", {{{"name", "a"}}, {{"name", "b"}}}}}}}));
}

TEST(ConformTest, OfManyUnknownFieldsTheFirstAreNamedAndAllRemoved) {
    Json pod;
    for (int i = 0; i < 1000; ++i) pod["spec"][cat("unknown-", i)] = i;
    const auto strict = conform(pods(), pod);
    ASSERT_TRUE(strict);
    EXPECT_EQ(strict->unknown.size(), 100U);
    EXPECT_EQ(pod, (Json{{"spec", Json::object()}}));
}

TEST(ConformTest, DropsWhatMeansNothing) {
    Json deployment = {{"metadata", {{"labels", Json::object()}, {"uid", nullptr}}},
                       {"spec", {{"replicas", 0}, {"minReadySeconds", 0}, {"paused", false}}}};
    ASSERT_TRUE(conform(deployments(), deployment));
    EXPECT_EQ(deployment, (Json{{"metadata", Json::object()}, {"spec", {{"replicas", 0}}}}));
}

TEST(ConformTest, KeepsZerosForServerSideApply) {
    Json pod = {{"spec", {{"hostNetwork", false}, {"hostname", nullptr}}}};
    ASSERT_TRUE(conform(pods(), pod, ZeroValues::kKeep));
    EXPECT_EQ(pod, (Json{{"spec", {{"hostNetwork", false}}}}));
}

TEST(ConformTest, EmptyObjectsAreValues) {
    Json pod = {{"spec", {{"volumes", {{{"name", "v"}, {"emptyDir", Json::object()}}}}}}};
    const Json same = pod;
    ASSERT_TRUE(conform(pods(), pod));
    EXPECT_EQ(pod, same);
}

TEST(ConformTest, GivesAmountsAndTimesOneForm) {
    Json pod = {
        {"metadata", {{"creationTimestamp", "2026-01-02T05:04:05+02:00"}}},
        {"spec", {{"containers", {{{"name", "a"}, {"resources", {{"limits", {{"cpu", 0.5}}}}}}}}}}};
    ASSERT_TRUE(conform(pods(), pod));
    EXPECT_EQ(pod["metadata"]["creationTimestamp"], "2026-01-02T03:04:05Z");
    EXPECT_EQ(pod["spec"]["containers"][0]["resources"]["limits"]["cpu"], "500m");
}

TEST(ConformTest, TakesBodiesThatAreNoKinds) {
    const Message* options = Schema::builtin().find("meta.v1.DeleteOptions");
    ASSERT_NE(options, nullptr);
    Json body = {{"kind", "DeleteOptions"}, {"gracePeriodSeconds", 0}};
    ASSERT_TRUE(conform(*options, body));
    EXPECT_EQ(body["gracePeriodSeconds"], 0);
    Json wrong = {{"gracePeriodSeconds", "soon"}};
    EXPECT_FALSE(conform(*options, wrong));
}

}  // namespace
}  // namespace kin
