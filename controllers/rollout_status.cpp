#include <algorithm>

#include "controllers/owned.h"
#include "controllers/rollout.h"
#include "core/base/strings.h"

namespace kin::controllers::rollout {

namespace {
struct Condition {
    std::string_view type, status, reason;
    std::string message;
};
enum class Refresh { kIfDifferent, kAlways };

/// Sets a condition. One with the same status and reason stays as it is, unless it is to be
/// refreshed: then its lastUpdateTime shows the latest progress.
void set_condition(Json& conditions, const Condition& condition, WallTime now,
                   Refresh refresh = Refresh::kIfDifferent) {
    const std::string time = rfc3339(now);
    Json fresh = {{"type", condition.type},     {"status", condition.status},
                  {"reason", condition.reason}, {"message", condition.message},
                  {"lastUpdateTime", time},     {"lastTransitionTime", time}};
    for (Json& old : conditions) {
        if (string_at(old, {"type"}) != condition.type) continue;
        if (string_at(old, {"status"}) == condition.status) {
            if (refresh == Refresh::kIfDifferent &&
                string_at(old, {"reason"}) == condition.reason) {
                return;
            }
            fresh["lastTransitionTime"] = string_at(old, {"lastTransitionTime"}, time);
        }
        old = std::move(fresh);
        return;
    }
    conditions.push_back(std::move(fresh));
}

void remove_condition(Json& conditions, std::string_view type) {
    Json kept = Json::array();
    for (const Json& condition : conditions) {
        if (string_at(condition, {"type"}) != type) kept.push_back(condition);
    }
    conditions = std::move(kept);
}

int count(const Json& status, std::string_view field) {
    return static_cast<int>(int_at(status, {field}));
}

bool progressed(const Json& before, const Json& now) {
    const auto old_pods = [](const Json& status) {
        return count(status, "replicas") - count(status, "updatedReplicas");
    };
    return count(now, "updatedReplicas") > count(before, "updatedReplicas") ||
           old_pods(now) < old_pods(before) ||
           count(now, "readyReplicas") > count(before, "readyReplicas") ||
           count(now, "availableReplicas") > count(before, "availableReplicas");
}

Json counts_of(const Deployment& deployment, const ReplicaSet* newest,
               const std::vector<const ReplicaSet*>& sets) {
    int wanted = 0, replicas = 0, ready = 0, available = 0;
    for (const ReplicaSet* set : sets) {
        wanted += set->replicas;
        replicas += count(set->status(), "replicas");
        ready += count(set->status(), "readyReplicas");
        available += count(set->status(), "availableReplicas");
    }
    return {{"observedGeneration", deployment.meta.generation},
            {"replicas", or_absent(replicas)},
            {"updatedReplicas", or_absent(newest ? count(newest->status(), "replicas") : 0)},
            {"readyReplicas", or_absent(ready)},
            {"availableReplicas", or_absent(available)},
            {"unavailableReplicas", or_absent(std::max(0, wanted - available))}};
}

void set_available(Json& conditions, const Deployment& deployment, const Json& status,
                   WallTime now) {
    const Limits limits = limits_of(deployment);
    if (count(status, "availableReplicas") >= limits.replicas - limits.unavailable) {
        set_condition(conditions,
                      {"Available", "True", "MinimumReplicasAvailable",
                       "Deployment has minimum availability."},
                      now);
    } else {
        set_condition(conditions,
                      {"Available", "False", "MinimumReplicasUnavailable",
                       "Deployment does not have minimum availability."},
                      now);
    }
}

void set_failure(Json& conditions, const std::vector<const ReplicaSet*>& sets, WallTime now) {
    for (const ReplicaSet* set : sets) {
        const Json* failure = find_condition(set->status(), "ReplicaFailure");
        if (!failure || string_at(*failure, {"status"}) != "True") continue;
        set_condition(conditions,
                      {"ReplicaFailure", "True", "FailedCreate", string_at(*failure, {"message"})},
                      now);
        return;
    }
    remove_condition(conditions, "ReplicaFailure");
}

/// The Progressing condition: how the rollout of the newest set goes.
void set_progressing(Json& conditions, const Deployment& deployment, const ReplicaSet* newest,
                     const Json& status, WallTime now, std::optional<WallTime>& again_at) {
    const int64_t deadline = int_at(deployment.spec(), {"progressDeadlineSeconds"}, 600);
    const std::string name = newest ? newest->key().name : deployment.key().name;
    const std::string what =
        newest ? cat("ReplicaSet \"", name, '"') : cat("Deployment \"", name, '"');
    const Json* old = find_condition(deployment.status(), "Progressing");
    const std::string reason = old ? string_at(*old, {"reason"}) : "";
    const bool settled = count(status, "replicas") == count(status, "updatedReplicas") &&
                         reason == "NewReplicaSetAvailable";
    if (settled) return;
    if (complete(deployment, status)) {
        set_condition(conditions,
                      {"Progressing", "True", "NewReplicaSetAvailable",
                       cat(what, " has successfully progressed.")},
                      now);
        return;
    }
    if (progressed(deployment.status(), status)) {
        set_condition(conditions,
                      {"Progressing", "True", "ReplicaSetUpdated", cat(what, " is progressing.")},
                      now, Refresh::kAlways);
    }
    const Json holder = {{"conditions", conditions}};
    const Json* current = find_condition(holder, "Progressing");
    if (!current || reason == "ProgressDeadlineExceeded" ||
        string_at(*current, {"reason"}) == "NewReplicaSetAvailable") {
        return;
    }
    const auto since = parse_rfc3339(string_at(*current, {"lastUpdateTime"}));
    if (!since) return;
    const WallTime until = *since + std::chrono::seconds(deadline);
    if (until > now) {
        again_at = until;
        return;
    }
    set_condition(conditions,
                  {"Progressing", "False", "ProgressDeadlineExceeded",
                   cat(what, " has timed out progressing.")},
                  now);
}

void set_paused(Json& conditions, const Deployment& deployment, WallTime now) {
    const Json* old = find_condition(deployment.status(), "Progressing");
    const std::string reason = old ? string_at(*old, {"reason"}) : "";
    if (reason == "ProgressDeadlineExceeded") return;
    if (deployment.paused && reason != "DeploymentPaused") {
        set_condition(conditions,
                      {"Progressing", "Unknown", "DeploymentPaused", "Deployment is paused"}, now);
    } else if (!deployment.paused && reason == "DeploymentPaused") {
        set_condition(conditions,
                      {"Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed"},
                      now);
    }
}
}  // namespace

bool complete(const Deployment& deployment, const Json& status) {
    return count(status, "updatedReplicas") == deployment.replicas &&
           count(status, "replicas") == deployment.replicas &&
           count(status, "availableReplicas") == deployment.replicas &&
           int_at(status, {"observedGeneration"}) >= deployment.meta.generation;
}

Json status_of(const Deployment& deployment, const ReplicaSet* newest,
               const std::vector<const ReplicaSet*>& sets, const std::string& created, WallTime now,
               std::optional<WallTime>& again_at) {
    Json status = counts_of(deployment, newest, sets);
    Json conditions = array_at(deployment.status(), {"conditions"});
    set_available(conditions, deployment, status, now);
    set_failure(conditions, sets, now);
    set_paused(conditions, deployment, now);
    const bool known = find_condition(deployment.status(), "Progressing") != nullptr;
    if (!created.empty()) {
        set_condition(conditions,
                      {"Progressing", "True", "NewReplicaSetCreated",
                       cat("Created new replica set \"", created, '"')},
                      now);
    } else if (!deployment.paused) {
        if (newest && !known) {
            set_condition(conditions,
                          {"Progressing", "True", "FoundNewReplicaSet",
                           cat("Found new replica set \"", newest->key().name, '"')},
                          now);
        }
        set_progressing(conditions, deployment, newest, status, now, again_at);
    }
    status["conditions"] = std::move(conditions);
    return status;
}

}  // namespace kin::controllers::rollout
