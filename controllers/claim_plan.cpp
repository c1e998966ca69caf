#include "controllers/claim_plan.h"

#include <algorithm>

#include "core/api/quantity.h"
#include "core/base/strings.h"

namespace kin::controllers {

namespace {
constexpr std::string_view kDefaultClass = "storageclass.kubernetes.io/is-default-class";

const StorageClass* default_class(const std::vector<const StorageClass*>& classes) {
    for (const StorageClass* one : classes) {
        const auto found = one->meta.annotations.find(kDefaultClass);
        if (found != one->meta.annotations.end() && found->second == "true") return one;
    }
    return nullptr;
}

const StorageClass* find_class(const std::vector<const StorageClass*>& classes,
                               const std::string& name) {
    for (const StorageClass* one : classes) {
        if (one->key().name == name) return one;
    }
    return nullptr;
}

bool is_ours(const PersistentVolume& volume, const PersistentVolumeClaim& claim) {
    return volume.claim == claim.key() &&
           (volume.claim_uid.empty() || volume.claim_uid == claim.meta.uid);
}

/// A free volume that gives what the claim asks for.
bool fits(const PersistentVolume& volume, const PersistentVolumeClaim& claim,
          const std::string& class_name) {
    if (!volume.claim.name.empty() || volume.meta.deleting()) return false;
    if (volume.storage_class != class_name) return false;
    const Json& modes = array_at(volume.spec(), {"accessModes"});
    for (const Json& mode : array_at(claim.spec(), {"accessModes"})) {
        if (std::find(modes.begin(), modes.end(), mode) == modes.end()) return false;
    }
    const auto has = Quantity::parse(string_at(volume.spec(), {"capacity", "storage"}));
    const auto wants =
        Quantity::parse(string_at(claim.spec(), {"resources", "requests", "storage"}));
    if (!has || (wants && *has < *wants)) return false;
    const auto selector = LabelSelector::from_json(object_at(claim.spec(), {"selector"}));
    return !find(claim.spec(), "selector") || selector.matches(volume.meta.labels);
}

Json new_volume(const PersistentVolumeClaim& claim, const StorageClass& its_class) {
    const std::string name = cat("pvc-", claim.meta.uid);
    const std::string provisioner = string_at(*its_class.object, {"provisioner"});
    Json spec{
        {"accessModes", array_at(claim.spec(), {"accessModes"})},
        {"capacity", {{"storage", string_at(claim.spec(), {"resources", "requests", "storage"})}}},
        {"claimRef", claim_reference(claim)},
        {"persistentVolumeReclaimPolicy",
         string_at(*its_class.object, {"reclaimPolicy"}, "Delete")},
        {"storageClassName", its_class.key().name},
        {"volumeMode", string_at(claim.spec(), {"volumeMode"}, "Filesystem")},
        {"csi", {{"driver", "kin.local"}, {"volumeHandle", name}}}};
    return {{"apiVersion", "v1"},
            {"kind", "PersistentVolume"},
            {"metadata",
             {{"name", name}, {"annotations", {{"pv.kubernetes.io/provisioned-by", provisioner}}}}},
            {"spec", std::move(spec)}};
}

ClaimPlan keep_bound(const PersistentVolumeClaim& claim,
                     const std::vector<const PersistentVolume*>& volumes) {
    ClaimPlan plan;
    for (const PersistentVolume* volume : volumes) {
        if (volume->key().name != claim.volume) continue;
        if (volume->claim.name.empty() || (is_ours(*volume, claim) && volume->claim_uid.empty())) {
            plan.reserve = volume;
            return plan;
        }
        if (!is_ours(*volume, claim)) break;
        plan.claim_status = {{"phase", "Bound"},
                             {"accessModes", array_at(volume->spec(), {"accessModes"})},
                             {"capacity", object_at(volume->spec(), {"capacity"})}};
        return plan;
    }
    // A volume that was named before it exists is waited for; one that was there is lost.
    plan.claim_status = {{"phase", claim.bound ? "Lost" : "Pending"}};
    return plan;
}
}  // namespace

Json claim_reference(const PersistentVolumeClaim& claim) {
    return {{"apiVersion", "v1"},
            {"kind", "PersistentVolumeClaim"},
            {"namespace", claim.key().ns},
            {"name", claim.key().name},
            {"uid", claim.meta.uid}};
}

ClaimPlan plan_claim(const PersistentVolumeClaim& claim,
                     const std::vector<const PersistentVolume*>& volumes,
                     const std::vector<const StorageClass*>& classes) {
    ClaimPlan plan;
    if (claim.meta.deleting()) return plan;
    if (!claim.volume.empty()) return keep_bound(claim, volumes);
    for (const PersistentVolume* volume : volumes) {
        if (!is_ours(*volume, claim)) continue;
        if (volume->claim_uid.empty()) {
            plan.reserve = volume;
        } else {
            plan.claim_patch = {{"metadata",
                                 {{"uid", claim.meta.uid},
                                  {"annotations", {{"pv.kubernetes.io/bind-completed", "yes"}}}}},
                                {"spec", {{"volumeName", volume->key().name}}}};
        }
        return plan;
    }
    if (!claim.storage_class) {
        if (const StorageClass* standard = default_class(classes)) {
            plan.claim_patch = {{"metadata", {{"uid", claim.meta.uid}}},
                                {"spec", {{"storageClassName", standard->key().name}}}};
            return plan;
        }
    }
    const std::string class_name = claim.storage_class.value_or("");
    const PersistentVolume* best = nullptr;
    for (const PersistentVolume* volume : volumes) {
        if (!fits(*volume, claim, class_name)) continue;
        const auto size = [](const PersistentVolume& one) {
            return *Quantity::parse(string_at(one.spec(), {"capacity", "storage"}));
        };
        if (!best || size(*volume) < size(*best)) best = volume;
    }
    plan.reserve = best;
    if (best) return plan;
    const StorageClass* its_class = find_class(classes, class_name);
    if (its_class && string_at(*its_class->object, {"provisioner"}) == kDirectoryProvisioner) {
        plan.create_volume = new_volume(claim, *its_class);
        return plan;
    }
    plan.claim_status = {{"phase", "Pending"}};
    const bool unknown = !class_name.empty() && !its_class;
    plan.event_reason = unknown ? "ProvisioningFailed" : "FailedBinding";
    plan.event_message =
        unknown ? cat("storageclass.storage.k8s.io \"", class_name, "\" not found")
                : "no persistent volumes available for this claim and no storage class is set";
    return plan;
}

VolumePlan plan_volume(const PersistentVolume& volume, const PersistentVolumeClaim* claim) {
    VolumePlan plan;
    if (volume.claim_uid.empty()) {
        plan.status = {{"phase", "Available"}};
    } else if (claim && claim->meta.uid == volume.claim_uid) {
        plan.status = {{"phase", "Bound"}};
    } else {
        plan.status = {{"phase", "Released"}};
        plan.remove = string_at(volume.spec(), {"persistentVolumeReclaimPolicy"}) == "Delete";
    }
    return plan;
}

}  // namespace kin::controllers
