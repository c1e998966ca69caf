#include "controllers/stateful_plan.h"

#include <algorithm>
#include <map>

#include "controllers/owned.h"
#include "core/base/strings.h"

namespace kin::controllers {

namespace {
constexpr std::string_view kRevisionLabel = "controller-revision-hash";

std::string revision_of(const Pod& pod) {
    const auto found = pod.meta.labels.find(kRevisionLabel);
    return found == pod.meta.labels.end() ? "" : found->second;
}

std::string claim_name(const Json& claim_template, const std::string& pod) {
    return cat(string_at(claim_template, {"metadata", "name"}), '-', pod);
}

/// One planning, with what its steps share.
class Planner {
public:
    Planner(const StatefulSet& set, const std::vector<const Pod*>& pods,
            const std::vector<const ControllerRevision*>& revisions,
            const std::set<std::string>& claims, WallTime now)
        : set_(set),
          revisions_(revisions),
          claims_(claims),
          now_(now),
          start_(static_cast<int>(int_at(set.spec(), {"ordinals", "start"}))),
          ordered_(string_at(set.spec(), {"podManagementPolicy"}) != "Parallel"),
          rolling_(string_at(set.spec(), {"updateStrategy", "type"}, "RollingUpdate") ==
                   "RollingUpdate"),
          partition_(static_cast<int>(
              int_at(set.spec(), {"updateStrategy", "rollingUpdate", "partition"}))) {
        const RevisionOwner owner{"apps/v1", "StatefulSet", set,
                                  int_at(set.status(), {"collisionCount"})};
        plan_.history = plan_history(owner, revisions);
        current_ = string_at(set.status(), {"currentRevision"}, plan_.history.update);
        std::vector<std::string> in_use{current_, plan_.history.update};
        for (const Pod* pod : pods) {
            const auto ordinal = ordinal_of(set.key().name, pod->key().name);
            if (!ordinal) continue;
            in_use.push_back(revision_of(*pod));
            const bool wanted = *ordinal >= start_ && *ordinal < start_ + set.replicas;
            (wanted ? wanted_ : condemned_)[*ordinal] = pod;
        }
        plan_.forget = surplus_revisions(owner, revisions, in_use);
    }

    StatefulPlan plan() {
        write_status();
        if (!set_.meta.deleting() && fill() && shrink() && rolling_) update();
        return std::move(plan_);
    }

private:
    bool available(const Pod& pod) {
        const auto at = available_at(pod, int_at(set_.spec(), {"minReadySeconds"}));
        if (!at) return false;
        if (*at <= now_) return true;
        if (!plan_.again_at || *at < *plan_.again_at) plan_.again_at = *at;
        return false;
    }
    bool healthy(const Pod& pod) { return !pod.meta.deleting() && available(pod); }

    /// Makes missing pods, in order. True if the next step may be taken.
    bool fill() {
        bool all_there = true;
        for (int ordinal = start_; ordinal < start_ + set_.replicas; ++ordinal) {
            const auto found = wanted_.find(ordinal);
            if (found == wanted_.end()) {
                create(ordinal);
                if (ordered_) return false;
                all_there = false;
                continue;
            }
            const Pod& pod = *found->second;
            if (pod.finished() && !pod.meta.deleting()) {
                plan_.failed.push_back(&pod);
                plan_.remove.push_back(&pod);
                if (ordered_) return false;
            } else if (ordered_ && !healthy(pod)) {
                return false;
            }
        }
        return all_there;
    }

    /// Removes pods beyond the size, highest first. True if none is left.
    bool shrink() {
        for (auto at = condemned_.rbegin(); at != condemned_.rend(); ++at) {
            const Pod& pod = *at->second;
            if (!pod.meta.deleting()) {
                plan_.remove.push_back(&pod);
                if (string_at(set_.spec(),
                              {"persistentVolumeClaimRetentionPolicy", "whenScaled"}) == "Delete") {
                    condemn_claims(pod);
                }
            }
            if (ordered_) return false;
        }
        return condemned_.empty();
    }

    void condemn_claims(const Pod& pod) {
        for (const Json& claim : array_at(set_.spec(), {"volumeClaimTemplates"})) {
            plan_.remove_claims.push_back({set_.key().ns, claim_name(claim, pod.key().name)});
        }
    }

    /// Replaces one pod of another revision, highest first.
    void update() {
        for (auto at = wanted_.rbegin(); at != wanted_.rend(); ++at) {
            if (at->first < start_ + partition_) return;
            const Pod& pod = *at->second;
            if (revision_of(pod) != plan_.history.update && !pod.meta.deleting()) {
                plan_.remove.push_back(&pod);
                return;
            }
            if (!healthy(pod)) return;
        }
    }

    void create(int ordinal) {
        const bool old = rolling_ && ordinal < start_ + partition_;
        const Json* stored = old ? find_template(revisions_, current_) : nullptr;
        const std::string& revision = stored ? current_ : plan_.history.update;
        const Json& pod_template = stored ? *stored : object_at(set_.spec(), {"template"});
        StatefulPlan::Create out;
        out.pod = pod_from_template(pod_template, "apps/v1", "StatefulSet", set_.meta);
        const std::string name = cat(set_.key().name, '-', ordinal);
        Json& meta = out.pod["metadata"];
        meta.erase("generateName");
        meta["name"] = name;
        meta["labels"][std::string(kRevisionLabel)] = revision;
        meta["labels"]["statefulset.kubernetes.io/pod-name"] = name;
        meta["labels"]["apps.kubernetes.io/pod-index"] = cat(ordinal);
        Json& spec = out.pod["spec"];
        spec["hostname"] = name;
        if (const std::string service = string_at(set_.spec(), {"serviceName"}); !service.empty()) {
            spec["subdomain"] = service;
        }
        for (const Json& claim : array_at(set_.spec(), {"volumeClaimTemplates"})) {
            add_claim(claim, name, spec, out.claims);
        }
        plan_.create.push_back(std::move(out));
    }

    void add_claim(const Json& claim_template, const std::string& pod, Json& spec,
                   std::vector<Json>& claims) {
        const std::string volume = string_at(claim_template, {"metadata", "name"});
        const std::string name = claim_name(claim_template, pod);
        Json volumes = Json::array();
        for (const Json& other : array_at(spec, {"volumes"})) {
            if (string_at(other, {"name"}) != volume) volumes.push_back(other);
        }
        volumes.push_back({{"name", volume}, {"persistentVolumeClaim", {{"claimName", name}}}});
        spec["volumes"] = std::move(volumes);
        if (claims_.count(name) != 0) return;
        Json claim = claim_template;
        claim.erase("status");
        claim["apiVersion"] = "v1";
        claim["kind"] = "PersistentVolumeClaim";
        claim["metadata"]["name"] = name;
        claim["metadata"]["namespace"] = set_.key().ns;
        Json labels = object_at(set_.spec(), {"selector", "matchLabels"});
        labels.update(object_at(claim_template, {"metadata", "labels"}));
        claim["metadata"]["labels"] = std::move(labels);
        if (string_at(set_.spec(), {"persistentVolumeClaimRetentionPolicy", "whenDeleted"}) ==
            "Delete") {
            claim["metadata"]["ownerReferences"] =
                Json::array({owner_reference("apps/v1", "StatefulSet", set_.meta)});
        }
        claims.push_back(std::move(claim));
    }

    void write_status() {
        int replicas = 0, ready = 0, are_available = 0, current = 0, updated = 0;
        for (const auto* pods : {&wanted_, &condemned_}) {
            for (const auto& [ordinal, pod] : *pods) {
                ++replicas;
                if (pod->ready) ++ready;
                if (pod->ready && available(*pod)) ++are_available;
                if (pod->meta.deleting()) continue;
                if (revision_of(*pod) == current_) ++current;
                if (revision_of(*pod) == plan_.history.update) ++updated;
            }
        }
        // The update is over: from here on new pods below a partition are of this revision, too.
        if (rolling_ && updated == replicas && ready == replicas && replicas == set_.replicas) {
            current_ = plan_.history.update;
            current = updated;
        }
        plan_.status = {{"observedGeneration", set_.meta.generation},
                        {"replicas", replicas},
                        {"readyReplicas", or_absent(ready)},
                        {"availableReplicas", are_available},
                        {"currentReplicas", or_absent(current)},
                        {"updatedReplicas", or_absent(updated)},
                        {"currentRevision", current_},
                        {"updateRevision", plan_.history.update},
                        {"collisionCount", int_at(set_.status(), {"collisionCount"})}};
    }

    const StatefulSet& set_;
    const std::vector<const ControllerRevision*>& revisions_;
    const std::set<std::string>& claims_;
    const WallTime now_;
    const int start_;
    const bool ordered_, rolling_;
    const int partition_;
    std::string current_;  // The name of the revision that was in force before the update.
    std::map<int, const Pod*> wanted_, condemned_;
    StatefulPlan plan_;
};
}  // namespace

std::optional<int> ordinal_of(const std::string& set_name, const std::string& pod_name) {
    if (!pod_name.starts_with(set_name + '-')) return {};
    return parse_number<int>(std::string_view(pod_name).substr(set_name.size() + 1));
}

StatefulPlan plan_stateful(const StatefulSet& set, const std::vector<const Pod*>& pods,
                           const std::vector<const ControllerRevision*>& revisions,
                           const std::set<std::string>& claims, WallTime now) {
    return Planner(set, pods, revisions, claims, now).plan();
}

}  // namespace kin::controllers
