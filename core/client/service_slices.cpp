#include "core/client/service_slices.h"

namespace kin {

ServiceSlices::ServiceSlices(Client& client, Observer changed)
    : slices_(client.cache<EndpointSlice>()), changed_(std::move(changed)) {
    slices_.on_change(
        lifetime_.bind([this](const CacheChange<EndpointSlice>& change) { on_slice(change); }));
}

void ServiceSlices::on_slice(const CacheChange<EndpointSlice>& change) {
    const auto service_of = [](const EndpointSlice* slice) {
        return slice ? ObjectKey{slice->key().ns, slice->service} : ObjectKey{};
    };
    const ObjectKey before = service_of(change.before);
    const ObjectKey now = service_of(change.now);
    if (!before.name.empty() && before != now) {
        std::set<ObjectKey>& slices = by_service_[before];
        slices.erase(change.before->key());
        if (slices.empty()) by_service_.erase(before);
        changed_(before);
    }
    if (now.name.empty()) return;
    by_service_[now].insert(change.now->key());
    changed_(now);
}

std::vector<const EndpointSlice*> ServiceSlices::of(const ObjectKey& service) const {
    std::vector<const EndpointSlice*> slices;
    const auto found = by_service_.find(service);
    if (found == by_service_.end()) return slices;
    for (const ObjectKey& key : found->second) {
        if (const EndpointSlice* slice = slices_.find(key)) slices.push_back(slice);
    }
    return slices;
}

}  // namespace kin
