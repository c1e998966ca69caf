#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/loop/loop.h"
#include "core/store/store.h"

namespace kin {

/// Where an Informer puts the objects of one resource.
class CacheSink {
public:
    virtual ~CacheSink() = default;
    /// The revision of the object shown, 0 if there is none.
    virtual Revision revision_of(const ObjectKey& key) const = 0;
    virtual std::vector<ObjectKey> keys() const = 0;
    /// Shows `object` from now on (nullptr: none). What it returns tells the observers, once all
    /// caches have been set.
    virtual std::function<void()> set(const ObjectKey& key, std::shared_ptr<const Json> object) = 0;
};

/// Follows the store on a loop and keeps sinks up to date, in the order of revisions.
///
/// One turn takes many events: all sinks show the newest state that the turn reached before any
/// observer hears of it, and an object that changed several times in one turn is decoded once.
/// Who falls behind the store's history lists anew and hears the differences. Owned by the loop.
class Informer {
public:
    Informer(Store& store, Loop& loop) : store_(store), loop_(loop) {}
    ~Informer();  ///< Stops following. Not on the loop's thread.

    /// Sinks of one resource hear in the order in which they were added. Before start(), on any
    /// thread; afterwards on the loop, and it is filled there and then.
    void add(const std::string& resource, std::shared_ptr<CacheSink> sink);
    /// Fills the sinks and follows. Not on the loop's thread.
    Result<> start();
    /// The last revision that all sinks show and all observers have heard of.
    Revision seen() const { return seen_; }

private:
    using Place = std::pair<std::string, ObjectKey>;
    /// What a turn found out: the newest version of everything that changed, by first appearance.
    struct Turn {
        struct Change {
            const Place* place = nullptr;
            StoredPtr now;  // nullptr: removed.
        };
        std::map<Place, size_t> index;
        std::vector<Change> changes;

        const Change* find(const Place& place) const;
        void set(Place place, StoredPtr now);
    };

    void follow();
    /// Adds the events up to some `limit`. kGone if history does not reach back far enough.
    Result<> read_events(Turn& turn, size_t limit);
    Result<> list_all();
    void list(Turn& turn, const std::string& resource);
    void deliver(const Turn& turn);
    void recover(const Error& error);

    Store& store_;
    Loop& loop_;
    std::map<std::string, std::vector<std::shared_ptr<CacheSink>>, std::less<>> sinks_;
    Revision seen_ = 0;
    bool started_ = false;
    int wake_ = 0;
    std::atomic<bool> posted_ = false;
    Timer retry_;
};

}  // namespace kin
