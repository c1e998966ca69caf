#include "core/store/batch.h"

#include "core/base/assert.h"
#include "core/store/body.h"

namespace kin {

const Batch::Changed* Batch::changed(std::string_view resource) const {
    const auto found = changed_.find(resource);
    return found == changed_.end() ? nullptr : &found->second;
}

StoredPtr Batch::find(std::string_view resource, const ObjectKey& key) const {
    if (const Changed* changes = changed(resource)) {
        const auto found = changes->find(key);
        if (found != changes->end()) return found->second;
    }
    return base_.find(resource, key);
}

std::vector<StoredPtr> Batch::list(std::string_view resource, std::string_view ns) const {
    std::vector<StoredPtr> base = base_.list(resource, ns);
    const Changed* changes = changed(resource);
    if (!changes) return base;
    std::vector<StoredPtr> out;
    auto at = base.begin();
    for (const auto& [key, object] : *changes) {
        if (!ns.empty() && key.ns != ns) continue;
        while (at != base.end() && (*at)->key < key) out.push_back(std::move(*at++));
        if (at != base.end() && (*at)->key == key) ++at;
        if (object) out.push_back(object);
    }
    out.insert(out.end(), std::move_iterator(at), std::move_iterator(base.end()));
    return out;
}

StoredPtr Batch::put(NewObject object) {
    StoreEvent event;
    event.previous = find(object.resource, object.key);
    event.type = event.previous ? StoreEvent::Type::kModified : StoreEvent::Type::kAdded;
    event.revision = ++revision_;
    auto stored = std::make_shared<StoredObject>();
    KIN_ASSERT(object.numbered == 0 || object.numbered == event.revision);
    stored->body =
        object.numbered != 0 ? std::move(object.body) : with_revision(object.body, event.revision);
    stored->resource = std::move(object.resource);
    stored->key = std::move(object.key);
    stored->revision = event.revision;
    stored->labels = std::move(object.labels);
    event.object = std::move(stored);
    return add(std::move(event));
}

StoredPtr Batch::remove(std::string_view resource, const ObjectKey& key) {
    StoreEvent event;
    event.previous = find(resource, key);
    if (!event.previous) return nullptr;
    event.type = StoreEvent::Type::kDeleted;
    event.revision = ++revision_;
    auto stored = std::make_shared<StoredObject>(*event.previous);
    stored->revision = event.revision;
    stored->body = with_revision(stored->body, event.revision);
    event.object = std::move(stored);
    return add(std::move(event));
}

StoredPtr Batch::add(StoreEvent event) {
    const bool deleted = event.type == StoreEvent::Type::kDeleted;
    changed_[event.object->resource][event.object->key] = deleted ? nullptr : event.object;
    events_.push_back(std::move(event));
    return events_.back().object;
}

void Batch::abandon() {
    while (events_.size() > mark_) {
        const StoreEvent& event = events_.back();
        changed_[event.object->resource][event.object->key] = event.previous;
        // Nobody has seen this revision, so the next write may have it.
        revision_ = event.revision - 1;
        events_.pop_back();
    }
}

}  // namespace kin
