#include "controllers/rollout.h"

#include <gmock/gmock.h>

#include "controllers/owned.h"
#include "core/base/strings.h"
#include "tests/controllers/objects.h"

namespace kin::controllers {
namespace {

const WallTime kNow = *parse_rfc3339("2026-01-02T00:00:00Z");

Json pod_template(const std::string& image) {
    return {{"metadata", {{"labels", {{"app", "web"}}}}},
            {"spec", {{"containers", Json::array({{{"name", "web"}, {"image", image}}})}}}};
}

/// A Deployment and its ReplicaSets, played forward: what a plan says is done at once.
class RolloutTest : public testing::Test {
protected:
    RolloutTest() {
        deployment_ = {
            {"metadata",
             {{"name", "web"}, {"namespace", "shop"}, {"uid", "dep"}, {"generation", 1}}},
            {"spec",
             {{"replicas", 3},
              {"selector", {{"matchLabels", {{"app", "web"}}}}},
              {"strategy",
               {{"type", "RollingUpdate"},
                {"rollingUpdate", {{"maxSurge", "25%"}, {"maxUnavailable", "25%"}}}}},
              {"template", pod_template("nginx:1")}}}};
    }

    RolloutPlan plan() {
        view_ = test::view<Deployment>(deployment_);
        views_.clear();
        for (const auto& [name, set] : sets_) views_.push_back(test::view<ReplicaSet>(set));
        return plan_rollout(view_, test::pointers(views_), pods_left_, false, kNow);
    }

    void carry_out(const RolloutPlan& plan) {
        if (plan.create) {
            Json set = *plan.create;
            const std::string name = set["metadata"]["name"].get<std::string>();
            set["metadata"]["uid"] = name;
            set["metadata"]["generation"] = 1;
            set["metadata"]["creationTimestamp"] = cat("2026-01-01T00:00:0", sets_.size(), "Z");
            sets_[name] = set;
        }
        for (const RolloutPlan::Scale& scale : plan.scales) {
            Json& set = sets_[scale.set->key().name];
            set["spec"]["replicas"] = scale.to;
            set["metadata"]["annotations"].update(scale.annotations);
        }
        if (plan.newest) {
            sets_[plan.newest->key().name]["metadata"]["annotations"].update(
                plan.newest_annotations);
        }
        for (const ReplicaSet* set : plan.forget) sets_.erase(set->key().name);
        deployment_["metadata"]["annotations"].update(plan.annotations);
        deployment_["status"].merge_patch(plan.status);
    }

    /// Every pod that a set asks for is there and available.
    void pods_come() {
        for (auto& [name, set] : sets_) {
            const Json count = set["spec"]["replicas"];
            set["status"] = {{"replicas", count},
                             {"readyReplicas", count},
                             {"availableReplicas", count},
                             {"observedGeneration", 1}};
        }
    }

    int total() const {
        int sum = 0;
        for (const auto& [name, set] : sets_) sum += set["spec"]["replicas"].get<int>();
        return sum;
    }
    int available() const {
        int sum = 0;
        for (const auto& [name, set] : sets_) {
            sum += std::min(static_cast<int>(int_at(set, {"status", "availableReplicas"})),
                            set["spec"]["replicas"].get<int>());
        }
        return sum;
    }
    void run(int steps) {
        for (int i = 0; i < steps; ++i) {
            carry_out(plan());
            pods_come();
        }
        carry_out(plan());
    }
    std::string condition(std::string_view type) {
        const Json* found = find_condition(deployment_["status"], type);
        return found ? cat(string_at(*found, {"status"}), ' ', string_at(*found, {"reason"})) : "";
    }
    void set_image(const std::string& image) {
        deployment_["spec"]["template"] = pod_template(image);
        deployment_["metadata"]["generation"] =
            deployment_["metadata"]["generation"].get<int>() + 1;
    }

    Json deployment_;
    std::map<std::string, Json> sets_;
    std::map<std::string, int> pods_left_;
    Deployment view_;
    std::vector<ReplicaSet> views_;
};

TEST_F(RolloutTest, ANewDeploymentCreatesItsSetInFullSize) {
    const RolloutPlan first = plan();
    ASSERT_TRUE(first.create);
    const Json& set = *first.create;
    const std::string hash = string_at(set, {"metadata", "labels", "pod-template-hash"});
    EXPECT_EQ(set["metadata"]["name"], "web-" + hash);
    EXPECT_EQ(set["spec"]["replicas"], 3);
    EXPECT_EQ(set["spec"]["selector"]["matchLabels"]["pod-template-hash"], hash);
    EXPECT_EQ(set["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "1");
    EXPECT_EQ(set["metadata"]["annotations"]["deployment.kubernetes.io/max-replicas"], "4");
    EXPECT_EQ(first.annotations["deployment.kubernetes.io/revision"], "1");
}

TEST_F(RolloutTest, WhenAllPodsAreAvailableItIsComplete) {
    run(1);
    EXPECT_EQ(condition("Available"), "True MinimumReplicasAvailable");
    EXPECT_EQ(condition("Progressing"), "True NewReplicaSetAvailable");
    EXPECT_EQ(deployment_["status"]["availableReplicas"], 3);
    // Nothing is left to be written.
    const RolloutPlan rest = plan();
    EXPECT_TRUE(rest.scales.empty());
    EXPECT_EQ(difference(deployment_["status"], rest.status), Json::object());
}

TEST_F(RolloutTest, ARollingUpdateKeepsItsLimitsAtEveryStep) {
    deployment_["spec"]["replicas"] = 10;
    run(1);
    set_image("nginx:2");
    for (int step = 0; step < 20; ++step) {
        carry_out(plan());
        EXPECT_LE(total(), 13);
        EXPECT_GE(available(), 8);
        pods_come();
    }
    EXPECT_EQ(total(), 10);
    int largest = 0;
    for (const auto& [name, set] : sets_) {
        largest = std::max(largest, set["spec"]["replicas"].get<int>());
    }
    EXPECT_EQ(largest, 10);
    EXPECT_EQ(deployment_["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "2");
}

TEST_F(RolloutTest, ABrokenImageStopsTheRolloutAndLeavesTheOldPods) {
    run(1);
    set_image("nginx:broken");
    for (int step = 0; step < 10; ++step) carry_out(plan());
    EXPECT_EQ(available(), 3);
    EXPECT_EQ(total(), 4);
}

TEST_F(RolloutTest, UndoMakesTheOldSetTheNewestRevision) {
    run(1);
    const std::string first = sets_.begin()->first;
    set_image("nginx:2");
    run(10);
    set_image("nginx:1");
    run(10);
    EXPECT_EQ(sets_.size(), 2U);
    EXPECT_EQ(sets_[first]["spec"]["replicas"], 3);
    EXPECT_EQ(sets_[first]["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "3");
}

TEST_F(RolloutTest, ScalingAmidARolloutSpreadsOverBothSets) {
    deployment_["spec"]["replicas"] = 10;
    run(1);
    set_image("nginx:broken");
    for (int step = 0; step < 5; ++step) carry_out(plan());
    ASSERT_EQ(total(), 13);
    deployment_["spec"]["replicas"] = 20;
    carry_out(plan());
    EXPECT_EQ(total(), 25);
    for (const auto& [name, set] : sets_) EXPECT_GT(set["spec"]["replicas"].get<int>(), 5);
}

TEST_F(RolloutTest, RecreateWaitsUntilTheOldPodsAreGone) {
    deployment_["spec"]["strategy"] = {{"type", "Recreate"}};
    run(1);
    const std::string old = sets_.begin()->first;
    pods_left_[old] = 3;
    set_image("nginx:2");
    carry_out(plan());
    EXPECT_EQ(sets_[old]["spec"]["replicas"], 0);
    pods_come();
    EXPECT_FALSE(plan().create);
    pods_left_[old] = 0;
    EXPECT_TRUE(plan().create);
}

TEST_F(RolloutTest, PausedOnlyScales) {
    run(1);
    deployment_["spec"]["paused"] = true;
    set_image("nginx:2");
    deployment_["spec"]["replicas"] = 5;
    run(2);
    EXPECT_EQ(sets_.size(), 1U);
    EXPECT_EQ(total(), 5);
    EXPECT_EQ(condition("Progressing"), "Unknown DeploymentPaused");
}

TEST_F(RolloutTest, OldSetsBeyondTheHistoryLimitAreForgotten) {
    deployment_["spec"]["revisionHistoryLimit"] = 1;
    for (const char* image : {"nginx:1", "nginx:2", "nginx:3", "nginx:4"}) {
        set_image(image);
        run(10);
    }
    EXPECT_EQ(sets_.size(), 2U);
}

TEST_F(RolloutTest, WithoutProgressTheDeadlinePasses) {
    deployment_["spec"]["progressDeadlineSeconds"] = 60;
    carry_out(plan());
    EXPECT_EQ(plan().again_at, kNow + std::chrono::seconds(60));
    for (Json& each : deployment_["status"]["conditions"]) {
        each["lastUpdateTime"] = "2026-01-01T00:00:00Z";
    }
    carry_out(plan());
    EXPECT_EQ(condition("Progressing"), "False ProgressDeadlineExceeded");
}

TEST_F(RolloutTest, AFailureToCreatePodsShowsAtTheDeployment) {
    carry_out(plan());
    sets_.begin()->second["status"] = {{"conditions", Json::array({{{"type", "ReplicaFailure"},
                                                                    {"status", "True"},
                                                                    {"reason", "FailedCreate"},
                                                                    {"message", "quota"}}})}};
    carry_out(plan());
    EXPECT_EQ(condition("ReplicaFailure"), "True FailedCreate");
}

}  // namespace
}  // namespace kin::controllers
