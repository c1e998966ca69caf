#pragma once

#include <optional>
#include <string>
#include <vector>

#include "controllers/owned.h"
#include "core/api/workload_views.h"
#include "core/base/time.h"

namespace kin::controllers {

/// A ReplicaSet or ReplicationController, which differ in their selectors' form alone.
struct ReplicaDemand {
    ReplicaDemand(const ReplicaSet& set)
        : object(set), replicas(set.replicas), selector(set.selector) {}
    ReplicaDemand(const ReplicationController& controller)
        : object(controller), replicas(controller.replicas), selector(controller.selector) {}
    const View& object;
    int replicas;
    const LabelSelector& selector;
};

/// What one of them needs now. Pure.
struct ReplicaPlan {
    int create = 0;                   ///< So many pods are missing (at most 500 at a time).
    std::vector<const Pod*> remove;   ///< These are too many; best first.
    std::vector<const Pod*> adopt;    ///< Selected and without a controller.
    std::vector<const Pod*> release;  ///< Owned and no longer selected.
    Json status;                      ///< As it should be.
    /// A pod becomes available then, without any event telling so.
    std::optional<WallTime> again_at;
};

/// `owned` are the pods that name the set as their controller, `orphans` those without one that
/// its selector selects. `failure` is why the last create failed ("" if it did not).
ReplicaPlan plan_replicas(const ReplicaDemand& set, const std::vector<const Pod*>& owned,
                          const std::vector<const Pod*>& orphans, const std::string& failure,
                          WallTime now);

/// Orders pods as candidates for deletion, as kubectl users know it: unscheduled first, then
/// pending, not ready, cheap (annotation controller.kubernetes.io/pod-deletion-cost), doubled up
/// on a node, recently ready, often restarted, young. `related` are all pods that count for
/// doubling up.
void rank_for_deletion(std::vector<const Pod*>& pods, const std::vector<const Pod*>& related);

}  // namespace kin::controllers
