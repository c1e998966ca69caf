#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/store/store.h"

namespace kin {

/// A store in one file, to keep or to hand out: an SQLite database with the tables of a store and
/// a mark of its own (PRAGMA application_id). It holds every current object, byte for byte, and the
/// last revision; no history, so that what was deleted before is not handed out.

/// No larger file is restored.
constexpr uint64_t kMostSavedBytes = 1ull << 30;

struct SavedStore {
    std::string note;    ///< what who saved it said of it
    size_t objects = 0;  ///< how many there are
};

/// The bytes of such a file, of the database at `path` as it is at one moment. May be called beside
/// an open store, by any thread of its process; otherwise whoever calls holds the store open.
/// Takes about 10 ms per thousand objects.
Result<std::string> save_store(const std::string& path, std::string_view note);

/// Makes a database for Store::open() at `path`, where no file may be, from the bytes of a saved
/// one. Those come from anywhere: marks, tables, pages and every object are checked. kInvalid says
/// what is wrong, and then there is no file at `path`.
Result<SavedStore> restore_store(std::string_view file, const std::string& path);

/// Puts the database at `fresh`, which restore_store() has made, in the place of the one at `path`,
/// in one step: before it and after any Error there is the old one with all that was ever
/// acknowledged, at whatever point the process or the machine ends. kConflict: a store is open at
/// `path`. An old one that is no database is replaced.
Result<> replace_store(const std::string& fresh, const std::string& path);

/// Whether restore_store() takes an object, as it takes all that kin stores: of a kind that is
/// known, in the text that kin writes, with a uid that is a UUID and the name and revision of its
/// row, and such that the API would accept it as an update of itself.
Result<> check_restorable(const StoredObject& object);

}  // namespace kin
