#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "core/store/sqlite.h"
#include "core/store/store.h"

namespace kin {

/// The store on disk: an append-only log of versions, and a table of which versions are current.
///
/// Each row of the log names the row that it replaced, so that the state of any kept revision can
/// be computed, and forgetting history means deleting replaced rows. Two connections: one that
/// writes (and alone checkpoints), one that only reads history.
///
/// Threads: append(), compact(), forgettable() and checkpoint() on the writer's thread; events()
/// on any.
class LogFile {
public:
    static constexpr int64_t kFormat = 1;  ///< PRAGMA user_version of a database with tables().
    /// What makes an empty database one of a store.
    static const char* tables();

    /// Keeps the database at `path`, whether it is there or not, from being opened while the result
    /// lives. Fails as open() does.
    static Result<UniqueFd> lock(const std::string& path);
    /// Fails with kConflict, at once, if this file is open in another process (or twice in this).
    /// `max_bytes` limits the file's size, 0 does not.
    static Result<std::unique_ptr<LogFile>> open(const std::string& path, uint64_t max_bytes);
    ~LogFile();

    /// Calls `use` with every current object.
    Result<> load(const std::function<void(StoredPtr)>& use);
    /// The last revision ever stored, 0 if none.
    Revision last() const { return last_; }
    /// History up to here is forgotten.
    Revision compacted() const { return compacted_; }

    /// Appends in one transaction, on disk when this returns. After an Error nothing is stored.
    Result<> append(std::span<const StoreEvent> events, int64_t now_seconds);

    /// Calls `use` with the events of `resource` ("" for all) after `after` up to `until`, oldest
    /// first, until it returns false. kGone if `after` is compacted.
    Result<> events(Revision after, Revision until, std::string_view resource,
                    const std::function<bool(StoreEvent)>& use);

    /// Forgets history up to `revision`.
    Result<> compact(Revision revision);
    /// The last revision, at most `limit`, whose event happened up to `cutoff_seconds`; looks at
    /// a bounded number of rows, so that a call after compact() may find more.
    Result<Revision> forgettable(Revision limit, int64_t cutoff_seconds);

    /// Size of the write-ahead log.
    uint64_t wal_bytes() const { return wal_bytes_; }
    Result<> checkpoint();

private:
    struct Statements {
        Statement append, forget_replaced, forget_deletions, set_compacted, set_current,
            unset_current, ages;
    };
    struct History {
        Statement compacted, events;
    };

    LogFile(UniqueFd lock, Database database);
    Result<> prepare(const std::string& path, uint64_t max_bytes);
    Result<> create_tables();
    Result<> open_history(const std::string& path);
    Result<> append_one(const StoreEvent& event, int64_t now_seconds);
    /// Held by whoever uses the connection that reads history, and in memory, where there is only
    /// one connection, also by whoever writes.
    std::unique_lock<std::mutex> hold_for_write();

    UniqueFd lock_;
    Database write_;
    std::optional<Database> read_;  // None in memory.
    std::optional<Statements> statements_;
    std::optional<History> history_;
    std::mutex history_mutex_;
    Revision last_ = 0;
    Revision compacted_ = 0;
    uint64_t wal_bytes_ = 0;
};

}  // namespace kin
