#pragma once

#include <chrono>
#include <map>
#include <string>

#include "controllers/owned.h"
#include "controllers/pod_writes.h"
#include "controllers/replica_plan.h"
#include "core/base/lifetime.h"
#include "core/client/client.h"
#include "core/loop/work_queue.h"

namespace kin::controllers {

/// Keeps as many pods as each ReplicaSet (or ReplicationController) asks for, and counts them in
/// its status.
template <class Set>
class Replicas {
public:
    explicit Replicas(Client& client);

private:
    Result<> reconcile(const ObjectKey& key);
    void create_pod(const Set& set);
    void set_owner(const Set& set, const Pod& pod, Json owners);
    /// Called with the answer of a write made for `key`.
    Client::Done answered(const ObjectKey& key);
    void on_pod(const CacheChange<Pod>& change);

    Client& client_;
    Cache<Set>& sets_;
    Cache<Pod>& pods_;
    OwnedPods owned_;
    std::map<ObjectKey, std::string> failures_;  // Why the last create failed.
    std::map<ObjectKey, std::chrono::steady_clock::time_point> next_look_;
    WorkQueue<ObjectKey> queue_;
    InFlight in_flight_{queue_};
    PodWrites<Set> writes_;
    Lifetime lifetime_;  // Last: callbacks end before what they touch.
};

using ReplicaSets = Replicas<ReplicaSet>;
using ReplicationControllers = Replicas<ReplicationController>;

}  // namespace kin::controllers
