#pragma once

#include <vector>

#include "controllers/in_flight.h"
#include "controllers/owned.h"
#include "controllers/stateful_plan.h"
#include "core/base/lifetime.h"
#include "core/client/client.h"
#include "core/loop/work_queue.h"

namespace kin::controllers {

/// Keeps each StatefulSet's pods, with their lasting names and claims, one after the other.
class StatefulSets {
public:
    explicit StatefulSets(Client& client);

private:
    Result<> reconcile(const ObjectKey& key);
    void carry_out(const StatefulSet& set, StatefulPlan plan);
    void write_history(const StatefulSet& set, History& history);
    void create_pod(const StatefulSet& set, StatefulPlan::Create create);
    void create_claim(const StatefulSet& set, const std::string& pod, Json claim);
    void remove_pod(const StatefulSet& set, const Pod& pod);
    std::vector<const ControllerRevision*> revisions_of(const StatefulSet& set) const;
    Client::Done answered(const ObjectKey& key);
    void note(const ObjectKey& key, const Answer<Written>& answer, const char* verb,
              const std::string& what);

    Client& client_;
    Cache<StatefulSet>& sets_;
    Cache<ControllerRevision>& revisions_;
    Cache<PersistentVolumeClaim>& claims_;
    OwnedPods owned_;
    WorkQueue<ObjectKey> queue_;
    InFlight in_flight_{queue_};
    Lifetime lifetime_;  // Last: callbacks end before what they touch.
};

}  // namespace kin::controllers
