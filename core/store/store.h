#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/object_key.h"
#include "core/api/selectors.h"
#include "core/base/json.h"
#include "core/base/result.h"
#include "core/store/parsed_body.h"

namespace kin {

/// Position in the one sequence of all writes; what clients see as resourceVersion.
using Revision = uint64_t;

/// One stored version of one object: final bytes, as LIST, GET and WATCH send them. Immutable.
struct StoredObject {
    std::string resource;  ///< Kind::resource(): "deployments.apps"
    ObjectKey key;
    Revision revision = 0;  ///< of the write that made this version
    std::string body;       ///< compact JSON with kind, apiVersion and this resourceVersion
    Labels labels;          ///< metadata.labels, so that selectors need not parse
    ParsedBody parsed;      ///< for json_of()
};
/// `object`'s body as JSON; parsed once for all who ask while anyone keeps it, and not at all while
/// the writer's own is kept. Thread-safe.
std::shared_ptr<const Json> json_of(const StoredObject& object);
using StoredPtr = std::shared_ptr<const StoredObject>;

/// One change, as watchers see it.
struct StoreEvent {
    enum class Type { kAdded, kModified, kDeleted };
    Type type = Type::kAdded;
    Revision revision = 0;
    /// The new version; for kDeleted the last state with the revision of the deletion.
    StoredPtr object;
    StoredPtr previous;  ///< the version before; nullptr for kAdded
};

/// What a list was at one moment.
struct StoreList {
    std::vector<StoredPtr> objects;  ///< by namespace, then name
    Revision revision = 0;
};

/// An object to write: compact JSON whose metadata.resourceVersion is the empty string ("").
/// The store splices the revision in, and does it before the write is visible. Who has written
/// next_revision() there itself says so, which saves a look through the text.
struct NewObject {
    std::string resource;
    ObjectKey key;
    std::string body;
    Labels labels;
    Revision numbered = 0;  ///< the revision in `body`; 0: none yet
};

/// The view that one piece of work has of the store, on the writer's thread: the current state
/// with this batch's earlier writes on top. Nobody else writes meanwhile, so what is read here
/// cannot change before it is written.
class StoreTransaction {
public:
    virtual ~StoreTransaction() = default;
    /// nullptr if there is none.
    virtual StoredPtr find(std::string_view resource, const ObjectKey& key) const = 0;
    /// All of a resource, in `ns` or ("") everywhere.
    virtual std::vector<StoredPtr> list(std::string_view resource, std::string_view ns) const = 0;
    /// The revision that the next put() or remove() will have.
    virtual Revision next_revision() const = 0;
    /// Creates or replaces; returns the stored version.
    virtual StoredPtr put(NewObject object) = 0;
    /// Removes; returns the last state with the revision of the deletion. nullptr: was not there.
    virtual StoredPtr remove(std::string_view resource, const ObjectKey& key) = 0;
    /// Drops this work's writes (not those of other work in the batch).
    virtual void abandon() = 0;
};

/// The cluster's only memory: versioned objects in SQLite, and a feed of what changed.
///
/// Every write gets the next revision; revisions never repeat and survive restarts and power loss
/// (WAL, synchronous=FULL). One thread owns the only connection that writes and checkpoints; work
/// that arrives meanwhile shares its next commit. Current objects are in memory, so reads never
/// wait for the disk. Thread-safe.
class Store {
public:
    struct Options {
        std::string path;                 ///< the database file; ":memory:" for tests
        Revision keep_revisions = 1'000;  ///< history kept at least: this many revisions and
        int keep_seconds = 300;           ///< this long
        size_t ring_events = 4'096;       ///< the last events, in memory
        uint64_t max_bytes = 0;  ///< the file grows no further, as on a full disk; 0: no limit
    };
    using Work = std::function<void(StoreTransaction&)>;
    using Done = std::function<void(Result<>)>;

    /// Fails with kConflict if another process has this database open.
    static Result<std::unique_ptr<Store>> open(const Options& options);
    virtual ~Store() = default;  ///< Commits what was submitted, then closes.

    /// Queues `work` for the writer's thread. `done` is called there too, after the commit that
    /// holds the work's writes is on disk (or failed: then nothing of the batch is visible).
    /// `work` must not block.
    virtual void submit(Work work, Done done) = 0;
    /// submit() and wait. Not from the writer's thread.
    Result<> run(Work work);

    virtual StoredPtr find(std::string_view resource, const ObjectKey& key) const = 0;
    virtual StoreList list(std::string_view resource, std::string_view ns) const = 0;
    /// The last committed revision.
    virtual Revision revision() const = 0;

    /// The state of a resource at an earlier revision, from the log on disk. kGone if compacted,
    /// kNotFound if the revision is in the future.
    virtual Result<StoreList> list_at(std::string_view resource, std::string_view ns,
                                      Revision revision) const = 0;
    /// Events of `resource` ("" for all) after `after`, oldest first, at most `limit`; `reached`
    /// is set to the revision up to which all matching events have been given. kGone if `after`
    /// is older than what is kept (ring, then the log on disk).
    virtual Result<std::vector<StoreEvent>> events_after(Revision after, std::string_view resource,
                                                         size_t limit, Revision& reached) const = 0;
    /// The oldest revision from which events_after() can still answer.
    virtual Revision oldest() const = 0;
    /// Forgets history up to `revision` (the current state stays). For tests and maintenance.
    virtual Result<> compact(Revision revision) = 0;

    /// Calls `wake` after each commit, on the writer's thread, before the commit's answers; it must
    /// only post to a loop. So a loop that is posted both sees a write before it hears of its end.
    /// Returns a number for stop_wake(); after stop_wake() returns `wake` is not running.
    virtual int on_commit(std::function<void(Revision)> wake) = 0;
    virtual void stop_wake(int number) = 0;
};

}  // namespace kin
