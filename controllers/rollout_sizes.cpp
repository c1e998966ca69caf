#include <algorithm>
#include <cmath>
#include <limits>

#include "controllers/owned.h"
#include "controllers/rollout.h"
#include "core/base/strings.h"

namespace kin::controllers::rollout {

namespace {
int total(const std::vector<Sized>& sets, int Sized::*member) {
    int sum = 0;
    for (const Sized& sized : sets) sum += sized.*member;
    return sum;
}

int annotated_max(const ReplicaSet& set, int otherwise) {
    const auto found = set.meta.annotations.find("deployment.kubernetes.io/max-replicas");
    if (found == set.meta.annotations.end()) return otherwise;
    return parse_number<int>(found->second).value_or(otherwise);
}

/// What of `to_add` (negative: to take away) falls to `sized`, of whose share `added` is given.
int share_of(const Sized& sized, const Limits& limits, int status_replicas, int to_add, int added) {
    if (sized.replicas == 0 || to_add == 0 || to_add == added) return 0;
    int fraction = -sized.replicas;
    if (limits.replicas > 0) {
        const int whole = std::max(annotated_max(*sized.set, status_replicas), 1);
        const double wanted =
            static_cast<double>(sized.replicas) * (limits.replicas + limits.surge) / whole;
        fraction = static_cast<int>(std::lround(wanted)) - sized.replicas;
    }
    const int left = to_add - added;
    return to_add > 0 ? std::min(fraction, left) : std::max(fraction, left);
}
}  // namespace

Sized::Sized(const ReplicaSet& from)
    : set(&from),
      replicas(from.replicas),
      available(static_cast<int>(int_at(from.status(), {"availableReplicas"}))) {}

Limits limits_of(const Deployment& deployment) {
    Limits limits{deployment.replicas, 0, 0};
    const Json& strategy = object_at(deployment.spec(), {"strategy"});
    if (string_at(strategy, {"type"}) == "Recreate") return limits;
    const Json& rolling = object_at(strategy, {"rollingUpdate"});
    const Json quarter = "25%";
    const Json* surge = find(rolling, "maxSurge");
    const Json* unavailable = find(rolling, "maxUnavailable");
    limits.surge = scaled_value(surge ? *surge : quarter, limits.replicas, Round::kUp);
    limits.unavailable =
        scaled_value(unavailable ? *unavailable : quarter, limits.replicas, Round::kDown);
    // With neither, nothing could ever move.
    if (limits.surge == 0 && limits.unavailable == 0) limits.unavailable = 1;
    limits.unavailable = std::min(limits.unavailable, limits.replicas);
    return limits;
}

int newest_size(const Limits& limits, int newest_replicas, const std::vector<Sized>& all) {
    if (newest_replicas >= limits.replicas) return limits.replicas;
    const int room = limits.replicas + limits.surge - total(all, &Sized::replicas);
    if (room <= 0) return newest_replicas;
    return newest_replicas + std::min(room, limits.replicas - newest_replicas);
}

void shrink_old(const Limits& limits, const std::optional<Sized>& newest, std::vector<Sized>& old) {
    const int new_replicas = newest ? newest->replicas : 0;
    const int new_available = newest ? newest->available : 0;
    const int least = limits.replicas - limits.unavailable;
    const int all = total(old, &Sized::replicas) + new_replicas;
    // Pods of the new set that are still coming count as if they were there: they are about to be.
    int spare = all - least - (new_replicas - new_available);
    if (spare <= 0) return;
    for (Sized& sized : old) {
        const int unhealthy = std::clamp(sized.replicas - sized.available, 0, std::max(spare, 0));
        sized.replicas -= unhealthy;
        spare -= unhealthy;
    }
    int surplus = total(old, &Sized::available) + new_available - least;
    for (Sized& sized : old) {
        if (surplus <= 0) return;
        const int fewer = std::min(sized.replicas, surplus);
        sized.replicas -= fewer;
        surplus -= fewer;
    }
}

void scale_in_proportion(const Limits& limits, int status_replicas, std::vector<Sized>& sets) {
    const int allowed = limits.replicas > 0 ? limits.replicas + limits.surge : 0;
    const int to_add = allowed - total(sets, &Sized::replicas);
    // Larger sets first; of equal ones the newest grows and the oldest shrinks first.
    std::stable_sort(sets.begin(), sets.end(), [&](const Sized& a, const Sized& b) {
        if (a.replicas != b.replicas) return a.replicas > b.replicas;
        return to_add > 0 ? a.set->meta.created > b.set->meta.created
                          : a.set->meta.created < b.set->meta.created;
    });
    int added = 0;
    std::vector<int> changes;
    for (const Sized& sized : sets) {
        changes.push_back(share_of(sized, limits, status_replicas, to_add, added));
        added += changes.back();
    }
    for (size_t i = 0; i < sets.size(); ++i) {
        // Rounding leaves a rest; the largest set takes it.
        const int rest = i == 0 ? to_add - added : 0;
        sets[i].replicas = std::max(0, sets[i].replicas + changes[i] + rest);
    }
}

}  // namespace kin::controllers::rollout
