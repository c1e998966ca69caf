#pragma once

#include <map>
#include <set>
#include <string>

#include "controllers/in_flight.h"
#include "controllers/owned.h"
#include "controllers/rollout.h"
#include "core/base/lifetime.h"
#include "core/client/client.h"
#include "core/loop/work_queue.h"

namespace kin::controllers {

/// Leads each Deployment's ReplicaSets from one pod template to the next, step by step.
class Deployments {
public:
    explicit Deployments(Client& client);

private:
    Result<> reconcile(const ObjectKey& key);
    void carry_out(const Deployment& deployment, RolloutPlan plan);
    void create_set(const Deployment& deployment, Json set);
    void scale_set(const Deployment& deployment, const RolloutPlan::Scale& scale);
    void adopt_orphans(const Deployment& deployment);
    std::vector<const ReplicaSet*> sets_of(const Deployment& deployment) const;
    std::map<std::string, int> pods_left(const std::vector<const ReplicaSet*>& sets) const;
    void on_set(const CacheChange<ReplicaSet>& change);
    void on_pod(const CacheChange<Pod>& change);
    Client::Done answered(const ObjectKey& key);

    Client& client_;
    Cache<Deployment>& deployments_;
    Cache<ReplicaSet>& sets_;
    OwnedPods owned_;
    std::set<ObjectKey> collided_;  // Their next set's name is taken by somebody else's.
    WorkQueue<ObjectKey> queue_;
    InFlight in_flight_{queue_};
    Lifetime lifetime_;  // Last: callbacks end before what they touch.
};

}  // namespace kin::controllers
