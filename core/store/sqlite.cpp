#include "core/store/sqlite.h"

#include <sqlite3.h>

#include "core/base/assert.h"
#include "core/base/strings.h"

namespace kin {
namespace {

Error error_of(sqlite3* database, int code) {
    const std::string text = database ? sqlite3_errmsg(database) : sqlite3_errstr(code);
    switch (code & 0xFF) {
        case SQLITE_FULL:
            return Error::from_errno(text, ENOSPC);
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return Error(Errc::kConflict, text);
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return Error(Errc::kInvalid, text);
        case SQLITE_READONLY:
        case SQLITE_PERM:
            return Error::from_errno(text, EACCES);
        case SQLITE_IOERR:
        case SQLITE_CANTOPEN: {
            const int number = database ? sqlite3_system_errno(database) : 0;
            if (number != 0) return Error::from_errno(text, number);
            break;
        }
        default:
            break;
    }
    return Error(Errc::kSystem, text);
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Statement& Statement::bind(int index, int64_t number) {
    KIN_ASSERT(sqlite3_bind_int64(statement_.get(), index, number) == SQLITE_OK);
    return *this;
}

Statement& Statement::bind(int index, std::string_view text) {
    // An empty view may have no address, which SQLite would take for NULL.
    const char* data = text.empty() ? "" : text.data();
    KIN_ASSERT(sqlite3_bind_text64(statement_.get(), index, data, text.size(), SQLITE_STATIC,
                                   SQLITE_UTF8) == SQLITE_OK);
    return *this;
}

Result<bool> Statement::step() {
    const int code = sqlite3_step(statement_.get());
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) {
        reset();
        return false;
    }
    Error error = error_of(sqlite3_db_handle(statement_.get()), code);
    reset();
    return error;
}

Result<> Statement::run() {
    TRY_ASSIGN(const bool row, step());
    if (row) reset();
    return Ok{};
}

void Statement::reset() {
    sqlite3_reset(statement_.get());
    sqlite3_clear_bindings(statement_.get());
}

int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::text(int column) const {
    const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
    if (!data) return {};
    return {data, static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

void Database::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

Result<Database> Database::open(const std::string& path, Mode mode) {
    const int access =
        mode == Mode::kReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    sqlite3* handle = nullptr;
    const int code = sqlite3_open_v2(path.c_str(), &handle, access | SQLITE_OPEN_NOMUTEX, nullptr);
    Database database(handle);  // Even a failed open leaves something to close.
    if (code != SQLITE_OK) return error_of(handle, code).context(cat("open database ", path));
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_busy_timeout(handle, 1000);
    return database;
}

Result<Database> Database::open_bytes(std::string_view file) {
    TRY_ASSIGN(Database database, open(":memory:", Mode::kReadWrite));
    auto* copy = static_cast<unsigned char*>(sqlite3_malloc64(file.size()));
    if (!copy) return Error::from_errno("hold a database in memory", ENOMEM);
    file.copy(reinterpret_cast<char*>(copy), file.size());
    const auto size = static_cast<sqlite3_int64>(file.size());
    // SQLite frees the copy, also when it fails.
    const int code =
        sqlite3_deserialize(database.handle(), "main", copy, size, size,
                            SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_READONLY);
    if (code != SQLITE_OK) return Error(Errc::kInvalid, error_of(database.handle(), code).text());
    return database;
}

Result<std::string> Database::bytes() {
    sqlite3_int64 size = 0;
    const std::unique_ptr<unsigned char, decltype(&sqlite3_free)> image(
        sqlite3_serialize(handle(), "main", &size, 0), &sqlite3_free);
    if (!image) return Error::from_errno("write a database to memory", ENOMEM);
    return std::string(reinterpret_cast<const char*>(image.get()), static_cast<size_t>(size));
}

Result<> Database::execute(const std::string& sql) {
    const int code = sqlite3_exec(handle(), sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return error_of(handle(), code);
    return Ok{};
}

Result<Statement> Database::prepare(std::string_view sql) {
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(handle(), sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) return error_of(handle(), code).context(cat("prepare ", sql));
    return Statement(statement);
}

Result<int64_t> Database::query_integer(std::string_view sql) {
    TRY_ASSIGN(auto statement, prepare(sql));
    TRY_ASSIGN(const bool row, statement.step());
    if (!row) return Error(Errc::kNotFound, cat("no row: ", sql));
    return statement.integer(0);
}

Result<std::string> Database::query_text(std::string_view sql) {
    TRY_ASSIGN(auto statement, prepare(sql));
    TRY_ASSIGN(const bool row, statement.step());
    if (!row) return Error(Errc::kNotFound, cat("no row: ", sql));
    return std::string(statement.text(0));
}

Result<bool> Database::checkpoint() {
    int pages = 0;
    int copied = 0;
    const int code =
        sqlite3_wal_checkpoint_v2(handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &pages, &copied);
    if (code != SQLITE_OK) return error_of(handle(), code).context("checkpoint");
    return pages == copied;
}

Result<SqlTransaction> SqlTransaction::begin(Database& database, Kind kind) {
    TRY(database.execute(kind == Kind::kWrite ? "BEGIN IMMEDIATE" : "BEGIN"));
    return SqlTransaction(database);
}

SqlTransaction::SqlTransaction(SqlTransaction&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)) {}

SqlTransaction::~SqlTransaction() {
    // Some errors have already rolled back; then there is nothing left to do.
    if (database_ && !sqlite3_get_autocommit(database_->handle())) {
        sqlite3_exec(database_->handle(), "ROLLBACK", nullptr, nullptr, nullptr);
    }
}

Result<> SqlTransaction::commit() {
    KIN_ASSERT(database_);
    TRY(database_->execute("COMMIT"));
    database_ = nullptr;
    return Ok{};
}

}  // namespace kin
