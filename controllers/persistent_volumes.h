#pragma once

#include <string>
#include <vector>

#include "controllers/claim_plan.h"
#include "controllers/in_flight.h"
#include "core/base/lifetime.h"
#include "core/client/client.h"
#include "core/loop/work_queue.h"

namespace kin::controllers {

/// Binds claims to volumes, makes volumes for classes of kin's own provisioner, and gives back
/// those whose claims are gone. The node agent keeps a directory for each.
class PersistentVolumes {
public:
    explicit PersistentVolumes(Client& client);

private:
    Result<> reconcile_claim(const ObjectKey& key);
    Result<> reconcile_volume(const ObjectKey& key);
    void tell(const PersistentVolumeClaim& claim, const ClaimPlan& plan);
    Client::Done answered(InFlight& in_flight, const ObjectKey& key);

    Client& client_;
    Cache<PersistentVolumeClaim>& claims_;
    Cache<PersistentVolume>& volumes_;
    Cache<StorageClass>& classes_;
    WorkQueue<ObjectKey> claim_queue_, volume_queue_;
    InFlight claims_in_flight_{claim_queue_}, volumes_in_flight_{volume_queue_};
    Lifetime lifetime_;  // Last: callbacks end before what they touch.
};

}  // namespace kin::controllers
