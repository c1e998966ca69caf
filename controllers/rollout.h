#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/api/views.h"
#include "core/base/json.h"
#include "core/base/time.h"

namespace kin::controllers {

/// What one Deployment needs now: one step of its rollout. Pure.
struct RolloutPlan {
    struct Scale {
        const ReplicaSet* set;
        int to;
        Json annotations;  ///< that change with the size
    };
    /// The ReplicaSet for the present template, where none exists yet.
    std::optional<Json> create;
    std::vector<Scale> scales;
    /// Annotations of the newest set that differ from what they should be.
    const ReplicaSet* newest = nullptr;
    Json newest_annotations = Json::object();
    /// Annotations of the Deployment that differ (its revision).
    Json annotations = Json::object();
    std::vector<const ReplicaSet*> forget;  ///< beyond revisionHistoryLimit
    Json status;
    std::optional<WallTime> again_at;  ///< when its progress deadline passes
};

/// `sets` are the Deployment's ReplicaSets. `pods_left` tells how many unfinished pods each has, by
/// the set's uid (Recreate waits for them). `collided` says that a set with the wanted name exists
/// but is another's: the next name is tried.
RolloutPlan plan_rollout(const Deployment& deployment, const std::vector<const ReplicaSet*>& sets,
                         const std::map<std::string, int>& pods_left, bool collided, WallTime now);

namespace rollout {
/// A ReplicaSet with its size, as scaling changes it.
struct Sized {
    const ReplicaSet* set = nullptr;
    int replicas = 0;
    int available = 0;

    explicit Sized(const ReplicaSet& from);
};

/// The limits of a rolling update, resolved.
struct Limits {
    int replicas = 0, surge = 0, unavailable = 0;
};
Limits limits_of(const Deployment& deployment);

/// How large the newest set may be now. `all` holds every set, the newest too.
int newest_size(const Limits& limits, int newest_replicas, const std::vector<Sized>& all);
/// Shrinks `old` (oldest first) as far as availability allows: unhealthy pods go first.
void shrink_old(const Limits& limits, const std::optional<Sized>& newest, std::vector<Sized>& old);
/// Spreads a change of spec.replicas amid a rollout over the sets, in proportion to their sizes.
void scale_in_proportion(const Limits& limits, int status_replicas, std::vector<Sized>& sets);

/// The status of `deployment`; `created` names a set that is about to be created ("" if none).
Json status_of(const Deployment& deployment, const ReplicaSet* newest,
               const std::vector<const ReplicaSet*>& sets, const std::string& created, WallTime now,
               std::optional<WallTime>& again_at);
/// True if the rollout that `status` shows is over.
bool complete(const Deployment& deployment, const Json& status);
}  // namespace rollout

}  // namespace kin::controllers
