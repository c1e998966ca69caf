#include "controllers/daemon_sets.h"

#include "controllers/events.h"
#include "core/base/strings.h"

namespace kin::controllers {

namespace {
constexpr Reporter kReporter{"DaemonSet", "apps/v1", "daemonset-controller"};

bool same_for_daemons(const Node& a, const Node& b) {
    return a.ready == b.ready && a.unschedulable == b.unschedulable &&
           a.meta.labels == b.meta.labels &&
           array_at(a.spec(), {"taints"}) == array_at(b.spec(), {"taints"});
}
}  // namespace

DaemonSets::DaemonSets(Client& client)
    : client_(client),
      sets_(client.cache<DaemonSet>()),
      nodes_(client.cache<Node>()),
      owned_(client.cache<Pod>()),
      queue_(client.loop(), {.name = "daemon_sets"},
             [this](const ObjectKey& key) { return reconcile(key); }),
      pods_(client, sets_, kReporter, in_flight_) {
    sets_.on_change(lifetime_.bind(
        [this](const CacheChange<DaemonSet>& change) { queue_.add(change.either().key()); }));
    client.cache<Pod>().on_change(lifetime_.bind([this](const CacheChange<Pod>& change) {
        owned_.note(change);
        const OwnerReference* owner = change.either().meta.controller();
        if (owner && owner->kind == "DaemonSet") {
            queue_.add({change.either().key().ns, owner->name});
        }
    }));
    nodes_.on_change(lifetime_.bind([this](const CacheChange<Node>& change) {
        if (change.before && change.now && same_for_daemons(*change.before, *change.now)) return;
        sets_.each([this](const DaemonSet& set) { queue_.add(set.key()); });
    }));
    client.add_busy_check("daemon_sets", lifetime_.bind([this] { return queue_.busy(); }));
}

Client::Done DaemonSets::answered(const ObjectKey& key) {
    in_flight_.begin(key);
    return lifetime_.bind([this, key](Answer<Written> answer) { in_flight_.end(key, answer); });
}

Result<> DaemonSets::reconcile(const ObjectKey& key) {
    if (!in_flight_.settled(key, client_.seen())) return Ok{};
    const DaemonSet* set = sets_.find(key);
    if (!set) return Ok{};
    std::vector<const Node*> nodes;
    nodes_.each([&](const Node& node) { nodes.push_back(&node); });
    const WallTime now = std::chrono::system_clock::now();
    const DaemonPlan plan = plan_daemons(*set, owned_.of(set->meta.uid), nodes, now);
    for (const Pod* pod : plan.failed) {
        record(client_, kReporter, set->meta, EventType::kWarning, "FailedDaemonPod",
               cat("Found failed daemon pod ", pod->key(), " on node ", pod->node,
                   ", will try to kill it"));
    }
    for (const std::string& node : plan.create_on) pods_.create(*set, daemon_pod(*set, node));
    for (const Pod* pod : plan.remove) pods_.remove(*set, *pod);
    Json status = difference(set->status(), plan.status);
    if (!status.empty()) {
        client_.patch_status(DaemonSet::kResource, key, std::move(status), answered(key));
    }
    if (plan.again_at) {
        queue_.add_after(key, std::chrono::ceil<std::chrono::milliseconds>(*plan.again_at - now));
    }
    return Ok{};
}

}  // namespace kin::controllers
