#include "controllers/replica_plan.h"

#include <algorithm>
#include <map>

#include "core/base/strings.h"

namespace kin::controllers {

namespace {
// So many writes for one set in one go; the rest follows when these are seen.
constexpr int kBurst = 500;

struct Rank {
    bool scheduled;
    int phase;
    bool ready;
    int64_t cost;
    int not_doubled;        // Fewer neighbours are kept longer.
    std::string not_since;  // Ready for longer is kept longer.
    int64_t not_restarts;
    std::string not_created;
    ObjectKey key;
};

int phase_rank(const Pod& pod) {
    if (pod.phase == "Running") return 2;
    return pod.phase == "Pending" || pod.phase.empty() ? 0 : 1;
}

int64_t restarts_of(const Pod& pod) {
    int64_t most = 0;
    for (const Json& container : array_at(pod.status(), {"containerStatuses"})) {
        most = std::max(most, int_at(container, {"restartCount"}));
    }
    return most;
}

int64_t deletion_cost(const Pod& pod) {
    const auto found = pod.meta.annotations.find("controller.kubernetes.io/pod-deletion-cost");
    if (found == pod.meta.annotations.end()) return 0;
    return parse_number<int32_t>(found->second).value_or(0);
}

std::string ready_since(const Pod& pod) {
    const Json* ready = find_condition(pod.status(), "Ready");
    return pod.ready && ready ? string_at(*ready, {"lastTransitionTime"}) : "";
}

/// True if `a` is to go before `b`. RFC 3339 times of one zone compare as texts.
bool goes_first(const Rank& a, const Rank& b) {
    if (a.scheduled != b.scheduled) return !a.scheduled;
    if (a.phase != b.phase) return a.phase < b.phase;
    if (a.ready != b.ready) return !a.ready;
    if (a.cost != b.cost) return a.cost < b.cost;
    if (a.not_doubled != b.not_doubled) return a.not_doubled > b.not_doubled;
    if (a.not_since != b.not_since) return a.not_since > b.not_since;
    if (a.not_restarts != b.not_restarts) return a.not_restarts > b.not_restarts;
    if (a.not_created != b.not_created) return a.not_created > b.not_created;
    return a.key < b.key;
}

/// Pods of a set counted as its status shows them.
struct Counts {
    int replicas = 0, labeled = 0, ready = 0, available = 0;
};

Counts count(const ReplicaDemand& set, const std::vector<const Pod*>& pods, WallTime now,
             std::optional<WallTime>& again_at) {
    const int64_t min_ready = int_at(set.object.spec(), {"minReadySeconds"});
    const auto template_labels = LabelSelector::from_map(
        string_map_at(set.object.spec(), {"template", "metadata", "labels"}));
    Counts counts;
    for (const Pod* pod : pods) {
        if (!is_active(*pod)) continue;
        ++counts.replicas;
        if (template_labels.matches(pod->meta.labels)) ++counts.labeled;
        if (!pod->ready) continue;
        ++counts.ready;
        const auto available = available_at(*pod, min_ready);
        if (!available) continue;
        if (*available <= now) {
            ++counts.available;
        } else if (!again_at || *available < *again_at) {
            again_at = *available;
        }
    }
    return counts;
}

Json with_failure_condition(const Json& old_status, const std::string& failure, WallTime now) {
    Json conditions = Json::array();
    const Json* old = find_condition(old_status, "ReplicaFailure");
    for (const Json& condition : array_at(old_status, {"conditions"})) {
        if (string_at(condition, {"type"}) != "ReplicaFailure") conditions.push_back(condition);
    }
    if (!failure.empty()) {
        const std::string since = old ? string_at(*old, {"lastTransitionTime"}) : rfc3339(now);
        conditions.push_back({{"type", "ReplicaFailure"},
                              {"status", "True"},
                              {"reason", "FailedCreate"},
                              {"message", failure},
                              {"lastTransitionTime", since}});
    }
    return conditions.empty() ? Json() : conditions;
}
}  // namespace

void rank_for_deletion(std::vector<const Pod*>& pods, const std::vector<const Pod*>& related) {
    std::map<std::string, int> on_node;
    for (const Pod* pod : related) {
        if (is_active(*pod) && !pod->node.empty()) ++on_node[pod->node];
    }
    std::vector<std::pair<Rank, const Pod*>> ranked;
    for (const Pod* pod : pods) {
        ranked.push_back({{!pod->node.empty(), phase_rank(*pod), pod->ready, deletion_cost(*pod),
                           pod->node.empty() ? 0 : on_node[pod->node], ready_since(*pod),
                           restarts_of(*pod), pod->meta.created, pod->key()},
                          pod});
    }
    std::sort(ranked.begin(), ranked.end(),
              [](const auto& a, const auto& b) { return goes_first(a.first, b.first); });
    std::transform(ranked.begin(), ranked.end(), pods.begin(),
                   [](const auto& item) { return item.second; });
}

ReplicaPlan plan_replicas(const ReplicaDemand& set, const std::vector<const Pod*>& owned,
                          const std::vector<const Pod*>& orphans, const std::string& failure,
                          WallTime now) {
    ReplicaPlan plan;
    std::vector<const Pod*> pods;
    for (const Pod* pod : owned) {
        const bool selected = set.selector.matches(pod->meta.labels);
        if (!selected && !pod->meta.deleting()) plan.release.push_back(pod);
        if (selected) pods.push_back(pod);
    }
    if (!set.object.meta.deleting()) {
        for (const Pod* pod : orphans) {
            if (!is_active(*pod)) continue;
            plan.adopt.push_back(pod);
            pods.push_back(pod);
        }
        std::vector<const Pod*> active;
        std::copy_if(pods.begin(), pods.end(), std::back_inserter(active),
                     [](const Pod* pod) { return is_active(*pod); });
        const int missing = set.replicas - static_cast<int>(active.size());
        plan.create = std::clamp(missing, 0, kBurst);
        if (missing < 0) {
            rank_for_deletion(active, pods);
            active.resize(static_cast<size_t>(std::min(-missing, kBurst)));
            plan.remove = std::move(active);
        }
    }
    const Counts counts = count(set, pods, now, plan.again_at);
    plan.status = {{"replicas", counts.replicas},
                   {"fullyLabeledReplicas", or_absent(counts.labeled)},
                   {"readyReplicas", or_absent(counts.ready)},
                   {"availableReplicas", or_absent(counts.available)},
                   {"observedGeneration", set.object.meta.generation}};
    plan.status["conditions"] = with_failure_condition(set.object.status(), failure, now);
    return plan;
}

}  // namespace kin::controllers
