#include "controllers/cron_plan.h"

#include <gtest/gtest.h>

#include "core/api/cron_schedule.h"
#include "tests/controllers/objects.h"

namespace kin::controllers {
namespace {

WallTime time_of(std::string_view text) { return *parse_rfc3339(text); }

std::string next(std::string_view schedule, std::string_view after) {
    const auto parsed = CronSchedule::parse(schedule);
    if (!parsed) return "no schedule";
    const auto at = parsed->next_after(time_of(after));
    return at ? rfc3339(*at) : "never";
}

TEST(CronScheduleTest, GivesTheNextFittingMinute) {
    EXPECT_EQ(next("* * * * *", "2026-01-01T00:00:30Z"), "2026-01-01T00:01:00Z");
    EXPECT_EQ(next("*/15 * * * *", "2026-01-01T00:15:00Z"), "2026-01-01T00:30:00Z");
    EXPECT_EQ(next("30 8-10 * * mon-fri", "2026-01-02T10:45:00Z"), "2026-01-05T08:30:00Z");
    EXPECT_EQ(next("0 0 29 2 *", "2026-01-01T00:00:00Z"), "2028-02-29T00:00:00Z");
    EXPECT_EQ(next("@monthly", "2026-12-31T23:59:59Z"), "2027-01-01T00:00:00Z");
    EXPECT_EQ(next("5,10 1 * jan 7", "2026-01-04T01:06:00Z"), "2026-01-04T01:10:00Z");
}

TEST(CronScheduleTest, WithBothKindsOfDaysEitherIsEnough) {
    EXPECT_EQ(next("0 0 13 * fri", "2026-01-01T00:00:00Z"), "2026-01-02T00:00:00Z");
    EXPECT_EQ(next("0 0 13 * fri", "2026-01-09T00:00:00Z"), "2026-01-13T00:00:00Z");
}

TEST(CronScheduleTest, ADelayIsOverSoMuchLater) {
    const WallTime at = *parse_rfc3339("2026-01-01T10:00:07Z");
    const auto next = CronSchedule::parse("@every 1h30m5s")->next_after(at);
    EXPECT_EQ(next, parse_rfc3339("2026-01-01T11:30:12Z"));
    for (const char* none : {"@every", "@every ", "@every 5", "@every m", "@every 0s", "@every 5x"})
        EXPECT_FALSE(CronSchedule::parse(none)) << none;
}

TEST(CronScheduleTest, RefusesWhatIsNone) {
    for (const char* text : {"", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "*/0 * * * *",
                             "5-1 * * * *", "x * * * *", "@never"}) {
        EXPECT_EQ(next(text, "2026-01-01T00:00:00Z"), "no schedule") << text;
    }
    EXPECT_EQ(next("0 0 30 2 *", "2026-01-01T00:00:00Z"), "never");
}

CronJob cron(Json spec, Json status = Json::object()) {
    spec["schedule"] = "*/10 * * * *";
    spec["jobTemplate"] = {{"spec", {{"template", Json::object()}}}};
    return test::view<CronJob>({{"metadata",
                                 {{"name", "tick"},
                                  {"namespace", "shop"},
                                  {"uid", "c"},
                                  {"creationTimestamp", "2026-01-01T00:00:00Z"}}},
                                {"spec", std::move(spec)},
                                {"status", std::move(status)}});
}

Job job(const std::string& name, const std::string& condition) {
    Json conditions = Json::array();
    if (!condition.empty()) conditions.push_back({{"type", condition}, {"status", "True"}});
    return test::view<Job>(
        {{"metadata", {{"name", name}, {"uid", name}, {"creationTimestamp", name}}},
         {"status", {{"conditions", conditions}}}});
}

TEST(CronPlanTest, MakesOneJobForWhatIsDue) {
    const WallTime now = time_of("2026-01-01T00:25:00Z");
    const CronPlan plan = plan_cron_job(cron(Json::object()), {}, now);
    ASSERT_TRUE(plan.create.has_value());
    EXPECT_EQ(string_at(*plan.create, {"metadata", "name"}), "tick-29453780");
    EXPECT_EQ(string_at(plan.status, {"lastScheduleTime"}), "2026-01-01T00:20:00Z");
    EXPECT_EQ(rfc3339(plan.again_at.value()), "2026-01-01T00:30:00Z");
    const Json seen{{"lastScheduleTime", "2026-01-01T00:20:00Z"}};
    EXPECT_FALSE(plan_cron_job(cron(Json::object(), seen), {}, now).create.has_value());
}

TEST(CronPlanTest, PoliciesDecideWhatHappensToARunningJob) {
    const WallTime now = time_of("2026-01-01T00:25:00Z");
    const Job running = job("a", "");
    EXPECT_TRUE(plan_cron_job(cron({{"concurrencyPolicy", "Allow"}}), {&running}, now).create);
    EXPECT_FALSE(plan_cron_job(cron({{"concurrencyPolicy", "Forbid"}}), {&running}, now).create);
    const CronPlan replaced =
        plan_cron_job(cron({{"concurrencyPolicy", "Replace"}}), {&running}, now);
    EXPECT_TRUE(replaced.create);
    EXPECT_EQ(replaced.remove.size(), 1U);
}

TEST(CronPlanTest, SuspendedOrTooLateMakesNothing) {
    const WallTime now = time_of("2026-01-01T00:25:00Z");
    EXPECT_FALSE(plan_cron_job(cron({{"suspend", true}}), {}, now).create);
    EXPECT_FALSE(plan_cron_job(cron({{"startingDeadlineSeconds", 60}}), {}, now).create);
}

TEST(CronPlanTest, ForgetsOldJobs) {
    const Job a = job("a", "Complete"), b = job("b", "Complete"), c = job("c", "Failed"),
              d = job("d", "Failed");
    const CronPlan plan = plan_cron_job(cron({{"successfulJobsHistoryLimit", 1}}), {&a, &b, &c, &d},
                                        time_of("2026-01-01T00:05:00Z"));
    EXPECT_EQ(plan.remove, (std::vector<const Job*>{&a, &c}));
}

}  // namespace
}  // namespace kin::controllers
