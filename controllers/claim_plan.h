#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/api/workload_views.h"
#include "core/base/json.h"

namespace kin::controllers {

/// Which volume belongs to which claim. Pure.

/// The provisioner of StorageClasses whose volumes are directories of the lab.
constexpr std::string_view kDirectoryProvisioner = "kin.local/directory";

/// The next step for one claim; one at a time, each seen before the next.
struct ClaimPlan {
    std::optional<Json> create_volume;
    const PersistentVolume* reserve = nullptr;  ///< gets a claimRef to the claim
    Json claim_patch;                           ///< of the claim's spec and metadata; null: none
    Json claim_status;                          ///< as it should be; null: as it is
    std::string event_reason, event_message;    ///< why it stays Pending; "" if it does not
};
ClaimPlan plan_claim(const PersistentVolumeClaim& claim,
                     const std::vector<const PersistentVolume*>& volumes,
                     const std::vector<const StorageClass*>& classes);

struct VolumePlan {
    bool remove = false;  ///< Its claim is gone and its data may go, too.
    Json status;          ///< as it should be
};
/// `claim` is the one that the volume's claimRef names, nullptr if there is none.
VolumePlan plan_volume(const PersistentVolume& volume, const PersistentVolumeClaim* claim);

/// The claimRef of a volume that belongs to `claim`.
Json claim_reference(const PersistentVolumeClaim& claim);

}  // namespace kin::controllers
