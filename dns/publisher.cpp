#include "dns/publisher.h"

namespace kin::dns {

Publisher::Publisher(Client& client, ZoneOptions options, Publish publish,
                     std::function<bool()> delivering)
    : services_(client.cache<Service>()),
      slices_(client,
              [this](const ObjectKey& service) {
                  dirty_.insert(service);
                  work_.mark();
              }),
      builder_(std::move(options)),
      publish_(std::move(publish)),
      work_(client.loop(), {.name = "dns"}, [this] { return update(); }) {
    services_.on_change(lifetime_.bind([this](const CacheChange<Service>& change) {
        dirty_.insert(change.either().key());
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
        builder_.set_service(
            key, service ? records_of(*service, slices_.of(key), builder_.options().domain)
                         : std::vector<Record>{});
    }
    publish_(builder_.snapshot());
    return Ok{};
}

}  // namespace kin::dns
