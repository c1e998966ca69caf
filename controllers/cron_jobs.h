#pragma once

#include "controllers/cron_plan.h"
#include "controllers/in_flight.h"
#include "core/base/lifetime.h"
#include "core/client/client.h"
#include "core/loop/work_queue.h"

namespace kin::controllers {

/// Makes Jobs by the schedules of CronJobs.
class CronJobs {
public:
    explicit CronJobs(Client& client);

private:
    Result<> reconcile(const ObjectKey& key);
    void carry_out(const CronJob& cron, CronPlan plan);
    Client::Done answered(const ObjectKey& key);

    Client& client_;
    Cache<CronJob>& crons_;
    Cache<Job>& jobs_;
    WorkQueue<ObjectKey> queue_;
    InFlight in_flight_{queue_};
    Lifetime lifetime_;  // Last: callbacks end before what they touch.
};

}  // namespace kin::controllers
