#include "controllers/replica_sets.h"

#include "controllers/events.h"
#include "core/base/strings.h"

namespace kin::controllers {

namespace {
template <class Set>
constexpr Reporter kReporter{"ReplicaSet", "apps/v1", "replicaset-controller"};
template <>
constexpr Reporter kReporter<ReplicationController>{"ReplicationController", "v1",
                                                    "replication-controller"};

/// Looking at a set costs as much as it has pods. So that a large one whose pods change one after
/// the other is not counted anew for each of them, its looks are so far apart: 25 ms at 500 pods.
constexpr std::chrono::microseconds kPausePerPod{50};
}  // namespace

template <class Set>
Replicas<Set>::Replicas(Client& client)
    : client_(client),
      sets_(client.template cache<Set>()),
      pods_(client.cache<Pod>()),
      owned_(pods_),
      queue_(client.loop(), {.name = std::string(Set::kResource)},
             [this](const ObjectKey& key) { return reconcile(key); }),
      writes_(client, sets_, kReporter<Set>, in_flight_) {
    sets_.on_change(lifetime_.bind([this](const CacheChange<Set>& change) {
        if (!change.now) {
            failures_.erase(change.either().key());
            next_look_.erase(change.either().key());
        }
        queue_.add(change.either().key());
    }));
    pods_.on_change(lifetime_.bind([this](const CacheChange<Pod>& change) { on_pod(change); }));
    client.add_busy_check(std::string(Set::kResource),
                          lifetime_.bind([this] { return queue_.busy(); }));
}

template <class Set>
void Replicas<Set>::on_pod(const CacheChange<Pod>& change) {
    owned_.note(change);
    bool orphan = change.now != nullptr;
    for (const Pod* pod : {change.before, change.now}) {
        const OwnerReference* owner = pod ? pod->meta.controller() : nullptr;
        if (!owner) continue;
        if (pod == change.now) orphan = false;
        if (owner->kind == kReporter<Set>.kind) queue_.add({pod->key().ns, owner->name});
    }
    if (!orphan) return;
    sets_.each_in(change.now->key().ns, [&](const Set& set) {
        if (set.selector.matches(change.now->meta.labels)) queue_.add(set.key());
    });
}

template <class Set>
Client::Done Replicas<Set>::answered(const ObjectKey& key) {
    in_flight_.begin(key);
    return lifetime_.bind([this, key](Answer<Written> answer) { in_flight_.end(key, answer); });
}

template <class Set>
Result<> Replicas<Set>::reconcile(const ObjectKey& key) {
    if (!in_flight_.settled(key, client_.seen())) return Ok{};
    const Set* set = sets_.find(key);
    if (!set) return Ok{};
    const auto moment = std::chrono::steady_clock::now();
    auto& next_look = next_look_[key];
    if (moment < next_look) {
        queue_.add_within(key, std::chrono::ceil<std::chrono::milliseconds>(next_look - moment));
        return Ok{};
    }
    const std::vector<const Pod*> owned = owned_.of(set->meta.uid);
    next_look = moment + owned.size() * kPausePerPod;
    const auto failed = failures_.find(key);
    const WallTime now = std::chrono::system_clock::now();
    const ReplicaPlan plan = plan_replicas(*set, owned, owned_.orphans(key.ns, set->selector),
                                           failed == failures_.end() ? "" : failed->second, now);
    for (const Pod* pod : plan.adopt) {
        set_owner(*set, *pod,
                  Json::array({owner_reference(kReporter<Set>.api_version, kReporter<Set>.kind,
                                               set->meta)}));
    }
    for (const Pod* pod : plan.release) {
        Json owners = Json::array();
        for (const Json& owner : array_at(*pod->object, {"metadata", "ownerReferences"})) {
            if (string_at(owner, {"uid"}) != set->meta.uid) owners.push_back(owner);
        }
        set_owner(*set, *pod, std::move(owners));
    }
    for (int missing = 0; missing < plan.create; ++missing) create_pod(*set);
    for (const Pod* pod : plan.remove) writes_.remove(*set, *pod);
    Json status = difference(set->status(), plan.status);
    if (!status.empty()) {
        client_.patch_status(Set::kResource, key, std::move(status), answered(key));
    }
    if (plan.again_at) {
        queue_.add_after(key, std::chrono::ceil<std::chrono::milliseconds>(*plan.again_at - now));
    }
    return Ok{};
}

template <class Set>
void Replicas<Set>::create_pod(const Set& set) {
    writes_.create(set,
                   pod_from_template(object_at(set.spec(), {"template"}),
                                     kReporter<Set>.api_version, kReporter<Set>.kind, set.meta),
                   [this, key = set.key()](const Answer<Written>& answer) {
                       if (answer) {
                           failures_.erase(key);
                       } else {
                           failures_[key] = answer.error().message;
                       }
                   });
}

template <class Set>
void Replicas<Set>::set_owner(const Set& set, const Pod& pod, Json owners) {
    // The uid refuses the patch if another pod has taken the name meanwhile.
    client_.patch(Pod::kResource, pod.key(),
                  {{"metadata", {{"uid", pod.meta.uid}, {"ownerReferences", std::move(owners)}}}},
                  answered(set.key()));
}

template class Replicas<ReplicaSet>;
template class Replicas<ReplicationController>;

}  // namespace kin::controllers
