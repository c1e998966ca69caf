// The kernel takes what policies become: whole tables and the changes between them.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/strings.h"
#include "core/kernel/nodes.h"
#include "policy/ruleset.h"
#include "tests/core/kernel/sample_table.h"
#include "tests/policy/random_world.h"
#include "tests/support/lab_namespace.h"

namespace kin::policy {

namespace {
class PolicyLabTest : public testing::Test {
protected:
    void SetUp() override {
        KIN_REQUIRE_LAB();
        auto node = KernelNode::create("node-1");
        ASSERT_TRUE(node) << node.error().text();
        node_.emplace(std::move(*node));
    }
    /// What nft lists, in an order that does not depend on how it came about.
    std::vector<std::string> listing() {
        auto text = node_->netns.enter([]() -> Result<std::string> {
            return test::shell(cat("nft -s list table ip ", kTableName));
        });
        return lines(*text);
    }
    static std::vector<std::string> lines(const std::string& text) {
        const std::string sorted = test::with_sorted_elements(text);
        std::vector<std::string> out;
        for (const std::string_view line : split(sorted, '\n')) out.emplace_back(line);
        std::sort(out.begin(), out.end());
        return out;
    }

    std::optional<KernelNode> node_;
};

Ruleset ruleset_of(const World& world) {
    Ruleset out;
    for (const auto& [name, labels] : world.namespaces) out.set_namespace(name, labels);
    for (const auto& [name, address] : world.nodes) out.set_node(name, address);
    for (const auto& [key, policy] : world.policies) out.set_policy(key, policy);
    for (const auto& [address, pod] : world.pods) out.set_pod(pod);
    return out;
}
}  // namespace

TEST_F(PolicyLabTest, TheKernelHoldsWhatTheTableSays) {
    for (uint32_t seed = 0; seed < 12; ++seed) {
        RandomWorld random(seed);
        Ruleset ruleset = ruleset_of(random.world(9, 5));
        (void)ruleset.take_changes();
        const nft::Table table = ruleset.table("node-1");
        ASSERT_DONE(node_->nft.replace(table));
        ASSERT_EQ(listing(), lines(to_text(table))) << "seed " << seed;
    }
}

TEST_F(PolicyLabTest, ChangesAreCarriedOut) {
    RandomWorld random(100);
    Ruleset ruleset = ruleset_of(random.world(9, 4));
    (void)ruleset.take_changes();
    ASSERT_DONE(node_->nft.replace(ruleset.table("node-1")));
    for (int step = 0; step < 60; ++step) {
        switch (random.below(4)) {
            case 0: {
                NetworkPolicy policy = random.network_policy(cat("policy-", random.below(6)));
                ruleset.set_policy(policy.key(), policy);
                break;
            }
            case 1:
                if (!ruleset.world().policies.empty())
                    ruleset.set_policy(ObjectKey(ruleset.world().policies.begin()->first), {});
                break;
            case 2:
                ruleset.set_namespace("x", random.labels());
                break;
            default:
                ruleset.set_pod(random.pod(pod_address(random.below(9))));
        }
        auto changes = ruleset.take_changes();
        if (const auto mine = changes.find("node-1"); mine != changes.end())
            ASSERT_DONE(node_->nft.apply(mine->second));
        ASSERT_EQ(listing(), lines(to_text(ruleset.table("node-1")))) << "step " << step;
    }
}

}  // namespace kin::policy
