#include "core/store/log_file.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>

#include "core/base/strings.h"
#include "core/store/body.h"

namespace kin {
namespace {

constexpr int64_t kPageBytes = 4096;
constexpr std::string_view kInMemory = ":memory:";

// Bodies stand last: a row is then looked at without reading the pages that its body spills into.
// A deletion has no body: its object is the replaced one with another revision.
constexpr const char* kTables = R"sql(
CREATE TABLE log(
    revision INTEGER PRIMARY KEY,
    previous INTEGER NOT NULL,  -- the revision of the version replaced; 0: there was none
    type INTEGER NOT NULL,      -- 0 added, 1 modified, 2 deleted
    time INTEGER NOT NULL,      -- Unix seconds
    resource TEXT NOT NULL,
    ns TEXT NOT NULL,
    name TEXT NOT NULL,
    body TEXT NOT NULL);
CREATE TABLE current(
    resource TEXT NOT NULL,
    ns TEXT NOT NULL,
    name TEXT NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY(resource, ns, name)) WITHOUT ROWID;
CREATE TABLE state(compacted INTEGER NOT NULL);
INSERT INTO state VALUES(0);
-- For people with the sqlite3 shell.
CREATE VIEW objects AS
    SELECT resource, ns, name, revision, body FROM current JOIN log USING(resource, ns, name, revision);
PRAGMA user_version = 1;
)sql";

StoredPtr stored(std::string_view resource, ObjectKey key, Revision revision, std::string body) {
    auto object = std::make_shared<StoredObject>();
    object->resource = resource;
    object->key = std::move(key);
    object->revision = revision;
    object->labels = labels_in(body);
    object->body = std::move(body);
    return object;
}

// Columns: revision, type, resource, ns, name, body, previous, the previous body.
StoreEvent read_event(const Statement& row) {
    StoreEvent event;
    event.revision = static_cast<Revision>(row.integer(0));
    event.type = static_cast<StoreEvent::Type>(row.integer(1));
    const ObjectKey key{std::string(row.text(3)), std::string(row.text(4))};
    if (const auto previous = static_cast<Revision>(row.integer(6)); previous != 0) {
        event.previous = stored(row.text(2), key, previous, std::string(row.text(7)));
    }
    const bool deleted = event.type == StoreEvent::Type::kDeleted;
    event.object = stored(
        row.text(2), key, event.revision,
        deleted ? with_revision(event.previous->body, event.revision) : std::string(row.text(5)));
    return event;
}

}  // namespace

const char* LogFile::tables() { return kTables; }

LogFile::LogFile(UniqueFd lock, Database database)
    : lock_(std::move(lock)), write_(std::move(database)) {}

LogFile::~LogFile() = default;

Result<UniqueFd> LogFile::lock(const std::string& path) {
    // A lock of our own: SQLite's exclusive mode would shut out our second connection as well.
    // The kernel drops it with the process, however that ends.
    const std::string lock_path = path + ".lock";
    UniqueFd fd(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!fd.valid()) return Error::from_errno(cat("open ", lock_path));
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK) return Error::from_errno(cat("lock ", lock_path));
        return Error(Errc::kConflict, cat("database ", path, " is open in another process"));
    }
    return fd;
}

Result<std::unique_ptr<LogFile>> LogFile::open(const std::string& path, uint64_t max_bytes) {
    UniqueFd locked;
    if (path != kInMemory) {
        TRY_ASSIGN(locked, lock(path));
        // Objects include Secrets; SQLite gives its other files the rights of this one.
        const UniqueFd made(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
        if (!made.valid()) return Error::from_errno(cat("open ", path));
    }
    TRY_ASSIGN(auto database, Database::open(path, Database::Mode::kReadWrite));
    std::unique_ptr<LogFile> file(new LogFile(std::move(locked), std::move(database)));
    TRY(file->prepare(path, max_bytes).context(cat("database ", path)));
    return file;
}

Result<> LogFile::prepare(const std::string& path, uint64_t max_bytes) {
    TRY(write_.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL"));
    sqlite3_wal_hook(
        write_.handle(),
        [](void* self, sqlite3*, const char*, int pages) {
            static_cast<LogFile*>(self)->wal_bytes_ = static_cast<uint64_t>(pages * kPageBytes);
            return SQLITE_OK;
        },
        this);
    if (max_bytes != 0) {
        TRY(write_.execute(cat("PRAGMA max_page_count = ", max_bytes / kPageBytes)));
    }
    TRY(create_tables());
    auto& db = write_;
    TRY_ASSIGN(auto append, db.prepare("INSERT INTO log VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"));
    TRY_ASSIGN(auto replaced, db.prepare("DELETE FROM log WHERE revision IN (SELECT previous FROM "
                                         "log WHERE revision > ?1 AND revision <= ?2)"));
    TRY_ASSIGN(auto deletions, db.prepare("DELETE FROM log WHERE revision > ?1 AND "
                                          "revision <= ?2 AND type = 2"));
    TRY_ASSIGN(auto set_compacted, db.prepare("UPDATE state SET compacted = ?1"));
    TRY_ASSIGN(auto set_current,
               db.prepare("INSERT OR REPLACE INTO current VALUES(?1, ?2, ?3, ?4)"));
    TRY_ASSIGN(auto unset_current,
               db.prepare("DELETE FROM current WHERE resource = ?1 AND ns = ?2 AND name = ?3"));
    TRY_ASSIGN(auto ages, db.prepare("SELECT revision, time FROM log WHERE revision > ?1 AND "
                                     "revision <= ?2 ORDER BY revision LIMIT 500"));
    statements_.emplace(Statements{std::move(append), std::move(replaced), std::move(deletions),
                                   std::move(set_compacted), std::move(set_current),
                                   std::move(unset_current), std::move(ages)});
    return open_history(path);
}

Result<> LogFile::create_tables() {
    TRY_ASSIGN(const int64_t format, write_.query_integer("PRAGMA user_version"));
    if (format == 0) {
        TRY_ASSIGN(auto transaction, SqlTransaction::begin(write_, SqlTransaction::Kind::kWrite));
        TRY(write_.execute(kTables));
        TRY(transaction.commit());
    } else if (format != kFormat) {
        return Error(Errc::kInvalid,
                     cat("has format ", format, ", this program reads format ", kFormat));
    }
    TRY_ASSIGN(const int64_t compacted, write_.query_integer("SELECT compacted FROM state"));
    TRY_ASSIGN(const int64_t last,
               write_.query_integer("SELECT coalesce(max(revision), 0) FROM log"));
    compacted_ = static_cast<Revision>(compacted);
    // The last rows may be deletions that are already forgotten.
    last_ = std::max(compacted_, static_cast<Revision>(last));
    return Ok{};
}

Result<> LogFile::open_history(const std::string& path) {
    if (path != kInMemory) {
        TRY_ASSIGN(auto database, Database::open(path, Database::Mode::kReadOnly));
        read_.emplace(std::move(database));
    }
    Database& db = read_ ? *read_ : write_;
    TRY_ASSIGN(auto compacted, db.prepare("SELECT compacted FROM state"));
    TRY_ASSIGN(
        auto events,
        db.prepare(
            "SELECT l.revision, l.type, l.resource, l.ns, l.name, l.body, l.previous, p.body "
            "FROM log l LEFT JOIN log p ON p.revision = l.previous "
            "WHERE l.revision > ?1 AND l.revision <= ?2 AND (?3 = '' OR l.resource = ?3) "
            "ORDER BY l.revision"));
    history_.emplace(History{std::move(compacted), std::move(events)});
    return Ok{};
}

std::unique_lock<std::mutex> LogFile::hold_for_write() {
    return read_ ? std::unique_lock<std::mutex>() : std::unique_lock(history_mutex_);
}

Result<> LogFile::load(const std::function<void(StoredPtr)>& use) {
    TRY_ASSIGN(auto rows,
               write_.prepare(
                   "SELECT c.resource, c.ns, c.name, c.revision, l.body FROM current c "
                   "LEFT JOIN log l ON l.revision = c.revision ORDER BY c.resource, c.ns, c.name"));
    for (;;) {
        TRY_ASSIGN(const bool row, rows.step());
        if (!row) return Ok{};
        const std::string_view body = rows.text(4);
        if (!find_revision(body)) {
            return Error(Errc::kInvalid, cat("the object of ", rows.text(0), ' ', rows.text(1), '/',
                                             rows.text(2), " is damaged"));
        }
        use(stored(rows.text(0), {std::string(rows.text(1)), std::string(rows.text(2))},
                   static_cast<Revision>(rows.integer(3)), std::string(body)));
    }
}

Result<> LogFile::append(std::span<const StoreEvent> events, int64_t now_seconds) {
    const auto held = hold_for_write();
    TRY_ASSIGN(auto transaction, SqlTransaction::begin(write_, SqlTransaction::Kind::kWrite));
    for (const StoreEvent& event : events) TRY(append_one(event, now_seconds));
    TRY(transaction.commit());
    last_ = events.back().revision;
    return Ok{};
}

Result<> LogFile::append_one(const StoreEvent& event, int64_t now_seconds) {
    const StoredObject& object = *event.object;
    const bool deleted = event.type == StoreEvent::Type::kDeleted;
    statements_->append.bind(1, static_cast<int64_t>(event.revision))
        .bind(2, event.previous ? static_cast<int64_t>(event.previous->revision) : 0)
        .bind(3, static_cast<int64_t>(event.type))
        .bind(4, now_seconds)
        .bind(5, object.resource)
        .bind(6, object.key.ns)
        .bind(7, object.key.name)
        .bind(8, deleted ? std::string_view() : object.body);
    TRY(statements_->append.run());
    Statement& current = deleted ? statements_->unset_current : statements_->set_current;
    current.bind(1, object.resource).bind(2, object.key.ns).bind(3, object.key.name);
    if (!deleted) current.bind(4, static_cast<int64_t>(event.revision));
    return current.run();
}

Result<> LogFile::events(Revision after, Revision until, std::string_view resource,
                         const std::function<bool(StoreEvent)>& use) {
    const std::lock_guard held(history_mutex_);
    Database& db = read_ ? *read_ : write_;
    // One transaction: compaction meanwhile must not take away what was just found to be kept.
    TRY_ASSIGN(auto transaction, SqlTransaction::begin(db, SqlTransaction::Kind::kRead));
    TRY(history_->compacted.step());
    const auto compacted = static_cast<Revision>(history_->compacted.integer(0));
    history_->compacted.reset();
    if (after < compacted) {
        return Error(Errc::kGone,
                     cat("revision ", after, " is compacted; the oldest is ", compacted));
    }
    Statement& rows = history_->events;
    rows.bind(1, static_cast<int64_t>(after))
        .bind(2, static_cast<int64_t>(until))
        .bind(3, resource);
    for (;;) {
        TRY_ASSIGN(const bool row, rows.step());
        if (!row) break;
        if (!use(read_event(rows))) {
            rows.reset();
            break;
        }
    }
    return transaction.commit();
}

Result<> LogFile::compact(Revision revision) {
    if (revision <= compacted_) return Ok{};
    const auto held = hold_for_write();
    TRY_ASSIGN(auto transaction, SqlTransaction::begin(write_, SqlTransaction::Kind::kWrite));
    const auto from = static_cast<int64_t>(compacted_);
    const auto to = static_cast<int64_t>(revision);
    TRY(statements_->forget_replaced.bind(1, from).bind(2, to).run());
    TRY(statements_->forget_deletions.bind(1, from).bind(2, to).run());
    TRY(statements_->set_compacted.bind(1, to).run());
    TRY(transaction.commit());
    compacted_ = revision;
    return Ok{};
}

Result<Revision> LogFile::forgettable(Revision limit, int64_t cutoff_seconds) {
    const auto held = hold_for_write();
    Statement& rows = statements_->ages;
    rows.bind(1, static_cast<int64_t>(compacted_)).bind(2, static_cast<int64_t>(limit));
    Revision found = compacted_;
    for (;;) {
        TRY_ASSIGN(const bool row, rows.step());
        if (!row) return found;
        if (rows.integer(1) > cutoff_seconds) break;
        found = static_cast<Revision>(rows.integer(0));
    }
    rows.reset();
    return found;
}

Result<> LogFile::checkpoint() {
    TRY_ASSIGN(const bool whole, write_.checkpoint());
    // A wholly copied log is written from its start again; its file keeps its size.
    if (whole) wal_bytes_ = 0;
    return Ok{};
}

}  // namespace kin
