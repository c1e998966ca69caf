#pragma once

#include <string>

#include "controllers/daemon_plan.h"
#include "controllers/owned.h"
#include "controllers/pod_writes.h"
#include "core/base/lifetime.h"
#include "core/client/client.h"
#include "core/loop/work_queue.h"

namespace kin::controllers {

/// Keeps one pod of each DaemonSet on every node that it is for.
class DaemonSets {
public:
    explicit DaemonSets(Client& client);

private:
    Result<> reconcile(const ObjectKey& key);
    Client::Done answered(const ObjectKey& key);

    Client& client_;
    Cache<DaemonSet>& sets_;
    Cache<Node>& nodes_;
    OwnedPods owned_;
    WorkQueue<ObjectKey> queue_;
    InFlight in_flight_{queue_};
    PodWrites<DaemonSet> pods_;
    Lifetime lifetime_;  // Last: callbacks end before what they touch.
};

}  // namespace kin::controllers
