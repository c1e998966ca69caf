#include "core/store/saved.h"

#include <fcntl.h>
#include <unistd.h>

#include <functional>

#include "core/api/kinds.h"
#include "core/api/name_rules.h"
#include "core/api/object_text.h"
#include "core/api/validation.h"
#include "core/base/files.h"
#include "core/base/json.h"
#include "core/base/strings.h"
#include "core/base/unique_fd.h"
#include "core/store/log_file.h"
#include "core/store/sqlite.h"

namespace kin {
namespace {

constexpr std::string_view kMagic("SQLite format 3\0", 16);
constexpr size_t kHeaderBytes = 100;
constexpr size_t kFormatAt = 60;  // Of the header: PRAGMA user_version, application_id.
constexpr size_t kMarkAt = 68;
constexpr uint32_t kMark = 0x6b696e31;  // "kin1"

/// Clients in JavaScript would count wrong from here on.
constexpr int64_t kLastRevision = int64_t{1} << 53;

constexpr const char* kNote = "CREATE TABLE saved(note TEXT NOT NULL);";
constexpr const char* kSchemaText =
    "SELECT coalesce(group_concat(type || ' ' || name || ' ' || coalesce(sql, ''), char(10)), '') "
    "FROM (SELECT * FROM sqlite_schema ORDER BY type, name)";

uint32_t big_endian(std::string_view bytes, size_t at) {
    uint32_t number = 0;
    for (size_t i = 0; i < 4; ++i) number = number << 8 | static_cast<unsigned char>(bytes[at + i]);
    return number;
}

struct Row {
    int64_t revision = 0;
    int64_t time = 0;
    std::string_view resource, ns, name, body;
};
using Check = std::function<Result<>(const Row&)>;

/// The last revision that a database ever gave.
Result<int64_t> last_revision(Database& database) {
    return database.query_integer(
        "SELECT max((SELECT compacted FROM state), (SELECT coalesce(max(revision), 0) FROM log))");
}

Result<> copy_rows(Database& from, Database& to, const Check& check, size_t& count) {
    TRY_ASSIGN(auto rows,
               from.prepare("SELECT c.revision, l.time, c.resource, c.ns, c.name, l.body "
                            "FROM current c LEFT JOIN log l USING(revision) "
                            "ORDER BY c.revision"));
    TRY_ASSIGN(auto log, to.prepare("INSERT INTO log VALUES(?1, 0, 0, ?2, ?3, ?4, ?5, ?6)"));
    TRY_ASSIGN(auto current, to.prepare("INSERT INTO current VALUES(?1, ?2, ?3, ?4)"));
    for (;;) {
        TRY_ASSIGN(const bool found, rows.step());
        if (!found) return Ok{};
        const Row row{rows.integer(0), rows.integer(1), rows.text(2),
                      rows.text(3),    rows.text(4),    rows.text(5)};
        TRY(check(row));
        log.bind(1, row.revision).bind(2, row.time).bind(3, row.resource);
        log.bind(4, row.ns).bind(5, row.name).bind(6, row.body);
        TRY(log.run());
        current.bind(1, row.resource).bind(2, row.ns).bind(3, row.name).bind(4, row.revision);
        TRY(current.run());
        ++count;
    }
}

/// Fills `to`, which has the tables and no rows, with what is current in `from` and gives the
/// number of objects. History counts as forgotten up to the last revision.
Result<size_t> copy_current(Database& from, Database& to, const Check& check) {
    TRY_ASSIGN(auto reading, SqlTransaction::begin(from, SqlTransaction::Kind::kRead));
    TRY_ASSIGN(auto writing, SqlTransaction::begin(to, SqlTransaction::Kind::kWrite));
    size_t count = 0;
    TRY(copy_rows(from, to, check, count));
    TRY_ASSIGN(const int64_t last, last_revision(from));
    if (last < 0 || last > kLastRevision) {
        return Error(Errc::kInvalid, cat("its last revision is ", last));
    }
    TRY_ASSIGN(auto compacted, to.prepare("UPDATE state SET compacted = ?1"));
    TRY(compacted.bind(1, last).run());
    TRY(writing.commit());
    TRY(reading.commit());
    return count;
}

Error damaged(const Row& row, std::string_view why) {
    return Error(Errc::kInvalid, cat("the object of ", row.resource, ' ', row.ns,
                                     row.ns.empty() ? "" : "/", row.name, " is damaged: ", why));
}

/// Whoever reads objects relies on what the API has checked before they were stored: the node agent
/// makes directories of uids and names, lists are spliced from texts. Nobody has checked these.
Result<> check_object(const Row& row) {
    const Kind* kind = find_resource(row.resource);
    if (!kind) {
        return Error(Errc::kInvalid,
                     cat("it holds ", row.resource, ", which this kin does not know"));
    }
    auto object = parse_json(row.body);
    if (!object) return damaged(row, object.error().text());
    if (!object->is_object() || object_text(*kind, *object) != row.body) {
        return damaged(row, "its text is not as kin writes it");
    }
    const auto meta = [&](std::string_view field) {
        return string_at(*object, {"metadata", field});
    };
    if (row.name.empty() || meta("name") != row.name || meta("namespace") != row.ns ||
        kind->namespaced == row.ns.empty() || string_at(*object, {"kind"}) != kind->kind ||
        string_at(*object, {"apiVersion"}) != kind->api_version()) {
        return damaged(row, "it says to be another");
    }
    if (row.revision < 1 || !is_uuid(meta("uid")) || meta("resourceVersion") != cat(row.revision)) {
        return damaged(row, "its uid or revision is not there");
    }
    const auto conforming = conform(*kind, *object);
    if (!conforming) return damaged(row, conforming.error().message);
    // As an update that changes nothing: what may only come about by updates is there, too.
    const std::vector<Cause> causes = validate(*kind, *object, &*object);
    if (causes.empty()) return Ok{};
    return damaged(row, cat(causes.front().field, ": ", causes.front().message));
}

Result<> check_header(std::string_view file) {
    if (file.size() < kHeaderBytes || !file.starts_with(kMagic) ||
        big_endian(file, kMarkAt) != kMark) {
        return Error(Errc::kInvalid, "it is no saved lab");
    }
    if (file.size() > kMostSavedBytes) {
        return Error(Errc::kInvalid, cat("it is larger than ", kMostSavedBytes >> 20, " MiB"));
    }
    if (const uint32_t format = big_endian(file, kFormatAt); format != LogFile::kFormat) {
        return Error(Errc::kInvalid,
                     cat("it has format ", format, ", this kin reads format ", LogFile::kFormat));
    }
    return Ok{};
}

/// Nothing of the file but rows is used, and those only from tables that are exactly a store's.
Result<> check_tables(Database& file) {
    TRY(file.execute("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON"));
    TRY_ASSIGN(const std::string check, file.query_text("PRAGMA integrity_check(1)"));
    if (check != "ok") return Error(Errc::kInvalid, cat("it is damaged: ", check));
    TRY_ASSIGN(auto own, Database::open(":memory:", Database::Mode::kReadWrite));
    TRY(own.execute(cat(LogFile::tables(), kNote)));
    TRY_ASSIGN(const std::string wanted, own.query_text(kSchemaText));
    TRY_ASSIGN(const std::string found, file.query_text(kSchemaText));
    if (found != wanted) return Error(Errc::kInvalid, "its tables are not those of a saved lab");
    return Ok{};
}

Result<SavedStore> restore(std::string_view file, const std::string& path) {
    TRY(check_header(file));
    TRY_ASSIGN(auto from, Database::open_bytes(file));
    if (const auto checked = check_tables(from); !checked) {
        return Error(Errc::kInvalid, checked.error().text());  // Whatever SQLite makes of garbage.
    }
    SavedStore saved;
    TRY_ASSIGN(saved.note, from.query_text("SELECT note FROM saved"));
    TRY_ASSIGN(auto to, Database::open(path, Database::Mode::kReadWrite));
    TRY(to.execute(LogFile::tables()));
    TRY_ASSIGN(saved.objects, copy_current(from, to, check_object));
    return saved;
}

/// Moves what stands in the old database's write-ahead log into it: the log must not be there when
/// another database takes the name, and what it holds must not be lost before that.
Result<> close_cleanly(const std::string& path) {
    if (::access(path.c_str(), F_OK) != 0) return Ok{};
    TRY_ASSIGN(auto old, Database::open(path, Database::Mode::kReadWrite));
    TRY_ASSIGN(const std::string mode, old.query_text("PRAGMA journal_mode = DELETE"));
    if (mode == "delete") return Ok{};
    return Error(Errc::kConflict, cat("database ", path, " is being read"));
}

}  // namespace

Result<> replace_store(const std::string& fresh, const std::string& path) {
    TRY_ASSIGN(const UniqueFd lock, LogFile::lock(path));
    if (const auto closed = close_cleanly(path); !closed) {
        // What cannot be read is no reason to keep it; a full disk is.
        if (closed.error().code() != Errc::kInvalid) return closed.error();
        for (const char* more : {"-wal", "-shm", "-journal"}) ::unlink(cat(path, more).c_str());
    }
    if (::rename(fresh.c_str(), path.c_str()) != 0) return Error::from_errno(cat("rename ", fresh));
    sync_folder_of(path);
    return Ok{};
}

Result<> check_restorable(const StoredObject& object) {
    return check_object({static_cast<int64_t>(object.revision), 0, object.resource, object.key.ns,
                         object.key.name, object.body});
}

Result<std::string> save_store(const std::string& path, std::string_view note) {
    TRY_ASSIGN(auto from, Database::open(path, Database::Mode::kReadOnly));
    TRY_ASSIGN(auto to, Database::open(":memory:", Database::Mode::kReadWrite));
    TRY(to.execute(cat(LogFile::tables(), kNote, "PRAGMA application_id = ", kMark)));
    TRY_ASSIGN(auto insert, to.prepare("INSERT INTO saved VALUES(?1)"));
    TRY(insert.bind(1, note).run());
    TRY(copy_current(from, to, [](const Row&) { return Result<>(Ok{}); }));
    return to.bytes();
}

Result<SavedStore> restore_store(std::string_view file, const std::string& path) {
    // Objects include Secrets; SQLite gives its other files the rights of this one.
    const UniqueFd made(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!made.valid()) return Error::from_errno(cat("create ", path));
    auto restored = restore(file, path);
    if (!restored) {
        ::unlink(path.c_str());
        ::unlink(cat(path, "-journal").c_str());
    }
    return restored;
}

}  // namespace kin
