#include "controllers/garbage_collector.h"

#include "controllers/events.h"

namespace kin::controllers {

GarbageCollector::GarbageCollector(Client& client)
    : client_(client),
      queue_(client.loop(), {.name = "garbage_collector"},
             [this](const std::string& uid) { return collect(uid); }) {
    client.watch_metadata(
        lifetime_.bind([this](const Kind& kind, const Metadata* before, const Metadata* now) {
            // Events are many, and nobody's owners.
            if (kind.kind == "Event" && (now ? now : before)->owners.empty()) return;
            for (const std::string& uid : graph_.note(kind, before, now)) queue_.add(uid);
        }));
    client.add_busy_check("garbage_collector", lifetime_.bind([this] { return queue_.busy(); }));
}

Result<> GarbageCollector::collect(const std::string& uid) {
    for (const OwnerGraph::Action& action : graph_.verdict(uid)) carry_out(action, uid);
    return Ok{};
}

void GarbageCollector::carry_out(const OwnerGraph::Action& action, const std::string& asked_by) {
    const OwnerGraph::Item* item = graph_.find(action.uid);
    if (!item) return;
    // What was refused is looked at again: with newer metadata after a conflict, a while later
    // after anything else. What was done shows in the metadata feed.
    const Client::Done done = lifetime_.bind([this, asked_by](const Answer<Written>& answer) {
        if (answer || answer.error().code == 404) return;
        queue_.add_after(asked_by,
                         std::chrono::milliseconds(answer.error().code == 409 ? 50 : 1000));
    });
    const std::string resource = item->kind->resource();
    switch (action.what) {
        case OwnerGraph::Action::What::kDelete: {
            DeleteOptions options = only(item->meta.uid);
            options.propagation = action.propagation;
            client_.remove(resource, item->meta.key, options, done);
            return;
        }
        case OwnerGraph::Action::What::kRemoveFinalizer: {
            Json kept = Json::array();
            for (const std::string& finalizer : item->meta.finalizers) {
                if (finalizer != action.finalizer) kept.push_back(finalizer);
            }
            // The revision refuses the patch if a finalizer was added that we have not seen.
            client_.patch(resource, item->meta.key,
                          {{"metadata",
                            {{"resourceVersion", std::to_string(item->meta.revision)},
                             {"finalizers", std::move(kept)}}}},
                          done);
            return;
        }
        case OwnerGraph::Action::What::kDropOwners:
            drop_owners(*item, action, done);
            return;
    }
}

void GarbageCollector::drop_owners(const OwnerGraph::Item& item, const OwnerGraph::Action& action,
                                   Client::Done done) {
    const auto object = client_.get(item.kind->resource(), item.meta.key);
    if (!object || string_at(*object, {"metadata", "uid"}) != item.meta.uid) return;
    Json kept = Json::array();
    for (const Json& owner : array_at(*object, {"metadata", "ownerReferences"})) {
        if (action.owners.count(string_at(owner, {"uid"})) == 0) kept.push_back(owner);
    }
    client_.patch(item.kind->resource(), item.meta.key,
                  {{"metadata",
                    {{"resourceVersion", string_at(*object, {"metadata", "resourceVersion"})},
                     {"ownerReferences", std::move(kept)}}}},
                  std::move(done));
}

}  // namespace kin::controllers
