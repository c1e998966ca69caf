#include "controllers/owner_graph.h"

#include <gmock/gmock.h>

namespace kin::controllers {
namespace {

using What = OwnerGraph::Action::What;

Metadata object(const std::string& name, std::vector<std::string> owners = {}) {
    Metadata meta;
    meta.key = {"shop", name};
    meta.uid = name;
    for (const std::string& owner : owners) {
        meta.owners.push_back({"v1", "ConfigMap", owner, owner, true, true});
    }
    return meta;
}

class OwnerGraphTest : public testing::Test {
protected:
    void add(const Metadata& meta) { graph_.note(*find_resource("configmaps"), nullptr, &meta); }
    void remove(const Metadata& meta) { graph_.note(*find_resource("configmaps"), &meta, nullptr); }
    Metadata deleting(Metadata meta, const std::string& finalizer) {
        meta.deleted = "2026-01-01T00:00:00Z";
        meta.finalizers = {finalizer};
        return meta;
    }
    OwnerGraph graph_;
};

TEST_F(OwnerGraphTest, WhoseOwnerLivesStays) {
    add(object("owner"));
    add(object("child", {"owner"}));
    EXPECT_TRUE(graph_.verdict("child").empty());
}

TEST_F(OwnerGraphTest, WhoseOwnerIsGoneIsDeleted) {
    const Metadata owner = object("owner");
    add(owner);
    add(object("child", {"owner"}));
    EXPECT_THAT(graph_.note(*find_resource("configmaps"), &owner, nullptr),
                testing::Contains("child"));
    const auto actions = graph_.verdict("child");
    ASSERT_EQ(actions.size(), 1U);
    EXPECT_EQ(actions[0].what, What::kDelete);
    EXPECT_EQ(actions[0].propagation, Propagation::kBackground);
}

TEST_F(OwnerGraphTest, OneOwnerLeftKeepsItAliveAndTheLostOneIsDropped) {
    add(object("one"));
    add(object("child", {"one", "gone"}));
    const auto actions = graph_.verdict("child");
    ASSERT_EQ(actions.size(), 1U);
    EXPECT_EQ(actions[0].what, What::kDropOwners);
    EXPECT_THAT(actions[0].owners, testing::ElementsAre("gone"));
}

TEST_F(OwnerGraphTest, AnOwnerInAnotherNamespaceIsNone) {
    Metadata owner = object("owner");
    owner.key.ns = "elsewhere";
    add(owner);
    add(object("child", {"owner"}));
    EXPECT_EQ(graph_.verdict("child").at(0).what, What::kDelete);
}

TEST_F(OwnerGraphTest, ForegroundDeletionWaitsForWhatBlocksIt) {
    const Metadata owner = deleting(object("owner"), "foregroundDeletion");
    const Metadata child = object("child", {"owner"});
    add(owner);
    add(child);
    EXPECT_TRUE(graph_.verdict("owner").empty());
    EXPECT_EQ(graph_.verdict("child").at(0).what, What::kDelete);
    remove(child);
    const auto actions = graph_.verdict("owner");
    ASSERT_EQ(actions.size(), 1U);
    EXPECT_EQ(actions[0].what, What::kRemoveFinalizer);
    EXPECT_EQ(actions[0].finalizer, "foregroundDeletion");
}

TEST_F(OwnerGraphTest, ForegroundDeletionGoesDownLevelByLevel) {
    add(deleting(object("owner"), "foregroundDeletion"));
    add(object("middle", {"owner"}));
    add(object("leaf", {"middle"}));
    EXPECT_EQ(graph_.verdict("middle").at(0).propagation, Propagation::kForeground);
}

TEST_F(OwnerGraphTest, OrphaningDropsTheOwnerFirst) {
    add(deleting(object("owner"), "orphan"));
    add(object("child", {"owner"}));
    const auto actions = graph_.verdict("owner");
    ASSERT_EQ(actions.size(), 1U);
    EXPECT_EQ(actions[0].what, What::kDropOwners);
    EXPECT_EQ(actions[0].uid, "child");
    Metadata before = object("child", {"owner"}), freed = object("child");
    graph_.note(*find_resource("configmaps"), &before, &freed);
    EXPECT_EQ(graph_.verdict("owner").at(0).what, What::kRemoveFinalizer);
}

}  // namespace
}  // namespace kin::controllers
