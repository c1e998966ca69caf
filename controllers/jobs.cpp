#include "controllers/jobs.h"

#include "controllers/events.h"
#include "core/base/strings.h"

namespace kin::controllers {

namespace {
constexpr Reporter kReporter{"Job", "batch/v1", "job-controller"};
}  // namespace

Jobs::Jobs(Client& client)
    : client_(client),
      jobs_(client.cache<Job>()),
      owned_(client.cache<Pod>()),
      queue_(client.loop(), {.name = "jobs"},
             [this](const ObjectKey& key) { return reconcile(key); }),
      pods_(client, jobs_, kReporter, in_flight_) {
    jobs_.on_change(lifetime_.bind([this](const CacheChange<Job>& change) {
        if (!change.now) past_.erase(change.either().meta.uid);
        queue_.add(change.either().key());
    }));
    client.cache<Pod>().on_change(
        lifetime_.bind([this](const CacheChange<Pod>& change) { on_pod(change); }));
    client.add_busy_check("jobs", lifetime_.bind([this] { return queue_.busy(); }));
}

void Jobs::on_pod(const CacheChange<Pod>& change) {
    owned_.note(change);
    const OwnerReference* owner = change.either().meta.controller();
    if (!owner || owner->kind != "Job") return;
    const ObjectKey key{change.either().key().ns, owner->name};
    queue_.add(key);
    const Job* job = jobs_.find(key);
    if (change.now || !job || job->meta.uid != owner->uid) return;
    if (change.before->phase == "Succeeded") ++past_[owner->uid].succeeded;
    // A pod that was taken away before its end counts as failed, unless the Job itself did it.
    if (change.before->phase == "Failed") ++past_[owner->uid].failed;
}

Client::Done Jobs::answered(const ObjectKey& key) {
    in_flight_.begin(key);
    return lifetime_.bind([this, key](Answer<Written> answer) { in_flight_.end(key, answer); });
}

Result<> Jobs::reconcile(const ObjectKey& key) {
    if (!in_flight_.settled(key, client_.seen())) return Ok{};
    const Job* job = jobs_.find(key);
    if (!job) return Ok{};
    const auto past = past_.find(job->meta.uid);
    const WallTime now = std::chrono::system_clock::now();
    JobPlan plan = plan_job(*job, owned_.of(job->meta.uid),
                            past == past_.end() ? PastPods{} : past->second, now);
    for (Json& pod : plan.create) pods_.create(*job, std::move(pod));
    for (const Pod* pod : plan.remove) pods_.remove(*job, *pod);
    Json status = difference(job->status(), plan.status);
    if (!status.empty()) {
        client_.patch_status(Job::kResource, key, std::move(status), answered(key));
    }
    if (!plan.event_reason.empty()) {
        record(client_, kReporter, job->meta,
               plan.event_reason == "Completed" ? EventType::kNormal : EventType::kWarning,
               plan.event_reason, plan.event_message);
    }
    if (plan.delete_job) {
        DeleteOptions options = only(job->meta.uid);
        options.propagation = Propagation::kForeground;
        client_.remove(Job::kResource, key, options, answered(key));
    }
    if (plan.again_at) {
        queue_.add_after(key, std::chrono::ceil<std::chrono::milliseconds>(*plan.again_at - now));
    }
    return Ok{};
}

}  // namespace kin::controllers
