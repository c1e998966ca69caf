#include <gtest/gtest.h>

#include <random>

#include "core/base/strings.h"
#include "core/registry/patch.h"
#include "core/registry/patch/field_set.h"

namespace kin {
namespace {

const Kind& kind_of(std::string_view api_version, std::string_view kind) {
    return *find_kind_of(api_version, kind);
}
FieldWriter writer(std::string manager, std::string subresource = "",
                   std::string time = "2026-01-01T00:00:00Z") {
    return {std::move(manager), std::move(subresource), std::move(time)};
}
Json config_map(const Json& data) {
    return {{"apiVersion", "v1"},
            {"kind", "ConfigMap"},
            {"metadata", {{"name", "conf"}, {"namespace", "test"}}},
            {"data", data}};
}
Json apply(const Json* live, const Json& applied, const std::string& manager,
           ApplyForce force = ApplyForce::kNo) {
    auto result = server_side_apply(
        *find_kind_of(string_at(applied, {"apiVersion"}), string_at(applied, {"kind"})), live,
        applied, writer(manager), force);
    return result ? *std::move(result) : result.error().to_json();
}
/// manager/operation/subresource and fields of each entry.
std::string owners(const Json& object) {
    std::string out;
    for (const Json& entry : array_at(object, {"metadata", "managedFields"}))
        out += cat(string_at(entry, {"manager"}), ' ', string_at(entry, {"operation"}), ' ',
                   string_at(entry, {"subresource"}), ' ', to_text(entry["fieldsV1"]), '\n');
    return out;
}

TEST(FieldSetTest, AlgebraKeepsMembersAndTheirParentsApart) {
    const FieldSet a = parse_fields_v1(Json::parse(R"({"f:x":{".":{},"f:a":{},"f:b":{}}})"));
    const FieldSet b = parse_fields_v1(Json::parse(R"({"f:x":{"f:b":{},"f:c":{}}})"));
    EXPECT_EQ(to_text(to_fields_v1(united(a, b))),
              R"({"f:x":{".":{},"f:a":{},"f:b":{},"f:c":{}}})");
    EXPECT_EQ(to_text(to_fields_v1(common(a, b))), R"({"f:x":{"f:b":{}}})");
    EXPECT_EQ(to_text(to_fields_v1(without(a, b))), R"({"f:x":{".":{},"f:a":{}}})");
    EXPECT_EQ(to_text(to_fields_v1(without(b, a))), R"({"f:x":{"f:c":{}}})");
    EXPECT_TRUE(without(a, a).empty());
}

TEST(FieldSetTest, PathsReadAsPeopleWriteThem) {
    const auto paths = paths_of(parse_fields_v1(Json::parse(
        R"({"f:ports":{"k:{\"port\":80,\"protocol\":\"TCP\"}":{"f:name":{}}},"f:s":{"v:\"a\"":{}}})")));
    EXPECT_EQ(paths,
              (std::vector<std::string>{R"(.ports[port=80,protocol="TCP"].name)", R"(.s[="a"])"}));
}

TEST(ApplyTest, ConflictsAreGroupedByManagerAndForceTakesOver) {
    Json live = apply(nullptr, config_map({{"a", "1"}, {"b", "1"}}), "m1");
    live = track_update(
        kind_of("v1", "ConfigMap"), &live,
        [&] {
            Json updated = live;
            updated["data"]["c"] = "1";
            return updated;
        }(),
        writer("m2"));
    const Json wanted = config_map({{"a", "2"}, {"b", "2"}, {"c", "2"}});
    const Json refused = apply(&live, wanted, "m3");
    EXPECT_EQ(refused["code"], 409);
    EXPECT_EQ(refused["message"],
              "Apply failed with 3 conflicts: conflicts with \"m1\":\n- .data.a\n- .data.b\n"
              "conflicts with \"m2\" using v1:\n- .data.c");
    const Json taken = apply(&live, wanted, "m3", ApplyForce::kYes);
    EXPECT_EQ(owners(taken), "m3 Apply  {\"f:data\":{\"f:a\":{},\"f:b\":{},\"f:c\":{}}}\n");
}

TEST(ApplyTest, WhatIsGivenUpGoesUnlessSomebodyElseOwnsIt) {
    Json live = apply(nullptr, config_map({{"a", "1"}, {"b", "1"}}), "m1");
    live = apply(&live, config_map({{"b", "1"}}), "m2");
    live = apply(&live, config_map({{"c", "1"}}), "m1");
    EXPECT_EQ(to_text(live["data"]), R"({"b":"1","c":"1"})");
    live = apply(&live, config_map(Json::object()), "m2");
    EXPECT_EQ(to_text(live["data"]), R"({"c":"1"})");
}

TEST(ApplyTest, ApplyingTheSameAgainChangesNothing) {
    const Json first = apply(nullptr, config_map({{"a", "1"}}), "m1");
    const auto again =
        server_side_apply(kind_of("v1", "ConfigMap"), &first, config_map({{"a", "1"}}),
                          writer("m1", "", "2026-02-02T00:00:00Z"), ApplyForce::kNo);
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, first);
}

TEST(ApplyTest, AKeyThatIsLeftOutHasItsDefault) {
    const auto service = [](const Json& port) {
        return Json{{"apiVersion", "v1"},
                    {"kind", "Service"},
                    {"metadata", {{"name", "web"}}},
                    {"spec", {{"ports", {port}}}}};
    };
    Json live = apply(nullptr, service({{"port", 80}, {"protocol", "TCP"}, {"name", "a"}}), "m1");
    live = apply(&live, service({{"port", 80}, {"targetPort", 8080}}), "m2");
    ASSERT_EQ(live["spec"]["ports"].size(), 1u);
    EXPECT_EQ(live["spec"]["ports"][0]["targetPort"], 8080);
    EXPECT_EQ(apply(nullptr, service({{"name", "x"}}), "m1")["code"], 400);
}

TEST(ApplyTest, UndeclaredFieldsAndManagedFieldsAreRefused) {
    Json unknown = config_map(Json::object());
    unknown["foo"] = 1;
    EXPECT_EQ(apply(nullptr, unknown, "m")["message"],
              "failed to create typed patch object (test/conf; v1, Kind=ConfigMap): .foo: field "
              "not declared in schema");
    Json managed = config_map(Json::object());
    managed["metadata"]["managedFields"] = Json::array({Json::object()});
    EXPECT_EQ(apply(nullptr, managed, "m")["message"], "metadata.managedFields must be nil");
    EXPECT_EQ(
        apply(nullptr, {{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"data", 1}}, "m")["code"],
        400);
}

TEST(ApplyTest, KubectlTakesOverWhatItAppliedClientSide) {
    Json live = config_map({{"a", "1"}, {"b", "1"}});
    live["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] =
        to_text(config_map({{"a", "1"}, {"b", "0"}}));
    live = track_update(kind_of("v1", "ConfigMap"), nullptr, live,
                        writer("kubectl-client-side-apply"));
    const Json taken = apply(&live, config_map({{"a", "2"}}), "kubectl");
    EXPECT_EQ(taken["data"]["a"], "2");
    EXPECT_EQ(string_at(taken, {"metadata", "annotations",
                                "kubectl.kubernetes.io/last-applied-configuration"}),
              to_text(config_map({{"a", "2"}})) + '\n');
    // b was changed since by somebody: that is a conflict as always.
    EXPECT_EQ(apply(&live, config_map({{"b", "2"}}), "kubectl")["code"], 409);
    EXPECT_EQ(apply(&live, config_map({{"a", "2"}}), "helm")["code"], 409);
}

TEST(TrackUpdateTest, StatusIsAnEntryOfItsOwn) {
    const Kind& kind = kind_of("apps/v1", "Deployment");
    Json live = {{"apiVersion", "apps/v1"},
                 {"kind", "Deployment"},
                 {"metadata", {{"name", "web"}, {"labels", {{"a", "1"}}}}},
                 {"spec", {{"replicas", 1}}}};
    live = track_update(kind, nullptr, live, writer("kubectl"));
    Json updated = live;
    updated["status"]["replicas"] = 1;
    live = track_update(kind, &live, updated, writer("controller", "status"));
    EXPECT_EQ(owners(live),
              "controller Update status {\"f:status\":{\".\":{},\"f:replicas\":{}}}\n"
              "kubectl Update  {\"f:metadata\":{\"f:labels\":{\".\":{},\"f:a\":{}}},"
              "\"f:spec\":{\"f:replicas\":{}}}\n");
    Json scaled = live;
    scaled["spec"]["replicas"] = 3;
    live = track_update(kind, &live, scaled, writer("kubectl", "scale"));
    EXPECT_NE(owners(live).find("kubectl Update scale {\"f:spec\":{\"f:replicas\":{}}}\n"),
              std::string::npos);
}

TEST(TrackUpdateTest, AWriteThatChangesNothingLeavesTheObjectAsItWas) {
    const Kind& kind = kind_of("v1", "ConfigMap");
    const Json live = track_update(kind, nullptr, config_map({{"a", "1"}}), writer("m1"));
    Json same = live;
    same["metadata"].erase("managedFields");
    EXPECT_EQ(track_update(kind, &live, same, writer("m2", "", "2027-01-01T00:00:00Z")), live);
}

TEST(TrackUpdateTest, AClientMayResetOrRewriteTheOwners) {
    const Kind& kind = kind_of("v1", "ConfigMap");
    const Json live = track_update(kind, nullptr, config_map({{"a", "1"}}), writer("m1"));
    for (const char* list : {"[]", "[{}]"}) {
        Json reset = live;
        reset["metadata"]["managedFields"] = Json::parse(list);
        EXPECT_EQ(owners(track_update(kind, &live, reset, writer("m2"))), "") << list;
    }
    Json rewritten = live;
    rewritten["metadata"]["managedFields"][0]["manager"] = "kubectl";
    rewritten["metadata"]["managedFields"][0]["operation"] = "Apply";
    EXPECT_EQ(owners(track_update(kind, &live, rewritten, writer("m2"))),
              "kubectl Apply  {\"f:data\":{\".\":{},\"f:a\":{}}}\n");
}

TEST(TrackUpdateTest, TheOldestOfManyUpdatersAreMerged) {
    const Kind& kind = kind_of("v1", "ConfigMap");
    Json live = track_update(kind, nullptr, config_map({{"a", "1"}}), writer("m"));
    for (int i = 10; i < 40; ++i) {
        Json updated = live;
        updated["data"][cat('k', i)] = "1";
        live = track_update(kind, &live, updated,
                            writer(cat('m', i), "", cat("2026-01-01T00:00:", i, 'Z')));
    }
    EXPECT_EQ(live["metadata"]["managedFields"].size(), 10u);
    EXPECT_NE(owners(live).find("ancient-changes"), std::string::npos);
}

TEST(TrackUpdateTest, SurvivesBrokenManagedFields) {
    const std::string seed =
        R"([{"manager":"m","operation":"Update","apiVersion":"v1","fieldsType":"FieldsV1",)"
        R"("fieldsV1":{"f:data":{".":{},"f:a":{}},"f:metadata":{"f:finalizers":{"v:\"x\"":{}},)"
        R"("f:ownerReferences":{"k:{\"uid\":\"1\"}":{".":{}}}}}}])";
    const Kind& kind = kind_of("v1", "ConfigMap");
    const Json live = track_update(kind, nullptr, config_map({{"a", "1"}}), writer("m1"));
    std::mt19937 random(13);
    for (int round = 0; round < 2'000; ++round) {
        std::string text = seed;
        for (size_t changes = random() % 4 + 1; changes > 0; --changes)
            text[random() % text.size()] = "fkv:{}\"\\[].,am1"[random() % 15];
        const Json list = Json::parse(text, nullptr, false);
        if (list.is_discarded()) continue;
        Json updated = live;
        updated["metadata"]["managedFields"] = list;
        updated["data"]["a"] = "2";
        const Json tracked = track_update(kind, &live, updated, writer("m2"));
        apply(&tracked, config_map({{"b", "3"}}), "m3", ApplyForce::kYes);
    }
}

}  // namespace
}  // namespace kin
