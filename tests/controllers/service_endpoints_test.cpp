#include "controllers/service_endpoints.h"

#include <gmock/gmock.h>

#include "tests/controllers/objects.h"

namespace kin::controllers {
namespace {

using test::pod;
using test::PodShape;
using test::pointers;

Service web(Json more = Json::object()) {
    Json spec = {
        {"selector", {{"app", "web"}}},
        {"clusterIP", "10.96.0.20"},
        {"ports",
         Json::array(
             {{{"name", "http"}, {"port", 80}, {"protocol", "TCP"}, {"targetPort", "http"}}})}};
    spec.update(more);
    return test::view<Service>({{"metadata",
                                 {{"name", "web"},
                                  {"namespace", "shop"},
                                  {"uid", "service"},
                                  {"labels", {{"team", "a"}}}}},
                                {"spec", spec}});
}

Json serving(int port) {
    return {{"containers", Json::array({{{"ports", Json::array({{{"name", "http"},
                                                                 {"containerPort", port},
                                                                 {"protocol", "TCP"}}})}}})}};
}

PodShape shape(const std::string& name, const std::string& ip, bool ready = true, int port = 8080) {
    return {.name = name,
            .node = "node-1",
            .ip = ip,
            .ready = ready,
            .phase = "Running",
            .spec = serving(port)};
}

SliceChanges plan(const Service& service, const std::vector<Pod>& pods,
                  const std::vector<EndpointSlice>& existing = {}) {
    return plan_slices(service, backing_pods(service, pointers(pods)), pointers(existing),
                       [](const std::string&) { return ""; });
}

/// A created slice as it comes back from the store.
EndpointSlice stored(Json slice, const std::string& name = "web-abcde") {
    slice["metadata"]["name"] = name;
    slice["metadata"]["resourceVersion"] = "7";
    return test::view<EndpointSlice>(std::move(slice));
}

TEST(ServiceEndpointsTest, ReadyPodsAreEndpointsInOrderOfTheirAddresses) {
    const auto changes =
        plan(web(), {pod(shape("b", "10.244.2.10")), pod(shape("a", "10.244.1.9"))});
    ASSERT_EQ(changes.create.size(), 1U);
    const Json& slice = changes.create[0];
    EXPECT_EQ(slice["metadata"]["generateName"], "web-");
    EXPECT_EQ(slice["metadata"]["labels"]["kubernetes.io/service-name"], "web");
    EXPECT_EQ(slice["metadata"]["labels"]["team"], "a");
    EXPECT_EQ(slice["ports"],
              (Json::array({{{"name", "http"}, {"port", 8080}, {"protocol", "TCP"}}})));
    ASSERT_EQ(slice["endpoints"].size(), 2U);
    EXPECT_EQ(slice["endpoints"][0]["addresses"][0], "10.244.1.9");
    EXPECT_EQ(slice["endpoints"][0]["conditions"],
              (Json{{"ready", true}, {"serving", true}, {"terminating", false}}));
}

TEST(ServiceEndpointsTest, WhatIsAsItShouldBeIsNotWritten) {
    const std::vector<Pod> pods = {pod(shape("a", "10.244.1.9"))};
    const auto changes = plan(web(), pods, {stored(plan(web(), pods).create.at(0))});
    EXPECT_TRUE(changes.create.empty());
    EXPECT_TRUE(changes.update.empty());
    EXPECT_TRUE(changes.remove.empty());
}

TEST(ServiceEndpointsTest, APodThatEndsServesOnButIsNotReady) {
    PodShape ending = shape("a", "10.244.1.9");
    ending.deleted = "2026-01-01T00:00:00Z";
    const auto changes = plan(web(), {pod(ending)});
    EXPECT_EQ(changes.create.at(0)["endpoints"][0]["conditions"],
              (Json{{"ready", false}, {"serving", true}, {"terminating", true}}));
}

TEST(ServiceEndpointsTest, PublishNotReadyAddressesMakesEveryEndpointReady) {
    const auto changes =
        plan(web({{"publishNotReadyAddresses", true}}), {pod(shape("a", "10.244.1.9", false))});
    EXPECT_EQ(changes.create.at(0)["endpoints"][0]["conditions"]["ready"], true);
    EXPECT_EQ(changes.create.at(0)["endpoints"][0]["conditions"]["serving"], false);
}

TEST(ServiceEndpointsTest, PodsThatNameAPortDifferentlyGetSlicesOfTheirOwn) {
    const auto changes = plan(web(), {pod(shape("a", "10.244.1.9", true, 8080)),
                                      pod(shape("b", "10.244.1.10", true, 9090))});
    ASSERT_EQ(changes.create.size(), 2U);
    EXPECT_NE(changes.create[0]["ports"], changes.create[1]["ports"]);
}

TEST(ServiceEndpointsTest, OneSliceHoldsAHundredEndpoints) {
    std::vector<Pod> pods;
    for (int i = 1; i <= 150; ++i) {
        pods.push_back(pod(shape("p" + std::to_string(i), "10.244.1." + std::to_string(i))));
    }
    const auto changes = plan(web(), pods);
    ASSERT_EQ(changes.create.size(), 2U);
    EXPECT_EQ(changes.create[0]["endpoints"].size(), 100U);
    EXPECT_EQ(changes.create[1]["endpoints"].size(), 50U);
}

TEST(ServiceEndpointsTest, EndpointsStayInTheirSliceWhenOneGoes) {
    std::vector<Pod> pods = {pod(shape("a", "10.244.1.9")), pod(shape("b", "10.244.1.10"))};
    const std::vector<EndpointSlice> existing = {stored(plan(web(), pods).create.at(0))};
    pods.pop_back();
    const auto changes = plan(web(), pods, existing);
    ASSERT_EQ(changes.update.size(), 1U);
    EXPECT_EQ(changes.update[0]["metadata"]["name"], "web-abcde");
    EXPECT_EQ(changes.update[0]["endpoints"].size(), 1U);
    EXPECT_TRUE(changes.create.empty());
}

TEST(ServiceEndpointsTest, AServiceWithoutPodsHasOneEmptySlice) {
    const auto first = plan(web(), {});
    ASSERT_EQ(first.create.size(), 1U);
    EXPECT_TRUE(first.create[0]["endpoints"].empty());
    const auto again = plan(web(), {}, {stored(first.create[0])});
    EXPECT_TRUE(again.create.empty());
    EXPECT_TRUE(again.update.empty());
    EXPECT_TRUE(again.remove.empty());
}

TEST(ServiceEndpointsTest, WithoutASelectorNobodyIsSelected) {
    EXPECT_TRUE(backing_pods(web({{"selector", Json::object()}}), {}).empty());
    EXPECT_FALSE(is_managed(web({{"selector", Json::object()}})));
    EXPECT_FALSE(is_managed(web({{"type", "ExternalName"}})));
}

TEST(ServiceEndpointsTest, AHostnameIsGivenOnlyUnderItsOwnService) {
    PodShape named = shape("a", "10.244.1.9");
    named.spec["hostname"] = "db-0";
    named.spec["subdomain"] = "web";
    EXPECT_EQ(plan(web(), {pod(named)}).create.at(0)["endpoints"][0]["hostname"], "db-0");
    named.spec["subdomain"] = "other";
    EXPECT_FALSE(plan(web(), {pod(named)}).create.at(0)["endpoints"][0].contains("hostname"));
}

TEST(ServiceEndpointsTest, TheOlderObjectSeparatesReadyFromNotReady) {
    const std::vector<Pod> pods = {pod(shape("a", "10.244.1.9")),
                                   pod(shape("b", "10.244.1.10", false))};
    const Json endpoints = desired_endpoints(web(), backing_pods(web(), pointers(pods)));
    ASSERT_EQ(endpoints["subsets"].size(), 1U);
    const Json& subset = endpoints["subsets"][0];
    EXPECT_EQ(subset["addresses"][0]["ip"], "10.244.1.9");
    EXPECT_EQ(subset["notReadyAddresses"][0]["targetRef"]["name"], "b");
    EXPECT_EQ(subset["ports"][0]["port"], 8080);
}

Endpoints by_hand(Json subsets, Json annotations = Json::object(), Json labels = Json::object()) {
    return test::view<Endpoints>({{"metadata",
                                   {{"name", "db"},
                                    {"namespace", "shop"},
                                    {"uid", "endpoints"},
                                    {"labels", std::move(labels)},
                                    {"annotations", std::move(annotations)}}},
                                  {"subsets", std::move(subsets)}});
}

Json subset(const std::string& ready, const std::string& not_ready, int port) {
    Json out{{"ports", Json::array({{{"port", port}}})}};
    if (!ready.empty()) out["addresses"] = Json::array({{{"ip", ready}}});
    if (!not_ready.empty()) out["notReadyAddresses"] = Json::array({{{"ip", not_ready}}});
    return out;
}

TEST(MirrorTest, EndpointsWrittenByHandBecomeASlicePerSetOfPorts) {
    const auto changes = plan_mirror(
        by_hand(Json::array({subset("192.0.2.1", "192.0.2.2", 80), subset("192.0.2.3", "", 81)})),
        {});
    ASSERT_EQ(changes.create.size(), 2U);
    const Json& first = changes.create[0];
    EXPECT_EQ(string_at(first, {"metadata", "labels", "kubernetes.io/service-name"}), "db");
    EXPECT_EQ(string_at(first, {"metadata", "labels", "endpointslice.kubernetes.io/managed-by"}),
              "endpointslicemirroring-controller.k8s.io");
    EXPECT_EQ(to_text(first["endpoints"]),
              R"([{"addresses":["192.0.2.1"],"conditions":{"ready":true}},)"
              R"({"addresses":["192.0.2.2"],"conditions":{"ready":false}}])");
    EXPECT_EQ(int_at(changes.create[1]["ports"][0], {"port"}), 81);
}

TEST(MirrorTest, TheSameAgainChangesNothingAndLessRemoves) {
    const Endpoints endpoints = by_hand(Json::array({subset("192.0.2.1", "", 80)}));
    const EndpointSlice slice = stored(plan_mirror(endpoints, {}).create.at(0));
    EXPECT_TRUE(is_mirror(slice));
    const auto again = plan_mirror(endpoints, {&slice});
    EXPECT_TRUE(again.create.empty() && again.update.empty() && again.remove.empty());
    const auto moved = plan_mirror(by_hand(Json::array({subset("192.0.2.9", "", 80)})), {&slice});
    ASSERT_EQ(moved.update.size(), 1U);
    EXPECT_EQ(plan_mirror(by_hand(Json::array()), {&slice}).remove.size(), 1U);
}

TEST(MirrorTest, WhoAsksForNoneGetsNone) {
    EXPECT_TRUE(is_mirrored(by_hand(Json::array())));
    EXPECT_FALSE(is_mirrored(by_hand(Json::array(), Json::object(),
                                     {{"endpointslice.kubernetes.io/skip-mirror", "true"}})));
    EXPECT_FALSE(
        is_mirrored(by_hand(Json::array(), {{"control-plane.alpha.kubernetes.io/leader", "x"}})));
}

}  // namespace
}  // namespace kin::controllers
