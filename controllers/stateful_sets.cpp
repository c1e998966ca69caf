#include "controllers/stateful_sets.h"

#include "controllers/events.h"
#include "core/base/strings.h"

namespace kin::controllers {

namespace {
constexpr Reporter kReporter{"StatefulSet", "apps/v1", "statefulset-controller"};
}  // namespace

StatefulSets::StatefulSets(Client& client)
    : client_(client),
      sets_(client.cache<StatefulSet>()),
      revisions_(client.cache<ControllerRevision>()),
      claims_(client.cache<PersistentVolumeClaim>()),
      owned_(client.cache<Pod>()),
      queue_(client.loop(), {.name = "stateful_sets"},
             [this](const ObjectKey& key) { return reconcile(key); }) {
    sets_.on_change(lifetime_.bind(
        [this](const CacheChange<StatefulSet>& change) { queue_.add(change.either().key()); }));
    client.cache<Pod>().on_change(lifetime_.bind([this](const CacheChange<Pod>& change) {
        owned_.note(change);
        const OwnerReference* owner = change.either().meta.controller();
        if (owner && owner->kind == "StatefulSet") {
            queue_.add({change.either().key().ns, owner->name});
        }
    }));
    client.add_busy_check("stateful_sets", lifetime_.bind([this] { return queue_.busy(); }));
}

Client::Done StatefulSets::answered(const ObjectKey& key) {
    in_flight_.begin(key);
    return lifetime_.bind([this, key](Answer<Written> answer) { in_flight_.end(key, answer); });
}

std::vector<const ControllerRevision*> StatefulSets::revisions_of(const StatefulSet& set) const {
    std::vector<const ControllerRevision*> out;
    revisions_.each_in(set.key().ns, [&](const ControllerRevision& revision) {
        const OwnerReference* owner = revision.meta.controller();
        if (owner && owner->uid == set.meta.uid && !revision.meta.deleting()) {
            out.push_back(&revision);
        }
    });
    return out;
}

Result<> StatefulSets::reconcile(const ObjectKey& key) {
    if (!in_flight_.settled(key, client_.seen())) return Ok{};
    const StatefulSet* set = sets_.find(key);
    if (!set) return Ok{};
    std::set<std::string> claims;
    claims_.each_in(key.ns, [&](const auto& claim) { claims.insert(claim.key().name); });
    const WallTime now = std::chrono::system_clock::now();
    StatefulPlan plan =
        plan_stateful(*set, owned_.of(set->meta.uid), revisions_of(*set), claims, now);
    if (plan.again_at) {
        queue_.add_after(key, std::chrono::ceil<std::chrono::milliseconds>(*plan.again_at - now));
    }
    carry_out(*set, std::move(plan));
    return Ok{};
}

void StatefulSets::carry_out(const StatefulSet& set, StatefulPlan plan) {
    const ObjectKey key = set.key();
    write_history(set, plan.history);
    for (const ControllerRevision* one : plan.forget) {
        client_.remove(ControllerRevision::kResource, one->key(), only(one->meta.uid),
                       answered(key));
    }
    for (const Pod* pod : plan.failed) {
        record(client_, kReporter, set.meta, EventType::kWarning, "RecreatingFailedPod",
               cat("StatefulSet ", key.ns, '/', key.name, " is recreating failed Pod ",
                   pod->key().name));
    }
    for (const ObjectKey& claim : plan.remove_claims) {
        client_.remove(PersistentVolumeClaim::kResource, claim, {}, answered(key));
    }
    for (StatefulPlan::Create& create : plan.create) create_pod(set, std::move(create));
    for (const Pod* pod : plan.remove) remove_pod(set, *pod);
    Json status = difference(set.status(), plan.status);
    if (!status.empty()) {
        client_.patch_status(StatefulSet::kResource, key, std::move(status), answered(key));
    }
}

void StatefulSets::write_history(const StatefulSet& set, History& history) {
    if (history.create) {
        client_.create(ControllerRevision::kResource, std::move(*history.create),
                       answered(set.key()));
    } else if (history.raise) {
        client_.patch(ControllerRevision::kResource, history.raise->key(),
                      {{"revision", history.number}}, answered(set.key()));
    }
}

void StatefulSets::note(const ObjectKey& key, const Answer<Written>& answer, const char* verb,
                        const std::string& what) {
    const StatefulSet* now = sets_.find(key);
    if (!now) return;
    const bool creates = std::string_view(verb) == "create";
    if (answer) {
        record(client_, kReporter, now->meta, EventType::kNormal,
               creates ? "SuccessfulCreate" : "SuccessfulDelete", cat(verb, ' ', what));
    } else if (answer.error().code != 404) {
        record(client_, kReporter, now->meta, EventType::kWarning,
               creates ? "FailedCreate" : "FailedDelete",
               cat(verb, ' ', what, " error: ", answer.error().message));
    }
}

void StatefulSets::create_claim(const StatefulSet& set, const std::string& pod, Json claim) {
    const ObjectKey key = set.key();
    const std::string name = string_at(claim, {"metadata", "name"});
    in_flight_.begin(key);
    client_.create(PersistentVolumeClaim::kResource, std::move(claim),
                   lifetime_.bind([this, key, name, pod](Answer<Written> answer) {
                       in_flight_.end(key, answer);
                       note(key, answer, "create",
                            cat("Claim ", name, " Pod ", pod, " in StatefulSet ", key.name,
                                answer ? " success" : " failed"));
                   }));
}

void StatefulSets::create_pod(const StatefulSet& set, StatefulPlan::Create create) {
    const ObjectKey key = set.key();
    const std::string name = string_at(create.pod, {"metadata", "name"});
    for (Json& claim : create.claims) create_claim(set, name, std::move(claim));
    in_flight_.begin(key);
    client_.create(Pod::kResource, std::move(create.pod),
                   lifetime_.bind([this, key, name](Answer<Written> answer) {
                       in_flight_.end(key, answer);
                       note(key, answer, "create",
                            cat("Pod ", name, " in StatefulSet ", key.name,
                                answer ? " successful" : " failed"));
                   }));
}

void StatefulSets::remove_pod(const StatefulSet& set, const Pod& pod) {
    const ObjectKey key = set.key();
    in_flight_.begin(key);
    client_.remove(Pod::kResource, pod.key(), only(pod.meta.uid),
                   lifetime_.bind([this, key, name = pod.key().name](Answer<Written> answer) {
                       in_flight_.end(key, answer);
                       note(key, answer, "delete",
                            cat("Pod ", name, " in StatefulSet ", key.name,
                                answer ? " successful" : " failed"));
                   }));
}

}  // namespace kin::controllers
