#include "core/client/informer.h"

#include <set>

#include "core/base/log.h"
#include "core/base/strings.h"

namespace kin {
namespace {

/// Events taken in one turn of the loop, so that other work gets its turns.
constexpr size_t kEventsPerTurn = 512;
constexpr auto kRetry = std::chrono::milliseconds(500);

}  // namespace

const Informer::Turn::Change* Informer::Turn::find(const Place& place) const {
    const auto found = index.find(place);
    return found == index.end() ? nullptr : &changes[found->second];
}

void Informer::Turn::set(Place place, StoredPtr now) {
    const auto [at, added] = index.try_emplace(std::move(place), changes.size());
    if (added) changes.push_back({&at->first, nullptr});
    changes[at->second].now = std::move(now);
}

Informer::~Informer() {
    if (wake_ != 0) store_.stop_wake(wake_);
    // Nothing is posted any more; this runs after what was.
    loop_.call([this] {
        started_ = false;
        retry_.cancel();
    });
}

void Informer::add(const std::string& resource, std::shared_ptr<CacheSink> sink) {
    if (started_) {
        for (const auto& object : store_.list(resource, "").objects) {
            sink->set(object->key, json_of(*object));
        }
    }
    sinks_[resource].push_back(std::move(sink));
}

Result<> Informer::start() {
    // First, so that no commit is missed between the list and the wakes.
    wake_ = store_.on_commit([this](Revision) {
        if (!posted_.exchange(true)) loop_.post([this] { follow(); });
    });
    Result<> listed = Ok{};
    loop_.call([&] {
        listed = list_all();
        started_ = listed.has_value();
    });
    return listed;
}

void Informer::follow() {
    posted_ = false;
    if (!started_) return;
    Turn turn;
    if (auto read = read_events(turn, kEventsPerTurn); !read) return recover(read.error());
    deliver(turn);
    if (seen_ < store_.revision() && !posted_.exchange(true)) loop_.post([this] { follow(); });
}

void Informer::recover(const Error& error) {
    log_info("client", "listing anew", {{"seen", seen_}, {"why", error.text()}});
    auto listed = list_all();
    if (listed) return;
    log_warn("client", listed.error().text(), {{"retry_ms", kRetry.count()}});
    retry_ = loop_.after(kRetry, [this] { follow(); });
}

Result<> Informer::read_events(Turn& turn, size_t limit) {
    Revision reached = seen_;
    TRY_ASSIGN(const auto events, store_.events_after(seen_, "", limit, reached));
    for (const StoreEvent& event : events) {
        const auto sinks = sinks_.find(event.object->resource);
        if (sinks == sinks_.end()) continue;
        Place place{event.object->resource, event.object->key};
        const auto* known = turn.find(place);
        const Revision shown = known ? (known->now ? known->now->revision : 0)
                                     : sinks->second.front()->revision_of(place.second);
        if (shown >= event.revision) continue;  // A list was ahead of the events.
        const bool deleted = event.type == StoreEvent::Type::kDeleted;
        turn.set(std::move(place), deleted ? nullptr : event.object);
    }
    seen_ = std::max(seen_, reached);
    return Ok{};
}

/// Every resource is listed at a revision of its own; the events from before the first list to
/// after the last one bring all of them to the same.
Result<> Informer::list_all() {
    Turn turn;
    seen_ = store_.revision();
    for (const auto& [resource, sinks] : sinks_) list(turn, resource);
    const Revision last_list = store_.revision();
    while (seen_ < last_list) TRY(read_events(turn, kEventsPerTurn));
    deliver(turn);
    return Ok{};
}

void Informer::list(Turn& turn, const std::string& resource) {
    const CacheSink& shown = *sinks_.at(resource).front();
    const StoreList list = store_.list(resource, "");
    std::set<ObjectKey> listed;
    for (const auto& object : list.objects) {
        listed.insert(listed.end(), object->key);
        if (shown.revision_of(object->key) != object->revision) {
            turn.set({resource, object->key}, object);
        }
    }
    for (ObjectKey& key : shown.keys()) {
        if (!listed.contains(key)) turn.set({resource, std::move(key)}, nullptr);
    }
}

void Informer::deliver(const Turn& turn) {
    std::vector<std::function<void()>> tell;
    for (const auto& [place, now] : turn.changes) {
        const std::shared_ptr<const Json> object = now ? json_of(*now) : nullptr;
        for (const auto& sink : sinks_.at(place->first)) {
            if (auto observers = sink->set(place->second, object)) {
                tell.push_back(std::move(observers));
            }
        }
    }
    for (const auto& observers : tell) observers();
}

}  // namespace kin
