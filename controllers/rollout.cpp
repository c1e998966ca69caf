#include "controllers/rollout.h"

#include <algorithm>

#include "controllers/owned.h"
#include "core/base/strings.h"

namespace kin::controllers {

namespace {
using rollout::Limits;
using rollout::Sized;

constexpr std::string_view kHashLabel = "pod-template-hash";
constexpr std::string_view kRevision = "deployment.kubernetes.io/revision";
constexpr std::string_view kDesired = "deployment.kubernetes.io/desired-replicas";
constexpr std::string_view kMaximum = "deployment.kubernetes.io/max-replicas";

int64_t number_at(const Labels& annotations, std::string_view key) {
    const auto found = annotations.find(key);
    return found == annotations.end() ? 0 : parse_number<int64_t>(found->second).value_or(0);
}

/// The template of a set as its Deployment gave it: without the hash.
bool same_template(const Json& wanted, const ReplicaSet& set) {
    const Json& own = object_at(set.spec(), {"template"});
    if (object_at(own, {"spec"}) != object_at(wanted, {"spec"})) return false;
    if (object_at(own, {"metadata", "annotations"}) !=
        object_at(wanted, {"metadata", "annotations"})) {
        return false;
    }
    Json labels = object_at(own, {"metadata", "labels"});
    Json wanted_labels = object_at(wanted, {"metadata", "labels"});
    labels.erase(std::string(kHashLabel));
    wanted_labels.erase(std::string(kHashLabel));
    return labels == wanted_labels;
}

/// The annotations that a set copies from its Deployment, kubernetes.io/change-cause above all.
Json copied_annotations(const Deployment& deployment) {
    Json out = Json::object();
    for (const auto& [key, value] : deployment.meta.annotations) {
        if (key == kRevision || key == kDesired || key == kMaximum ||
            key == "kubectl.kubernetes.io/last-applied-configuration" ||
            key == "deployment.kubernetes.io/revision-history" ||
            key == "deprecated.deployment.rollback.to") {
            continue;
        }
        out[key] = value;
    }
    return out;
}

Json size_annotations(const Limits& limits) {
    return {{std::string(kDesired), std::to_string(limits.replicas)},
            {std::string(kMaximum), std::to_string(limits.replicas + limits.surge)}};
}

void keep_differing(Json& annotations, const Labels& stored) {
    for (auto at = annotations.begin(); at != annotations.end();) {
        const auto found = stored.find(at.key());
        const bool same = found != stored.end() && at->is_string() &&
                          found->second == at->get_ref<const std::string&>();
        at = same ? annotations.erase(at) : std::next(at);
    }
}

/// One planning, with what its steps share.
class Planner {
public:
    Planner(const Deployment& deployment, const std::vector<const ReplicaSet*>& sets,
            const std::map<std::string, int>& pods_left, bool collided, WallTime now)
        : deployment_(deployment),
          sets_(sets),
          pods_left_(pods_left),
          limits_(rollout::limits_of(deployment)),
          wanted_(object_at(deployment.spec(), {"template"})),
          collisions_(int_at(deployment.status(), {"collisionCount"}) + (collided ? 1 : 0)),
          now_(now) {
        std::sort(sets_.begin(), sets_.end(), [](const ReplicaSet* a, const ReplicaSet* b) {
            return std::tie(a->meta.created, a->key()) < std::tie(b->meta.created, b->key());
        });
        for (const ReplicaSet* set : sets_) {
            if (!newest_ && same_template(wanted_, *set)) {
                newest_ = set;
            } else {
                old_.push_back(set);
            }
        }
    }

    RolloutPlan plan() {
        plan_.newest = newest_;
        if (!deployment_.meta.deleting()) {
            sync_revision();
            if (deployment_.paused || resized()) {
                resize();
            } else if (string_at(deployment_.spec(), {"strategy", "type"}) == "Recreate") {
                recreate();
            } else {
                roll();
            }
        }
        plan_.status =
            rollout::status_of(deployment_, newest_, sets_, created_name_, now_, plan_.again_at);
        if (collisions_ > 0) plan_.status["collisionCount"] = collisions_;
        if (!deployment_.meta.deleting() &&
            (deployment_.paused || rollout::complete(deployment_, plan_.status))) {
            forget_history();
        }
        return std::move(plan_);
    }

private:
    int64_t next_revision() const {
        int64_t last = 0;
        for (const ReplicaSet* set : old_) {
            last = std::max(last, number_at(set->meta.annotations, kRevision));
        }
        return last + 1;
    }

    /// The newest template has the highest revision, also when it is an old one come back.
    void sync_revision() {
        if (!newest_) return;
        const int64_t revision =
            std::max(next_revision(), number_at(newest_->meta.annotations, kRevision));
        plan_.newest_annotations = copied_annotations(deployment_);
        plan_.newest_annotations[std::string(kRevision)] = std::to_string(revision);
        keep_differing(plan_.newest_annotations, newest_->meta.annotations);
        plan_.annotations[std::string(kRevision)] = std::to_string(revision);
        keep_differing(plan_.annotations, deployment_.meta.annotations);
    }

    /// spec.replicas changed since the sets were last sized.
    bool resized() const {
        return std::any_of(sets_.begin(), sets_.end(), [&](const ReplicaSet* set) {
            return set->replicas > 0 && set->meta.annotations.count(kDesired) != 0 &&
                   number_at(set->meta.annotations, kDesired) != deployment_.replicas;
        });
    }

    void scale(const ReplicaSet& set, int to) {
        Json annotations = size_annotations(limits_);
        keep_differing(annotations, set.meta.annotations);
        if (to == set.replicas && (annotations.empty() || to == 0)) return;
        plan_.scales.push_back({&set, to, std::move(annotations)});
    }

    void resize() {
        std::vector<Sized> active;
        for (const ReplicaSet* set : sets_) {
            if (set->replicas > 0) active.emplace_back(*set);
        }
        if (active.size() <= 1) {
            const ReplicaSet* only = active.empty() ? newest_ : active.front().set;
            if (!only && !sets_.empty()) only = sets_.back();
            if (only) scale(*only, deployment_.replicas);
            return;
        }
        if (newest_ && newest_->replicas == deployment_.replicas &&
            Sized(*newest_).available == deployment_.replicas) {
            for (const ReplicaSet* set : old_) scale(*set, 0);
            return;
        }
        if (string_at(deployment_.spec(), {"strategy", "type"}) == "Recreate") return;
        rollout::scale_in_proportion(
            limits_, static_cast<int>(int_at(deployment_.status(), {"replicas"})), active);
        for (const Sized& sized : active) scale(*sized.set, sized.replicas);
    }

    void roll() {
        std::vector<Sized> old, all;
        for (const ReplicaSet* set : old_) old.emplace_back(*set);
        all = old;
        if (newest_) all.emplace_back(*newest_);
        const int size = rollout::newest_size(limits_, newest_ ? newest_->replicas : 0, all);
        if (!newest_) return create(size);
        scale(*newest_, size);
        if (size != newest_->replicas) return;  // Old sets shrink once this is seen.
        rollout::shrink_old(limits_, Sized(*newest_), old);
        for (const Sized& sized : old) {
            if (sized.replicas != sized.set->replicas) scale(*sized.set, sized.replicas);
        }
    }

    void recreate() {
        bool waiting = false;
        for (const ReplicaSet* set : old_) {
            if (set->replicas > 0) scale(*set, 0);
            const auto left = pods_left_.find(set->meta.uid);
            waiting =
                waiting || set->replicas > 0 || (left != pods_left_.end() && left->second > 0);
        }
        if (waiting) return;
        if (!newest_) return create(deployment_.replicas);
        scale(*newest_, deployment_.replicas);
    }

    void create(int replicas) {
        const std::string hash = template_hash(wanted_, collisions_);
        created_name_ = cat(deployment_.key().name, '-', hash);
        Json pod_template = wanted_;
        pod_template["metadata"]["labels"][std::string(kHashLabel)] = hash;
        Json selector = object_at(deployment_.spec(), {"selector"});
        selector["matchLabels"][std::string(kHashLabel)] = hash;
        Json annotations = copied_annotations(deployment_);
        annotations.update(size_annotations(limits_));
        const std::string revision = std::to_string(next_revision());
        annotations[std::string(kRevision)] = revision;
        plan_.annotations[std::string(kRevision)] = revision;
        keep_differing(plan_.annotations, deployment_.meta.annotations);
        Json spec = {{"replicas", replicas}, {"selector", selector}, {"template", pod_template}};
        if (const int64_t ready = int_at(deployment_.spec(), {"minReadySeconds"})) {
            spec["minReadySeconds"] = ready;
        }
        plan_.create =
            Json{{"apiVersion", "apps/v1"},
                 {"kind", "ReplicaSet"},
                 {"metadata",
                  {{"name", created_name_},
                   {"namespace", deployment_.key().ns},
                   {"labels", pod_template["metadata"]["labels"]},
                   {"annotations", std::move(annotations)},
                   {"ownerReferences",
                    Json::array({owner_reference("apps/v1", "Deployment", deployment_.meta)})}}},
                 {"spec", std::move(spec)}};
    }

    void forget_history() {
        const int64_t keep = int_at(deployment_.spec(), {"revisionHistoryLimit"}, 10);
        std::vector<const ReplicaSet*> idle;
        for (const ReplicaSet* set : old_) {
            if (set->replicas == 0 && int_at(set->status(), {"replicas"}) == 0 &&
                int_at(set->status(), {"observedGeneration"}) >= set->meta.generation &&
                !set->meta.deleting()) {
                idle.push_back(set);
            }
        }
        std::stable_sort(idle.begin(), idle.end(), [](const ReplicaSet* a, const ReplicaSet* b) {
            return number_at(a->meta.annotations, kRevision) <
                   number_at(b->meta.annotations, kRevision);
        });
        const int64_t surplus = static_cast<int64_t>(old_.size()) - keep;
        for (int64_t i = 0; i < surplus && i < static_cast<int64_t>(idle.size()); ++i) {
            plan_.forget.push_back(idle[static_cast<size_t>(i)]);
        }
    }

    const Deployment& deployment_;
    std::vector<const ReplicaSet*> sets_;
    const std::map<std::string, int>& pods_left_;
    const Limits limits_;
    const Json& wanted_;
    const int64_t collisions_;
    const WallTime now_;
    const ReplicaSet* newest_ = nullptr;
    std::vector<const ReplicaSet*> old_;
    std::string created_name_;
    RolloutPlan plan_;
};
}  // namespace

RolloutPlan plan_rollout(const Deployment& deployment, const std::vector<const ReplicaSet*>& sets,
                         const std::map<std::string, int>& pods_left, bool collided, WallTime now) {
    return Planner(deployment, sets, pods_left, collided, now).plan();
}

}  // namespace kin::controllers
