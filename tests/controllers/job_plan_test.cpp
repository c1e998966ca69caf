#include "controllers/job_plan.h"

#include <gtest/gtest.h>

#include "core/base/strings.h"
#include "tests/controllers/objects.h"

namespace kin::controllers {
namespace {

const WallTime kNow = *parse_rfc3339("2026-01-01T01:00:00Z");

Job job_of(Json spec, Json status = Json::object()) {
    spec["template"] = {{"spec", {{"containers", Json::array({{{"image", "busybox"}}})}}}};
    return test::view<Job>({{"metadata", {{"name", "pi"}, {"namespace", "shop"}, {"uid", "job"}}},
                            {"spec", std::move(spec)},
                            {"status", std::move(status)}});
}

std::vector<Pod> pods_in(std::initializer_list<const char*> phases) {
    std::vector<Pod> out;
    for (const char* phase : phases) {
        out.push_back(
            test::pod({.name = cat("pi-", out.size()), .phase = phase, .owner_uid = "job"}));
    }
    return out;
}

JobPlan plan(const Job& job, const std::vector<Pod>& pods, WallTime now = kNow) {
    return plan_job(job, test::pointers(pods), {}, now);
}

bool has_condition(const JobPlan& plan, std::string_view type) {
    for (const Json& one : array_at(plan.status, {"conditions"})) {
        if (string_at(one, {"type"}) == type) return string_at(one, {"status"}) == "True";
    }
    return false;
}

TEST(JobPlanTest, RunsAsManyAsParallelismAllowsAndCompletionsNeed) {
    const Job job = job_of({{"completions", 5}, {"parallelism", 3}});
    EXPECT_EQ(plan(job, {}).create.size(), 3U);
    EXPECT_EQ(plan(job, pods_in({"Running", "Succeeded"})).create.size(), 2U);
    EXPECT_EQ(plan(job, pods_in({"Succeeded", "Succeeded", "Succeeded", "Running"})).create.size(),
              1U);
}

TEST(JobPlanTest, CompletesWithTheWantedNumberOfSuccesses) {
    const JobPlan done = plan(job_of({{"completions", 2}}), pods_in({"Succeeded", "Succeeded"}));
    EXPECT_TRUE(has_condition(done, "Complete"));
    EXPECT_TRUE(done.create.empty());
    EXPECT_EQ(done.event_reason, "Completed");
    EXPECT_EQ(int_at(done.status, {"succeeded"}), 2);
    EXPECT_EQ(string_at(done.status, {"completionTime"}), "2026-01-01T01:00:00Z");
}

TEST(JobPlanTest, WithoutCompletionsOneSuccessEndsIt) {
    const Job job = job_of({{"parallelism", 2}});
    EXPECT_FALSE(has_condition(plan(job, pods_in({"Succeeded", "Running"})), "Complete"));
    EXPECT_TRUE(has_condition(plan(job, pods_in({"Succeeded", "Succeeded"})), "Complete"));
}

TEST(JobPlanTest, FailsBeyondTheBackoffLimitAndStopsTheRest) {
    const JobPlan failed = plan(job_of({{"completions", 3}, {"backoffLimit", 1}}),
                                pods_in({"Failed", "Failed", "Running"}));
    EXPECT_TRUE(has_condition(failed, "Failed"));
    EXPECT_EQ(failed.event_reason, "BackoffLimitExceeded");
    EXPECT_EQ(failed.remove.size(), 1U);
}

TEST(JobPlanTest, WaitsLongerAfterEachFailure) {
    Json ended = *pods_in({"Failed"})[0].object;
    ended["status"]["containerStatuses"] =
        Json::array({{{"state", {{"terminated", {{"finishedAt", "2026-01-01T00:59:55Z"}}}}}}});
    const std::vector<Pod> pods{test::view<Pod>(ended)};
    const JobPlan waiting = plan(job_of({{"completions", 1}, {"backoffLimit", 6}}), pods);
    EXPECT_TRUE(waiting.create.empty());
    ASSERT_TRUE(waiting.again_at.has_value());
    EXPECT_EQ(rfc3339(*waiting.again_at), "2026-01-01T01:00:05Z");
    EXPECT_EQ(plan(job_of({{"completions", 1}}), pods, *waiting.again_at).create.size(), 1U);
}

TEST(JobPlanTest, DeadlineEndsIt) {
    const Json status{{"startTime", "2026-01-01T00:59:00Z"}};
    EXPECT_EQ(
        plan(job_of({{"completions", 1}, {"activeDeadlineSeconds", 60}}, status), {}).event_reason,
        "DeadlineExceeded");
    const JobPlan later =
        plan(job_of({{"completions", 1}, {"activeDeadlineSeconds", 90}}, status), {});
    EXPECT_EQ(rfc3339(later.again_at.value()), "2026-01-01T01:00:30Z");
}

TEST(JobPlanTest, AFinishedJobGoesWhenItsTimeIsOver) {
    const Json status{
        {"conditions", Json::array({{{"type", "Complete"},
                                     {"status", "True"},
                                     {"lastTransitionTime", "2026-01-01T00:59:30Z"}}})}};
    EXPECT_TRUE(plan(job_of({{"ttlSecondsAfterFinished", 30}}, status), {}).delete_job);
    EXPECT_FALSE(plan(job_of({{"ttlSecondsAfterFinished", 31}}, status), {}).delete_job);
    EXPECT_FALSE(plan(job_of(Json::object(), status), {}).delete_job);
}

TEST(JobPlanTest, SuspendedRunsNothing) {
    const JobPlan suspended =
        plan(job_of({{"completions", 1}, {"suspend", true}}), pods_in({"Running"}));
    EXPECT_EQ(suspended.remove.size(), 1U);
    EXPECT_TRUE(suspended.create.empty());
    EXPECT_TRUE(has_condition(suspended, "Suspended"));
}

TEST(JobPlanTest, IndexedPodsKnowTheirIndex) {
    Json second = *pods_in({"Succeeded"})[0].object;
    second["metadata"]["annotations"] = {{"batch.kubernetes.io/job-completion-index", "1"}};
    const JobPlan indexed =
        plan(job_of({{"completions", 3}, {"parallelism", 3}, {"completionMode", "Indexed"}}),
             {test::view<Pod>(second)});
    ASSERT_EQ(indexed.create.size(), 2U);
    EXPECT_EQ(string_at(indexed.create[0], {"spec", "hostname"}), "pi-0");
    EXPECT_EQ(string_at(indexed.create[1], {"spec", "hostname"}), "pi-2");
    EXPECT_EQ(string_at(indexed.status, {"completedIndexes"}), "1");
}

TEST(JobPlanTest, PodsThatAreGoneStayCounted) {
    const PastPods past{1, 0};
    const JobPlan counted =
        plan_job(job_of({{"completions", 2}}, {{"succeeded", 1}}), {}, past, kNow);
    EXPECT_EQ(int_at(counted.status, {"succeeded"}), 1);
    EXPECT_EQ(counted.create.size(), 1U);
}

TEST(JobPlanTest, IndexesAreWrittenAsRanges) {
    EXPECT_EQ(index_ranges({}), "");
    EXPECT_EQ(index_ranges({0, 1, 2, 5, 7, 8}), "0-2,5,7,8");
}

}  // namespace
}  // namespace kin::controllers
