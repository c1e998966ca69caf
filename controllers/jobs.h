#pragma once

#include <map>
#include <string>

#include "controllers/job_plan.h"
#include "controllers/owned.h"
#include "controllers/pod_writes.h"
#include "core/base/lifetime.h"
#include "core/client/client.h"
#include "core/loop/work_queue.h"

namespace kin::controllers {

/// Runs each Job's pods until enough of them have succeeded, or too many failed.
class Jobs {
public:
    explicit Jobs(Client& client);

private:
    Result<> reconcile(const ObjectKey& key);
    void on_pod(const CacheChange<Pod>& change);
    Client::Done answered(const ObjectKey& key);

    Client& client_;
    Cache<Job>& jobs_;
    OwnedPods owned_;
    std::map<std::string, PastPods> past_;  // By the Job's uid.
    WorkQueue<ObjectKey> queue_;
    InFlight in_flight_{queue_};
    PodWrites<Job> pods_;
    Lifetime lifetime_;  // Last: callbacks end before what they touch.
};

}  // namespace kin::controllers
