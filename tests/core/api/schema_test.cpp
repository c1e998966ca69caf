#include "core/api/schema.h"

#include <gtest/gtest.h>

#include "core/api/kinds.h"
#include "core/api/schema_reader.h"

namespace kin {
namespace {

const Message& message(std::string_view name) {
    const Message* found = Schema::builtin().find(name);
    EXPECT_NE(found, nullptr) << name;
    static const Message kNone;
    return found ? *found : kNone;
}

TEST(SchemaTest, HasAMessageForEveryKind) {
    for (const Kind& kind : all_kinds()) {
        const Message& found = message(kind.message);
        EXPECT_EQ(found.kind, kind.kind);
        EXPECT_EQ(found.group, kind.group);
        EXPECT_EQ(found.version, kind.version);
        EXPECT_NE(found.find("apiVersion"), nullptr);
        EXPECT_NE(found.find("metadata"), nullptr);
        EXPECT_FALSE(found.description.empty()) << kind.message;
    }
}

TEST(SchemaTest, KnowsTypesNumbersAndFlags) {
    const Field* replicas = message("apps.v1.DeploymentSpec").find("replicas");
    ASSERT_NE(replicas, nullptr);
    EXPECT_EQ(replicas->type, FieldType::kInt32);
    EXPECT_EQ(replicas->number, 1u);
    EXPECT_TRUE(replicas->keeps_zero);
    EXPECT_EQ(replicas->default_json, "1");
}

TEST(SchemaTest, KnowsHowListsAreMerged) {
    const Field* ports = message("core.v1.Container").find("ports");
    ASSERT_NE(ports, nullptr);
    EXPECT_EQ(ports->shape, FieldShape::kList);
    EXPECT_EQ(ports->list_type, ListType::kMap);
    EXPECT_EQ(ports->list_keys, (std::vector<std::string>{"containerPort", "protocol"}));
    EXPECT_EQ(ports->patch_merge_key, "containerPort");
    const Field* volumes = message("core.v1.PodSpec").find("volumes");
    ASSERT_NE(volumes, nullptr);
    EXPECT_TRUE(volumes->patch_merge);
    EXPECT_TRUE(volumes->patch_retain_keys);
}

TEST(SchemaTest, SelectorsAreOwnedAsAWhole) {
    EXPECT_TRUE(message("apps.v1.DeploymentSpec").find("selector")->atomic_map);
    EXPECT_TRUE(message("core.v1.ServiceSpec").find("selector")->atomic_map);
}

TEST(SchemaTest, FindsFieldsOfInlinedMessages) {
    const Field* http = message("core.v1.Probe").find("httpGet");
    ASSERT_NE(http, nullptr);
    EXPECT_EQ(http->message->name, "core.v1.HTTPGetAction");
    EXPECT_NE(message("core.v1.EphemeralContainer").find("image"), nullptr);
    EXPECT_EQ(message("core.v1.Probe").find("ProbeHandler"), nullptr);
}

TEST(SchemaTest, SearchesTypesInTheOwnSectionFirst) {
    EXPECT_EQ(message("discovery.v1.EndpointSlice").find("ports")->message->name,
              "discovery.v1.EndpointPort");
    EXPECT_EQ(message("core.v1.EndpointSubset").find("ports")->message->name,
              "core.v1.EndpointPort");
}

TEST(SchemaTest, NamesTheLineThatCannotBeRead) {
    const auto schema = SchemaReader::read({"[x.v1 v1]\nA\n  1 a string shiny\n"});
    ASSERT_FALSE(schema);
    EXPECT_EQ(schema.error().text(), "  1 a string shiny: unknown attribute shiny");
}

TEST(SchemaTest, NamesTheMessageThatIsMissing) {
    const auto schema = SchemaReader::read({"[x.v1 v1]\nA\n  1 b B\n"});
    ASSERT_FALSE(schema);
    EXPECT_EQ(schema.error().text(), "x.v1.A.b: there is no message B");
}

}  // namespace
}  // namespace kin
