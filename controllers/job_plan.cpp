#include "controllers/job_plan.h"

#include <algorithm>
#include <set>

#include "controllers/owned.h"
#include "core/base/strings.h"

namespace kin::controllers {

namespace {
constexpr std::string_view kIndex = "batch.kubernetes.io/job-completion-index";
constexpr std::chrono::seconds kFirstBackoff{10}, kLastBackoff{600};

std::optional<int> index_of(const Pod& pod) {
    const auto found = pod.meta.annotations.find(kIndex);
    if (found == pod.meta.annotations.end()) return {};
    return parse_number<int>(found->second);
}

/// When the last container of a pod ended.
WallTime end_of(const Pod& pod) {
    WallTime out{};
    for (const Json& container : array_at(pod.status(), {"containerStatuses"})) {
        const auto end = parse_rfc3339(string_at(container, {"state", "terminated", "finishedAt"}));
        if (end) out = std::max(out, *end);
    }
    return out;
}

int restarts_of(const Pod& pod) {
    int64_t out = 0;
    for (const Json& container : array_at(pod.status(), {"containerStatuses"})) {
        out += int_at(container, {"restartCount"});
    }
    return static_cast<int>(out);
}

/// One planning, with what its steps share.
class Planner {
public:
    Planner(const Job& job, const std::vector<const Pod*>& pods, const PastPods& past, WallTime now)
        : job_(job),
          spec_(job.spec()),
          now_(now),
          indexed_(string_at(job.spec(), {"completionMode"}) == "Indexed") {
        if (find(spec_, "completions"))
            completions_ = static_cast<int>(int_at(spec_, {"completions"}));
        succeeded_ = past.succeeded;
        failed_ = past.failed;
        for (const Pod* pod : pods) count(*pod);
        const Json& status = job.status();
        // What was counted once stays, though its pods may be gone.
        succeeded_ = std::max(succeeded_, static_cast<int>(int_at(status, {"succeeded"})));
        failed_ = std::max(failed_, static_cast<int>(int_at(status, {"failed"})));
        for (const Json& condition : array_at(status, {"conditions"})) {
            const std::string type = string_at(condition, {"type"});
            const bool holds = string_at(condition, {"status"}) == "True";
            if (holds && (type == "Complete" || type == "Failed")) {
                finished_at_ = parse_rfc3339(string_at(condition, {"lastTransitionTime"}));
            }
        }
    }

    JobPlan plan() {
        if (job_.meta.deleting()) return std::move(plan_);
        if (finished_at_) {
            remove(active_);
            forget_when_due();
            return std::move(plan_);
        }
        conditions_ = array_at(job_.status(), {"conditions"});
        if (bool_at(spec_, {"suspend"})) {
            suspend();
        } else {
            resume();
            if (!decide()) make_pods();
        }
        write_status();
        return std::move(plan_);
    }

private:
    void count(const Pod& pod) {
        if (pod.phase == "Succeeded") {
            if (indexed_) {
                if (const auto index = index_of(pod)) done_.insert(*index);
            }
            ++succeeded_;
        } else if (pod.phase == "Failed") {
            ++failed_;
            last_failure_ = std::max(last_failure_, end_of(pod));
        } else if (pod.meta.deleting()) {
            ++terminating_;
        } else {
            active_.push_back(&pod);
            if (pod.ready) ++ready_;
            if (const auto index = index_of(pod)) busy_.insert(*index);
            restarts_ += restarts_of(pod);
        }
    }

    void wake_at(WallTime at) {
        if (!plan_.again_at || at < *plan_.again_at) plan_.again_at = at;
    }

    void forget_when_due() {
        const Json* ttl = find(spec_, "ttlSecondsAfterFinished");
        if (!ttl || !ttl->is_number_integer()) return;
        const WallTime due = *finished_at_ + std::chrono::seconds(ttl->get<int64_t>());
        if (due <= now_) {
            plan_.delete_job = true;
        } else {
            wake_at(due);
        }
    }

    void set_condition(std::string_view type, bool holds, std::string_view reason,
                       std::string_view message) {
        Json others = Json::array();
        const std::string status = holds ? "True" : "False";
        for (const Json& one : conditions_) {
            if (string_at(one, {"type"}) != type) {
                others.push_back(one);
            } else if (string_at(one, {"status"}) == status) {
                return;
            }
        }
        others.push_back({{"type", type},
                          {"status", status},
                          {"reason", reason},
                          {"message", message},
                          {"lastProbeTime", rfc3339(now_)},
                          {"lastTransitionTime", rfc3339(now_)}});
        conditions_ = std::move(others);
    }

    void suspend() {
        remove(active_);
        active_.clear();
        started_ = false;
        set_condition("Suspended", true, "JobSuspended", "Job suspended");
    }

    void resume() {
        const Json status{{"conditions", conditions_}};
        if (find_condition(status, "Suspended")) {
            set_condition("Suspended", false, "JobResumed", "Job resumed");
        }
    }

    /// True once the Job is over.
    bool decide() {
        const int64_t limit = int_at(spec_, {"backoffLimit"}, 6);
        const bool out_of_tries = failed_ > limit ||
                                  (restarts_ > 0 && restarts_ >= limit && limit > 0) ||
                                  (limit == 0 && restarts_ > 0);
        if (out_of_tries) {
            fail("BackoffLimitExceeded", "Job has reached the specified backoff limit");
            return true;
        }
        if (const Json* deadline = find(spec_, "activeDeadlineSeconds");
            deadline && deadline->is_number_integer()) {
            const WallTime due = started_at() + std::chrono::seconds(deadline->get<int64_t>());
            if (due <= now_) {
                fail("DeadlineExceeded", "Job was active longer than specified deadline");
                return true;
            }
            wake_at(due);
        }
        const int done = indexed_ ? static_cast<int>(done_.size()) : succeeded_;
        // Without a number of completions the first success says that the work is done.
        const bool complete =
            completions_ ? done >= *completions_ : succeeded_ > 0 && active_.empty();
        if (!complete) return false;
        remove(active_);
        active_.clear();
        set_condition("SuccessCriteriaMet", true, "CompletionsReached",
                      "Reached expected number of succeeded pods");
        set_condition("Complete", true, "CompletionsReached",
                      "Reached expected number of succeeded pods");
        completed_ = true;
        plan_.event_reason = "Completed";
        plan_.event_message = "Job completed";
        finished_at_ = now_;
        forget_when_due();
        return true;
    }

    void fail(const std::string& reason, const std::string& message) {
        remove(active_);
        active_.clear();
        set_condition("FailureTarget", true, reason, message);
        set_condition("Failed", true, reason, message);
        plan_.event_reason = reason;
        plan_.event_message = message;
        finished_at_ = now_;
        forget_when_due();
    }

    void make_pods() {
        const int parallelism = static_cast<int>(int_at(spec_, {"parallelism"}, 1));
        const int running = static_cast<int>(active_.size());
        int wanted = parallelism;
        if (completions_) {
            const int done = indexed_ ? static_cast<int>(done_.size()) : succeeded_;
            wanted = std::min(parallelism, *completions_ - done);
        } else if (succeeded_ > 0) {
            wanted =
                std::min(parallelism, running);  // One has succeeded: the others end by themselves.
        }
        if (running > wanted) {
            remove({active_.begin() + wanted, active_.end()});
            active_.resize(static_cast<size_t>(wanted));
        }
        const int missing = wanted - running - terminating_;
        if (missing <= 0 || !backoff_is_over()) return;
        int next = 0;
        for (int made = 0; made < std::min(missing, 500); ++made) {
            if (indexed_) {
                while (done_.count(next) != 0 || busy_.count(next) != 0) ++next;
                plan_.create.push_back(indexed_pod(next++));
            } else {
                plan_.create.push_back(new_pod());
            }
        }
    }

    bool backoff_is_over() {
        if (failed_ == 0 || last_failure_ == WallTime{}) return true;
        const int doublings = std::min(failed_ - 1, 6);
        const WallTime due =
            last_failure_ + std::min(kFirstBackoff * (1 << doublings), kLastBackoff);
        if (due <= now_) return true;
        wake_at(due);
        return false;
    }

    Json new_pod() const {
        return pod_from_template(object_at(spec_, {"template"}), "batch/v1", "Job", job_.meta);
    }

    Json indexed_pod(int index) const {
        Json pod = new_pod();
        const std::string number = cat(index);
        Json& meta = pod["metadata"];
        meta["generateName"] = cat(job_.key().name, '-', index, '-');
        meta["annotations"][std::string(kIndex)] = number;
        meta["labels"][std::string(kIndex)] = number;
        Json& spec = pod["spec"];
        if (!find(spec, "hostname")) spec["hostname"] = cat(job_.key().name, '-', index);
        for (const char* list : {"initContainers", "containers"}) {
            if (!spec.contains(list)) continue;
            for (Json& container : spec[list]) {
                container["env"].push_back(
                    {{"name", "JOB_COMPLETION_INDEX"},
                     {"valueFrom",
                      {{"fieldRef",
                        {{"apiVersion", "v1"},
                         {"fieldPath", cat("metadata.labels['", kIndex, "']")}}}}}});
            }
        }
        return pod;
    }

    void remove(const std::vector<const Pod*>& pods) {
        plan_.remove.insert(plan_.remove.end(), pods.begin(), pods.end());
    }

    WallTime started_at() const {
        return parse_rfc3339(string_at(job_.status(), {"startTime"})).value_or(now_);
    }

    void write_status() {
        Json& status = plan_.status;
        status = {{"active", or_absent(static_cast<int>(active_.size() + plan_.create.size()))},
                  {"ready", finished_at_ || !started_ ? 0 : ready_},
                  {"succeeded", or_absent(succeeded_)},
                  {"failed", or_absent(failed_)},
                  {"terminating", terminating_},
                  {"startTime", started_ ? Json(rfc3339(started_at())) : Json()},
                  {"conditions", conditions_.empty() ? Json() : conditions_}};
        if (completed_) status["completionTime"] = rfc3339(now_);
        if (indexed_) status["completedIndexes"] = index_ranges({done_.begin(), done_.end()});
    }

    const Job& job_;
    const Json& spec_;
    const WallTime now_;
    const bool indexed_;
    std::optional<int> completions_;
    std::vector<const Pod*> active_;
    std::set<int> done_, busy_;  // Indexes.
    int succeeded_ = 0, failed_ = 0, ready_ = 0, terminating_ = 0, restarts_ = 0;
    bool started_ = true, completed_ = false;
    WallTime last_failure_{};
    std::optional<WallTime> finished_at_;
    Json conditions_ = Json::array();
    JobPlan plan_;
};
}  // namespace

std::string index_ranges(const std::vector<int>& sorted) {
    std::string out;
    for (size_t at = 0; at < sorted.size();) {
        size_t end = at;
        while (end + 1 < sorted.size() && sorted[end + 1] == sorted[end] + 1) ++end;
        if (!out.empty()) out += ',';
        out += cat(sorted[at]);
        if (end > at) out += cat(end > at + 1 ? '-' : ',', sorted[end]);
        at = end + 1;
    }
    return out;
}

JobPlan plan_job(const Job& job, const std::vector<const Pod*>& pods, const PastPods& past,
                 WallTime now) {
    return Planner(job, pods, past, now).plan();
}

}  // namespace kin::controllers
