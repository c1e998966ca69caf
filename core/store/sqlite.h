#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace kin {

/// One SQL statement, prepared once and run often. Move-only; ends before its Database.
///
///     statement.bind(1, revision).bind(2, name);
///     TRY_ASSIGN(bool row, statement.step());
class Statement {
public:
    /// Parameters count from 1. Text is not copied: it must live until the next reset().
    Statement& bind(int index, int64_t number);
    Statement& bind(int index, std::string_view text);

    /// True: a row can be read. False: done. After either false or an Error the statement has been
    /// reset and can be bound anew.
    Result<bool> step();
    /// step() for statements without rows.
    Result<> run();
    /// Ends reading before the last row.
    void reset();

    /// Columns count from 0; of the row that step() announced.
    int64_t integer(int column) const;
    std::string_view text(int column) const;  ///< Valid until the next step() or reset().

private:
    friend class Database;
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const;
    };
    explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// One connection to one database. Move-only. Used by one thread at a time.
class Database {
public:
    enum class Mode { kReadWrite, kReadOnly };
    /// Creates the file if it is missing (kReadWrite). Waits up to a second for locks of others.
    static Result<Database> open(const std::string& path, Mode mode);

    /// A database in memory that is `file`, the bytes of one; nothing beside it is looked at. Only
    /// for reading. kInvalid if SQLite cannot take it for one.
    static Result<Database> open_bytes(std::string_view file);
    /// The bytes of the file that this database is or would be.
    Result<std::string> bytes();

    /// One or several statements without parameters; rows are dropped.
    Result<> execute(const std::string& sql);
    Result<Statement> prepare(std::string_view sql);
    /// The one number that `sql` gives.
    Result<int64_t> query_integer(std::string_view sql);
    /// The one text that `sql` gives.
    Result<std::string> query_text(std::string_view sql);
    /// Copies the write-ahead log into the database; false if readers held some of it back.
    Result<bool> checkpoint();

    sqlite3* handle() const { return database_.get(); }

private:
    struct Close {
        void operator()(sqlite3* database) const;
    };
    explicit Database(sqlite3* database) : database_(database) {}
    std::unique_ptr<sqlite3, Close> database_;
};

/// A transaction that rolls back unless it was committed.
class SqlTransaction {
public:
    enum class Kind { kRead, kWrite };
    static Result<SqlTransaction> begin(Database& database, Kind kind);
    ~SqlTransaction();
    SqlTransaction(SqlTransaction&& other) noexcept;
    SqlTransaction& operator=(SqlTransaction&&) = delete;

    /// After an Error nothing of the transaction is stored.
    Result<> commit();

private:
    explicit SqlTransaction(Database& database) : database_(&database) {}
    Database* database_;  // nullptr: over.
};

}  // namespace kin
