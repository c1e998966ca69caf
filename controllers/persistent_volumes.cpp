#include "controllers/persistent_volumes.h"

#include "controllers/events.h"
#include "controllers/owned.h"
#include "core/base/strings.h"

namespace kin::controllers {

namespace {
constexpr Reporter kReporter{"PersistentVolumeClaim", "v1", "persistentvolume-controller"};

template <class T>
std::vector<const T*> all_of(const Cache<T>& cache) {
    std::vector<const T*> out;
    cache.each([&](const T& one) { out.push_back(&one); });
    return out;
}
}  // namespace

PersistentVolumes::PersistentVolumes(Client& client)
    : client_(client),
      claims_(client.cache<PersistentVolumeClaim>()),
      volumes_(client.cache<PersistentVolume>()),
      classes_(client.cache<StorageClass>()),
      claim_queue_(client.loop(), {.name = "claims"},
                   [this](const ObjectKey& key) { return reconcile_claim(key); }),
      volume_queue_(client.loop(), {.name = "volumes"},
                    [this](const ObjectKey& key) { return reconcile_volume(key); }) {
    const auto wake_pending = [this] {
        claims_.each([this](const PersistentVolumeClaim& claim) {
            if (!claim.bound) claim_queue_.add(claim.key());
        });
    };
    claims_.on_change(lifetime_.bind([this](const CacheChange<PersistentVolumeClaim>& change) {
        claim_queue_.add(change.either().key());
        if (!change.either().volume.empty()) volume_queue_.add({"", change.either().volume});
    }));
    volumes_.on_change(
        lifetime_.bind([this, wake_pending](const CacheChange<PersistentVolume>& change) {
            const PersistentVolume& volume = change.either();
            volume_queue_.add(volume.key());
            if (!volume.claim.name.empty()) {
                claim_queue_.add(volume.claim);
            } else {
                wake_pending();
            }
        }));
    classes_.on_change(
        lifetime_.bind([wake_pending](const CacheChange<StorageClass>&) { wake_pending(); }));
    client.add_busy_check(
        "volumes", lifetime_.bind([this] { return claim_queue_.busy() || volume_queue_.busy(); }));
}

Client::Done PersistentVolumes::answered(InFlight& in_flight, const ObjectKey& key) {
    in_flight.begin(key);
    return lifetime_.bind(
        [&in_flight, key](Answer<Written> answer) { in_flight.end(key, answer); });
}

Result<> PersistentVolumes::reconcile_claim(const ObjectKey& key) {
    if (!claims_in_flight_.settled(key, client_.seen())) return Ok{};
    const PersistentVolumeClaim* claim = claims_.find(key);
    if (!claim) return Ok{};
    ClaimPlan plan = plan_claim(*claim, all_of(volumes_), all_of(classes_));
    tell(*claim, plan);
    const auto done = [&] { return answered(claims_in_flight_, key); };
    if (plan.create_volume) {
        client_.create(PersistentVolume::kResource, std::move(*plan.create_volume), done());
    }
    if (plan.reserve) {
        client_.patch(PersistentVolume::kResource, plan.reserve->key(),
                      {{"metadata", {{"uid", plan.reserve->meta.uid}}},
                       {"spec", {{"claimRef", claim_reference(*claim)}}}},
                      done());
    }
    if (!plan.claim_patch.is_null()) {
        client_.patch(PersistentVolumeClaim::kResource, key, std::move(plan.claim_patch), done());
    }
    if (plan.claim_status.is_null()) return Ok{};
    Json status = difference(claim->status(), plan.claim_status);
    if (!status.empty()) {
        client_.patch_status(PersistentVolumeClaim::kResource, key, std::move(status), done());
    }
    return Ok{};
}

void PersistentVolumes::tell(const PersistentVolumeClaim& claim, const ClaimPlan& plan) {
    if (plan.create_volume) {
        record(client_, kReporter, claim.meta, EventType::kNormal, "ProvisioningSucceeded",
               cat("Successfully provisioned volume ",
                   string_at(*plan.create_volume, {"metadata", "name"})));
    } else if (!plan.event_reason.empty()) {
        record(client_, kReporter, claim.meta,
               plan.event_reason == "FailedBinding" ? EventType::kNormal : EventType::kWarning,
               plan.event_reason, plan.event_message);
    }
}

Result<> PersistentVolumes::reconcile_volume(const ObjectKey& key) {
    if (!volumes_in_flight_.settled(key, client_.seen())) return Ok{};
    const PersistentVolume* volume = volumes_.find(key);
    if (!volume || volume->meta.deleting()) return Ok{};
    const VolumePlan plan = plan_volume(*volume, claims_.find(volume->claim));
    if (plan.remove) {
        client_.remove(PersistentVolume::kResource, key, only(volume->meta.uid),
                       answered(volumes_in_flight_, key));
        return Ok{};
    }
    Json status = difference(volume->status(), plan.status);
    if (!status.empty()) {
        client_.patch_status(PersistentVolume::kResource, key, std::move(status),
                             answered(volumes_in_flight_, key));
    }
    return Ok{};
}

}  // namespace kin::controllers
