// The caches' types, in a file of their own because each is a template to compile.

#include "core/api/ingress_views.h"
#include "core/api/policy_views.h"
#include "core/api/workload_views.h"
#include "core/client/client_state.h"

namespace kin {

namespace {

const Metadata& metadata_of(const View& view) { return view.meta; }
const Metadata& metadata_of(const Metadata& metadata) { return metadata; }

template <class T>
T decode_as(std::shared_ptr<const Json> object) {
    if constexpr (std::is_same_v<T, Metadata>) {
        return decode_metadata(*object);
    } else {
        return decode<T>(std::move(object));
    }
}

}  // namespace

template <class T>
struct Client::Sink : CacheSink {
    Cache<T> cache;

    Revision revision_of(const ObjectKey& key) const override {
        const T* object = cache.find(key);
        return object ? metadata_of(*object).revision : 0;
    }

    std::vector<ObjectKey> keys() const override {
        std::vector<ObjectKey> out;
        for (const auto& [key, object] : cache.objects_) out.push_back(key);
        return out;
    }

    std::function<void()> set(const ObjectKey& key, std::shared_ptr<const Json> object) override {
        std::shared_ptr<T> before;
        const auto found = cache.objects_.find(key);
        if (found != cache.objects_.end()) before = std::make_shared<T>(std::move(found->second));
        if (!object) {
            if (!before) return {};
            cache.objects_.erase(found);
            return [this, before] { tell(before.get(), nullptr); };
        }
        const T& now =
            cache.objects_.insert_or_assign(key, decode_as<T>(std::move(object))).first->second;
        return [this, before, &now] {
            // Deleted and created anew since we last looked: observers know objects by uid.
            if (before && metadata_of(*before).uid != metadata_of(now).uid) {
                tell(before.get(), nullptr);
                tell(nullptr, &now);
            } else {
                tell(before.get(), &now);
            }
        };
    }

    void tell(const T* before, const T* now) const {
        for (const auto& observer : cache.observers_) observer({before, now});
    }
};

template <class T>
Cache<T>& Client::cache() {
    auto& known = state_->caches[T::kResource];
    if (!known) {
        auto sink = std::make_shared<Sink<T>>();
        state_->informer->add(std::string(T::kResource), sink);
        known = std::move(sink);
    }
    return static_cast<Sink<T>*>(known.get())->cache;
}

template Cache<Namespace>& Client::cache();
template Cache<Node>& Client::cache();
template Cache<Pod>& Client::cache();
template Cache<Service>& Client::cache();
template Cache<EndpointSlice>& Client::cache();
template Cache<Endpoints>& Client::cache();
template Cache<Deployment>& Client::cache();
template Cache<ReplicaSet>& Client::cache();
template Cache<DaemonSet>& Client::cache();
template Cache<ReplicationController>& Client::cache();
template Cache<StatefulSet>& Client::cache();
template Cache<ControllerRevision>& Client::cache();
template Cache<Job>& Client::cache();
template Cache<CronJob>& Client::cache();
template Cache<PersistentVolumeClaim>& Client::cache();
template Cache<PersistentVolume>& Client::cache();
template Cache<StorageClass>& Client::cache();
template Cache<ConfigMap>& Client::cache();
template Cache<Secret>& Client::cache();
template Cache<ServiceAccount>& Client::cache();
template Cache<NetworkPolicy>& Client::cache();
template Cache<Ingress>& Client::cache();
template Cache<IngressClass>& Client::cache();

void Client::watch_metadata(MetadataObserver observer) {
    state_->metadata_observers.push_back(std::move(observer));
}

void Client::add_metadata_sinks() {
    if (state_->metadata_observers.empty()) return;
    for (const Kind& kind : all_kinds()) {
        auto sink = std::make_shared<Sink<Metadata>>();
        sink->cache.on_change([&kind, state = state_.get()](const CacheChange<Metadata>& change) {
            for (const auto& observer : state->metadata_observers) {
                observer(kind, change.before, change.now);
            }
        });
        state_->informer->add(kind.resource(), std::move(sink));
    }
}

}  // namespace kin
