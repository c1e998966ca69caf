#include "controllers/deployments.h"

#include "controllers/events.h"
#include "core/base/strings.h"

namespace kin::controllers {

namespace {
constexpr Reporter kReporter{"Deployment", "apps/v1", "deployment-controller"};

bool owned_by(const ReplicaSet& set, const Deployment& deployment) {
    const OwnerReference* owner = set.meta.controller();
    return owner && owner->uid == deployment.meta.uid;
}
}  // namespace

Deployments::Deployments(Client& client)
    : client_(client),
      deployments_(client.cache<Deployment>()),
      sets_(client.cache<ReplicaSet>()),
      owned_(client.cache<Pod>()),
      queue_(client.loop(), {.name = "deployments"},
             [this](const ObjectKey& key) { return reconcile(key); }) {
    deployments_.on_change(lifetime_.bind([this](const CacheChange<Deployment>& change) {
        if (!change.now) collided_.erase(change.either().key());
        queue_.add(change.either().key());
    }));
    sets_.on_change(
        lifetime_.bind([this](const CacheChange<ReplicaSet>& change) { on_set(change); }));
    client.cache<Pod>().on_change(
        lifetime_.bind([this](const CacheChange<Pod>& change) { on_pod(change); }));
    client.add_busy_check("deployments", lifetime_.bind([this] { return queue_.busy(); }));
}

void Deployments::on_set(const CacheChange<ReplicaSet>& change) {
    bool orphan = change.now != nullptr;
    for (const ReplicaSet* set : {change.before, change.now}) {
        const OwnerReference* owner = set ? set->meta.controller() : nullptr;
        if (!owner) continue;
        if (set == change.now) orphan = false;
        if (owner->kind == "Deployment") queue_.add({set->key().ns, owner->name});
    }
    if (!orphan) return;
    deployments_.each_in(change.now->key().ns, [&](const Deployment& deployment) {
        if (deployment.selector.matches(change.now->meta.labels)) queue_.add(deployment.key());
    });
}

void Deployments::on_pod(const CacheChange<Pod>& change) {
    owned_.note(change);
    // Only Recreate asks for pods: it waits until the last one is gone.
    if (change.now && !change.now->finished()) return;
    const OwnerReference* owner = change.either().meta.controller();
    if (!owner || owner->kind != "ReplicaSet") return;
    const ReplicaSet* set = sets_.find({change.either().key().ns, owner->name});
    const OwnerReference* above = set ? set->meta.controller() : nullptr;
    if (above && above->kind == "Deployment") queue_.add({set->key().ns, above->name});
}

Client::Done Deployments::answered(const ObjectKey& key) {
    in_flight_.begin(key);
    return lifetime_.bind([this, key](Answer<Written> answer) { in_flight_.end(key, answer); });
}

std::vector<const ReplicaSet*> Deployments::sets_of(const Deployment& deployment) const {
    std::vector<const ReplicaSet*> out;
    sets_.each_in(deployment.key().ns, [&](const ReplicaSet& set) {
        if (owned_by(set, deployment)) out.push_back(&set);
    });
    return out;
}

std::map<std::string, int> Deployments::pods_left(
    const std::vector<const ReplicaSet*>& sets) const {
    std::map<std::string, int> left;
    for (const ReplicaSet* set : sets) {
        for (const Pod* pod : owned_.of(set->meta.uid)) left[set->meta.uid] += !pod->finished();
    }
    return left;
}

void Deployments::adopt_orphans(const Deployment& deployment) {
    if (deployment.meta.deleting()) return;
    sets_.each_in(deployment.key().ns, [&](const ReplicaSet& set) {
        if (set.meta.controller() || set.meta.deleting()) return;
        if (!deployment.selector.matches(set.meta.labels)) return;
        Json owners = Json::array({owner_reference("apps/v1", "Deployment", deployment.meta)});
        client_.patch(
            ReplicaSet::kResource, set.key(),
            {{"metadata", {{"uid", set.meta.uid}, {"ownerReferences", std::move(owners)}}}},
            answered(deployment.key()));
    });
}

Result<> Deployments::reconcile(const ObjectKey& key) {
    if (!in_flight_.settled(key, client_.seen())) return Ok{};
    const Deployment* deployment = deployments_.find(key);
    if (!deployment) return Ok{};
    adopt_orphans(*deployment);
    if (!in_flight_.settled(key, client_.seen())) return Ok{};  // Adopting: once that is seen.
    const std::vector<const ReplicaSet*> sets = sets_of(*deployment);
    const WallTime now = std::chrono::system_clock::now();
    // Only who waits for all old pods to go asks for them; they can be many.
    const bool recreates = string_at(deployment->spec(), {"strategy", "type"}) == "Recreate";
    RolloutPlan plan =
        plan_rollout(*deployment, sets, recreates ? pods_left(sets) : std::map<std::string, int>{},
                     collided_.count(key) != 0, now);
    if (plan.again_at) {
        queue_.add_after(key, std::chrono::ceil<std::chrono::milliseconds>(*plan.again_at - now) +
                                  std::chrono::milliseconds(1));
    }
    carry_out(*deployment, std::move(plan));
    return Ok{};
}

void Deployments::carry_out(const Deployment& deployment, RolloutPlan plan) {
    const ObjectKey& key = deployment.key();
    if (plan.create) create_set(deployment, std::move(*plan.create));
    if (!plan.newest_annotations.empty()) {
        client_.patch(ReplicaSet::kResource, plan.newest->key(),
                      {{"metadata", {{"annotations", plan.newest_annotations}}}}, answered(key));
    }
    for (const RolloutPlan::Scale& scale : plan.scales) scale_set(deployment, scale);
    for (const ReplicaSet* set : plan.forget) {
        client_.remove(ReplicaSet::kResource, set->key(), only(set->meta.uid), answered(key));
    }
    if (!plan.annotations.empty()) {
        client_.patch(Deployment::kResource, key,
                      {{"metadata", {{"annotations", plan.annotations}}}}, answered(key));
    }
    Json status = difference(deployment.status(), plan.status);
    if (!status.empty()) {
        client_.patch_status(Deployment::kResource, key, std::move(status), answered(key));
    }
}

void Deployments::create_set(const Deployment& deployment, Json set) {
    const ObjectKey key = deployment.key();
    const std::string name = string_at(set, {"metadata", "name"});
    const int64_t replicas = int_at(set, {"spec", "replicas"});
    in_flight_.begin(key);
    client_.create(
        ReplicaSet::kResource, std::move(set),
        lifetime_.bind([this, key, name, replicas](Answer<Written> answer) {
            in_flight_.end(key, answer);
            const Deployment* now = deployments_.find(key);
            if (!now) return;
            if (answer) {
                collided_.erase(key);
                if (replicas == 0) return;
                record(client_, kReporter, now->meta, EventType::kNormal, "ScalingReplicaSet",
                       cat("Scaled up replica set ", name, " from 0 to ", replicas));
                return;
            }
            if (answer.error().reason == "AlreadyExists") {
                collided_.insert(key);
                return;
            }
            record(
                client_, kReporter, now->meta, EventType::kWarning, "ReplicaSetCreateError",
                cat("Failed to create new replica set \"", name, "\": ", answer.error().message));
        }));
}

void Deployments::scale_set(const Deployment& deployment, const RolloutPlan::Scale& scale) {
    const ObjectKey key = deployment.key();
    const int from = scale.set->replicas;
    const int to = scale.to;
    Json patch = {{"spec", {{"replicas", to}}}};
    if (!scale.annotations.empty()) patch["metadata"]["annotations"] = scale.annotations;
    in_flight_.begin(key);
    client_.patch(
        ReplicaSet::kResource, scale.set->key(), std::move(patch),
        lifetime_.bind([this, key, name = scale.set->key().name, from, to](Answer<Written> answer) {
            in_flight_.end(key, answer);
            const Deployment* now = deployments_.find(key);
            if (!answer || !now || from == to) return;
            record(client_, kReporter, now->meta, EventType::kNormal, "ScalingReplicaSet",
                   cat("Scaled ", to > from ? "up" : "down", " replica set ", name, " from ", from,
                       " to ", to));
        }));
}

}  // namespace kin::controllers
