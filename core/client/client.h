#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/api/kinds.h"
#include "core/api/views.h"
#include "core/client/events.h"
#include "core/loop/loop.h"
#include "core/registry/registry.h"

namespace kin {

/// What happened to an object in a cache.
template <class T>
struct CacheChange {
    const T* before = nullptr;  ///< nullptr: added. Valid during the call only.
    const T* now = nullptr;     ///< nullptr: removed. Valid during the call only.
    const T& either() const { return now ? *now : *before; }
};

/// All objects of one kind, decoded once, as of the last event delivered. Owned by the client's
/// loop: touched on that loop only. Every component that asks for T shares it.
template <class T>
class Cache {
public:
    using Observer = std::function<void(const CacheChange<T>&)>;

    /// nullptr if there is none.
    const T* find(const ObjectKey& key) const {
        const auto found = objects_.find(key);
        return found == objects_.end() ? nullptr : &found->second;
    }
    template <class F>
    void each(F&& use) const {
        for (const auto& [key, object] : objects_) use(object);
    }
    /// Those of one namespace.
    template <class F>
    void each_in(const std::string& ns, F&& use) const {
        for (auto at = objects_.lower_bound(ObjectKey{ns, ""});
             at != objects_.end() && at->first.ns == ns; ++at) {
            use(at->second);
        }
    }
    size_t size() const { return objects_.size(); }
    /// Called for every change from now on, after the cache shows it. Observers run in the order
    /// of registration; they should only mark work as dirty. Lives as long as the cache.
    void on_change(Observer observer) { observers_.push_back(std::move(observer)); }

private:
    friend class Client;
    std::map<ObjectKey, T> objects_;
    std::vector<Observer> observers_;
};

/// How every component sees and changes the cluster: in process through the registry, later over
/// HTTP to any API server. Owned by its loop; all calls on that loop, except the constructor and
/// start().
///
/// Components register in their constructors (cache<T>(), on_change()); start() then fills all
/// caches from one snapshot, calling observers with every object, and follows the store's events.
/// Caches change together, in the order of revisions: when an observer hears of revision N, every
/// cache shows N or later.
class Client {
public:
    Client(Registry& registry, Loop& loop);
    ~Client();  ///< Stops following; late answers of writes are dropped.

    /// The shared cache of T (any view of core/api/views.h, by T::kResource).
    template <class T>
    Cache<T>& cache();

    /// Hears of every object of every kind, by its metadata alone: for what treats all kinds alike
    /// (garbage collection, emptying a namespace). `before` is nullptr for a new object, `now` for
    /// a removed one; both are valid during the call only. Call before start(); called as the
    /// observers of caches are, after them.
    using MetadataObserver =
        std::function<void(const Kind& kind, const Metadata* before, const Metadata* now)>;
    void watch_metadata(MetadataObserver observer);

    /// Fills the caches and follows. Returns when they are filled. From any thread but the loop's.
    Result<> start();

    /// Writes answer on the loop; they never block it. `done` may be empty: then a failure is
    /// logged (but not a conflict or "not found", which the next event resolves).
    using Done = std::function<void(Answer<Written>)>;
    void create(std::string_view resource, Json object, Done done = {});
    void update(std::string_view resource, Json object, Done done = {});
    /// A merge patch of the object (or of its subresource, "status").
    void patch(std::string_view resource, const ObjectKey& key, Json merge_patch, Done done = {},
               std::string_view subresource = "");
    void patch_status(std::string_view resource, const ObjectKey& key, Json status,
                      Done done = {}) {
        patch(resource, key, Json{{"status", std::move(status)}}, std::move(done), "status");
    }
    void remove(std::string_view resource, const ObjectKey& key, DeleteOptions options = {},
                Done done = {});
    /// POST to pods/NAME/binding and other subresources.
    void create_subresource(std::string_view resource, const ObjectKey& key,
                            std::string_view subresource, Json body, Done done = {});
    /// The stored object as it is now; nullptr if there is none.
    std::shared_ptr<const Json> get(std::string_view resource, const ObjectKey& key) const;

    /// Records an Event as upstream's components do: repeated ones count up instead of piling up,
    /// and while much else is being written they wait, a second at most.
    using EventNote = kin::EventNote;
    void record(EventNote note);

    Loop& loop() { return loop_; }
    /// The last revision whose events the caches show and all observers have heard.
    Revision seen() const;
    /// Writes begun and not yet answered.
    size_t pending_writes() const;

    /// Anything that has work of its own tells settle() by this: returns true while it is busy.
    void add_busy_check(std::string name, std::function<bool()> busy);
    /// From any thread but the loop's: waits until the caches show the store's head, no write is
    /// pending and nobody is busy. False after `timeout_ms`; `why` then names who was busy.
    /// kButEvents: Events may still be on their way, which only tell of what has happened.
    enum class Settled { kAll, kButEvents };
    bool settle(int timeout_ms, std::string* why = nullptr, Settled wanted = Settled::kAll);

private:
    template <class T>
    struct Sink;
    struct State;
    void add_metadata_sinks();
    void send_events(size_t at_once);
    void send_event(EventCorrelator::Write write);
    /// Starts a write; its answer comes back through the loop.
    void write(std::string_view what, std::string_view resource, const ObjectKey& key, Done done,
               const std::function<void(const Target&, WriteDone)>& start);

    Registry& registry_;
    Loop& loop_;
    std::shared_ptr<State> state_;  // Shared with answers under way, which may come late.
};

}  // namespace kin
