#include "core/store/objects.h"

namespace kin {

const Objects::OfResource* Objects::of(std::string_view resource) const {
    const auto found = resources_.find(resource);
    return found == resources_.end() ? nullptr : &found->second;
}

StoredPtr Objects::find(std::string_view resource, const ObjectKey& key) const {
    const auto* objects = of(resource);
    if (!objects) return nullptr;
    const auto found = objects->find(key);
    return found == objects->end() ? nullptr : found->second;
}

std::vector<StoredPtr> Objects::list(std::string_view resource, std::string_view ns) const {
    std::vector<StoredPtr> out;
    const auto* objects = of(resource);
    if (!objects) return out;
    if (ns.empty()) {
        out.reserve(objects->size());
        for (const auto& [key, object] : *objects) out.push_back(object);
        return out;
    }
    for (auto at = objects->lower_bound(ObjectKey{std::string(ns), ""});
         at != objects->end() && at->first.ns == ns; ++at) {
        out.push_back(at->second);
    }
    return out;
}

void Objects::put(StoredPtr object) {
    auto& slot = resources_[object->resource][object->key];
    slot = std::move(object);
}

void Objects::remove(std::string_view resource, const ObjectKey& key) {
    const auto found = resources_.find(resource);
    if (found != resources_.end()) found->second.erase(key);
}

void Objects::apply(const StoreEvent& event) {
    if (event.type == StoreEvent::Type::kDeleted) {
        remove(event.object->resource, event.object->key);
    } else {
        put(event.object);
    }
}

size_t Objects::size() const {
    size_t count = 0;
    for (const auto& [resource, objects] : resources_) count += objects.size();
    return count;
}

}  // namespace kin
