#include "controllers/cron_jobs.h"

#include "controllers/events.h"
#include "controllers/owned.h"
#include "core/base/strings.h"

namespace kin::controllers {

namespace {
constexpr Reporter kReporter{"CronJob", "batch/v1", "cronjob-controller"};
}  // namespace

CronJobs::CronJobs(Client& client)
    : client_(client),
      crons_(client.cache<CronJob>()),
      jobs_(client.cache<Job>()),
      queue_(client.loop(), {.name = "cron_jobs"},
             [this](const ObjectKey& key) { return reconcile(key); }) {
    crons_.on_change(lifetime_.bind(
        [this](const CacheChange<CronJob>& change) { queue_.add(change.either().key()); }));
    jobs_.on_change(lifetime_.bind([this](const CacheChange<Job>& change) {
        const OwnerReference* owner = change.either().meta.controller();
        if (owner && owner->kind == "CronJob") {
            queue_.add({change.either().key().ns, owner->name});
        }
    }));
    client.add_busy_check("cron_jobs", lifetime_.bind([this] { return queue_.busy(); }));
}

Client::Done CronJobs::answered(const ObjectKey& key) {
    in_flight_.begin(key);
    return lifetime_.bind([this, key](Answer<Written> answer) { in_flight_.end(key, answer); });
}

Result<> CronJobs::reconcile(const ObjectKey& key) {
    if (!in_flight_.settled(key, client_.seen())) return Ok{};
    const CronJob* cron = crons_.find(key);
    if (!cron) return Ok{};
    std::vector<const Job*> jobs;
    jobs_.each_in(key.ns, [&](const Job& job) {
        const OwnerReference* owner = job.meta.controller();
        if (owner && owner->uid == cron->meta.uid) jobs.push_back(&job);
    });
    const WallTime now = std::chrono::system_clock::now();
    CronPlan plan = plan_cron_job(*cron, jobs, now);
    if (plan.again_at) {
        queue_.add_after(key, std::chrono::ceil<std::chrono::milliseconds>(*plan.again_at - now));
    }
    carry_out(*cron, std::move(plan));
    return Ok{};
}

void CronJobs::carry_out(const CronJob& cron, CronPlan plan) {
    const ObjectKey key = cron.key();
    if (!plan.problem.empty()) {
        record(client_, kReporter, cron.meta, EventType::kWarning, "UnparseableSchedule",
               plan.problem);
    }
    for (const Job* job : plan.remove) {
        DeleteOptions options = only(job->meta.uid);
        options.propagation = Propagation::kBackground;
        client_.remove(Job::kResource, job->key(), options, answered(key));
        record(client_, kReporter, cron.meta, EventType::kNormal, "SuccessfulDelete",
               cat("Deleted job ", job->key().name));
    }
    if (plan.create) {
        const std::string name = string_at(*plan.create, {"metadata", "name"});
        in_flight_.begin(key);
        client_.create(Job::kResource, std::move(*plan.create),
                       lifetime_.bind([this, key, name](Answer<Written> answer) {
                           in_flight_.end(key, answer);
                           const CronJob* now = crons_.find(key);
                           if (!now) return;
                           if (answer) {
                               record(client_, kReporter, now->meta, EventType::kNormal,
                                      "SuccessfulCreate", cat("Created job ", name));
                           } else if (answer.error().code != 409) {
                               record(client_, kReporter, now->meta, EventType::kWarning,
                                      "FailedCreate",
                                      cat("Error creating job: ", answer.error().message));
                           }
                       }));
    }
    if (plan.status.is_null()) return;
    Json status = difference(cron.status(), plan.status);
    if (!status.empty()) {
        client_.patch_status(CronJob::kResource, key, std::move(status), answered(key));
    }
}

}  // namespace kin::controllers
