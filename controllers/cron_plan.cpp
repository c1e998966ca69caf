#include "controllers/cron_plan.h"

#include <algorithm>

#include "core/api/cron_schedule.h"
#include "controllers/owned.h"
#include "core/base/strings.h"

namespace kin::controllers {

namespace {
enum class End { kNone, kComplete, kFailed };

End end_of(const Job& job) {
    for (const Json& condition : array_at(job.status(), {"conditions"})) {
        if (string_at(condition, {"status"}) != "True") continue;
        if (string_at(condition, {"type"}) == "Complete") return End::kComplete;
        if (string_at(condition, {"type"}) == "Failed") return End::kFailed;
    }
    return End::kNone;
}

Json new_job(const CronJob& cron, WallTime scheduled) {
    const Json& job_template = object_at(cron.spec(), {"jobTemplate"});
    const auto minutes =
        std::chrono::duration_cast<std::chrono::minutes>(scheduled.time_since_epoch()).count();
    Json meta{
        {"name", cat(cron.key().name, '-', minutes)},
        {"namespace", cron.key().ns},
        {"ownerReferences", Json::array({owner_reference("batch/v1", "CronJob", cron.meta)})}};
    for (const char* field : {"labels", "annotations"}) {
        if (const Json* value = find(job_template, {"metadata", field})) meta[field] = *value;
    }
    meta["annotations"]["batch.kubernetes.io/cronjob-scheduled-timestamp"] = rfc3339(scheduled);
    return {{"apiVersion", "batch/v1"},
            {"kind", "Job"},
            {"metadata", std::move(meta)},
            {"spec", object_at(job_template, {"spec"})}};
}

/// The last time that was due until `now`, after `since`. Missed times are not made up for.
std::optional<WallTime> last_due(const CronSchedule& schedule, WallTime since, WallTime now) {
    std::optional<WallTime> out;
    // Far back it is enough to look at the last days.
    since = std::max(since, now - std::chrono::hours(24 * 32));
    for (auto at = schedule.next_after(since); at && *at <= now; at = schedule.next_after(*at)) {
        out = at;
    }
    return out;
}

/// Ended Jobs beyond the number that is to be kept, oldest first.
void trim_history(std::vector<const Job*> ended, int64_t keep, std::vector<const Job*>& out) {
    std::sort(ended.begin(), ended.end(), [](const Job* a, const Job* b) {
        return std::make_pair(a->meta.created, a->key()) <
               std::make_pair(b->meta.created, b->key());
    });
    const int64_t surplus = static_cast<int64_t>(ended.size()) - keep;
    if (surplus > 0) out.insert(out.end(), ended.begin(), ended.begin() + surplus);
}
}  // namespace

CronPlan plan_cron_job(const CronJob& cron, const std::vector<const Job*>& jobs, WallTime now) {
    CronPlan plan;
    if (cron.meta.deleting()) return plan;
    const Json& spec = cron.spec();
    std::vector<const Job*> complete, failed, active;
    for (const Job* job : jobs) {
        if (job->meta.deleting()) continue;
        const End end = end_of(*job);
        (end == End::kComplete ? complete : end == End::kFailed ? failed : active).push_back(job);
    }
    const std::string last = string_at(cron.status(), {"lastScheduleTime"});
    plan.status["lastScheduleTime"] = last.empty() ? Json() : Json(last);
    std::string success = string_at(cron.status(), {"lastSuccessfulTime"});
    for (const Job* job : complete) {
        success = std::max(success, string_at(job->status(), {"completionTime"}));
    }
    plan.status["lastSuccessfulTime"] = success.empty() ? Json() : Json(success);
    Json running = Json::array();
    for (const Job* job : active) {
        running.push_back({{"apiVersion", "batch/v1"},
                           {"kind", "Job"},
                           {"name", job->key().name},
                           {"namespace", job->key().ns},
                           {"uid", job->meta.uid}});
    }
    plan.status["active"] = running.empty() ? Json() : running;
    trim_history(complete, int_at(spec, {"successfulJobsHistoryLimit"}, 3), plan.remove);
    trim_history(failed, int_at(spec, {"failedJobsHistoryLimit"}, 1), plan.remove);

    const auto schedule = CronSchedule::parse(string_at(spec, {"schedule"}));
    if (!schedule) {
        plan.problem = cat("unparseable schedule: ", string_at(spec, {"schedule"}));
        return plan;
    }
    if (bool_at(spec, {"suspend"})) return plan;
    const WallTime since = parse_rfc3339(last.empty() ? cron.meta.created : last).value_or(now);
    plan.again_at = schedule->next_after(now);
    auto due = last_due(*schedule, since, now);
    const Json* deadline = find(spec, "startingDeadlineSeconds");
    if (due && deadline &&
        now - *due > std::chrono::seconds(int_at(spec, {"startingDeadlineSeconds"}))) {
        due.reset();
    }
    if (!due) return plan;
    const std::string policy = string_at(spec, {"concurrencyPolicy"}, "Allow");
    if (policy == "Forbid" && !active.empty()) return plan;
    if (policy == "Replace") plan.remove.insert(plan.remove.end(), active.begin(), active.end());
    plan.create = new_job(cron, *due);
    plan.status["lastScheduleTime"] = rfc3339(*due);
    return plan;
}

}  // namespace kin::controllers
