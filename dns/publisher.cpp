#include "dns/publisher.h"

namespace kin::dns {

Publisher::Publisher(Client& client, ZoneOptions options, Publish publish,
                     std::function<bool()> delivering)
    : services_(client.cache<Service>()),
      slices_(client.cache<EndpointSlice>()),
      builder_(std::move(options)),
      publish_(std::move(publish)),
      work_(client.loop(), {.name = "dns"}, [this] { return update(); }) {
    services_.on_change(lifetime_.bind([this](const CacheChange<Service>& change) {
        dirty_.insert(change.either().key());
        work_.mark();
    }));
    slices_.on_change(lifetime_.bind([this](const CacheChange<EndpointSlice>& change) {
        for (const EndpointSlice* slice : {change.before, change.now}) {
            if (!slice || slice->service.empty()) continue;
            const ObjectKey service{slice->key().ns, slice->service};
            auto& keys = slices_of_[service];
            if (slice == change.now) {
                keys.insert(slice->key());
            } else {
                keys.erase(slice->key());
            }
            if (keys.empty()) slices_of_.erase(service);
            dirty_.insert(service);
        }
        work_.mark();
    }));
    client.cache<Namespace>().on_change(
        lifetime_.bind([this](const CacheChange<Namespace>& change) {
            if (change.before && change.now) return;
            builder_.set_namespace(change.either().key().name, change.now != nullptr);
            work_.mark();
        }));
    client.add_busy_check("dns", lifetime_.bind([this, delivering = std::move(delivering)] {
        return work_.busy() || delivering();
    }));
    work_.mark();
}

Result<> Publisher::update() {
    for (const ObjectKey& key : std::exchange(dirty_, {})) {
        const Service* service = services_.find(key);
        std::vector<const EndpointSlice*> slices;
        if (const auto keys = slices_of_.find(key); keys != slices_of_.end()) {
            for (const ObjectKey& slice : keys->second) {
                if (const EndpointSlice* found = slices_.find(slice)) slices.push_back(found);
            }
        }
        builder_.set_service(key, service ? records_of(*service, slices, builder_.options().domain)
                                          : std::vector<Record>{});
    }
    publish_(builder_.snapshot());
    return Ok{};
}

}  // namespace kin::dns
