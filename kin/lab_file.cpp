#include "kin/lab_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "core/base/json.h"
#include "core/base/strings.h"
#include "core/store/saved.h"
#include "core/store/store.h"
#include "kin/lab_nodes.h"
#include "kin/options.h"
#include "kin/pki.h"
#include "kin/version.h"
#include "netns/init/id_maps.h"

namespace kin {

namespace {
Result<LoadedLab> read_note(const SavedStore& saved) {
    LoadedLab lab;
    lab.objects = saved.objects;
    TRY_ASSIGN(const Json note, parse_json(saved.note).context("its note"));
    lab.from = string_at(note, {"lab"});
    for (const Json& number : array_at(note, {"nodes"})) {
        if (!number.is_number_integer()) return Error(Errc::kInvalid, "its nodes are no numbers");
    }
    lab.memory = memory_from(note);
    const std::vector<int>& nodes = lab.memory.nodes;
    const bool distinct = std::ranges::adjacent_find(nodes) == nodes.end();
    if (!is_label(lab.from) || !distinct || nodes.empty() || nodes.front() != 1 ||
        nodes.back() > kMostNodes) {
        return Error(Errc::kInvalid, "its name or its nodes are none that a lab can have");
    }
    return lab;
}

/// As `kin up` makes them: started as root, a lab is an id that must get through to what is its
/// own.
Result<> make_data_directory(const std::string& directory) {
    const std::filesystem::path path(directory);
    std::error_code error;
    std::filesystem::create_directories(path.parent_path(), error);
    if (error) return Error(Errc::kSystem, cat("make ", directory, ": ", error.message()));
    if (::mkdir(directory.c_str(), 0700) < 0 && errno != EEXIST) {
        return Error::from_errno(cat("make ", directory));
    }
    return Ok{};
}

Result<> give_to_lab(const std::string& path) {
    const netns::LabOwner owner = netns::lab_owner();
    if (::geteuid() != 0 || ::chown(path.c_str(), owner.uid, owner.gid) == 0) return Ok{};
    return Error::from_errno(cat("chown ", path));
}

/// The store of a lab that does not run.
Result<std::unique_ptr<Store>> open_store_of(const LabPaths& paths) {
    TRY_ASSIGN(auto store, Store::open({.path = paths.database()}));
    TRY(give_to_lab(paths.database() + ".lock"));  // It may be new.
    return store;
}

/// The database goes in its place; from then on the lab is the loaded one.
Result<> put_in_place(const LabPaths& paths, const std::string& database,
                      const LabMemory& remembered) {
    TRY(give_to_lab(database));
    const std::string memory = paths.memory() + ".loading";
    TRY(write_private_file(memory, to_text(to_json(remembered))));
    TRY(give_to_lab(memory));
    // Whoever has the store open keeps us out. Closing it empties its write-ahead log, which must
    // not be there when another database takes the name.
    if (::access(paths.database().c_str(), F_OK) == 0) {
        auto opened = open_store_of(paths);
        // A database that cannot be read is no reason to keep it, one in use is.
        if (!opened && opened.error().code() == Errc::kConflict) return opened.error();
    }
    for (const char* more : {"-wal", "-shm"}) ::unlink(cat(paths.database(), more).c_str());
    if (::rename(database.c_str(), paths.database().c_str()) != 0 ||
        ::rename(memory.c_str(), paths.memory().c_str()) != 0) {
        return Error::from_errno(cat("rename ", database));
    }
    return Ok{};
}
}  // namespace

Result<std::string> save_lab(const LabPaths& paths) {
    Json note = to_json(recall(paths));
    note["lab"] = paths.name;
    note["kin"] = kVersion;
    return save_store(paths.database(), to_text(note));
}

Result<std::string> save_stopped_lab(const LabPaths& paths) {
    TRY_ASSIGN(const auto store, open_store_of(paths));
    return save_lab(paths);
}

Result<LoadedLab> load_lab(const LabPaths& paths, std::string_view bytes) {
    std::error_code ignored;
    const bool fresh = !std::filesystem::exists(paths.data, ignored);
    TRY(make_data_directory(paths.data));
    const std::string beside = paths.database() + ".loading";
    ::unlink(beside.c_str());  // Of a load that was killed.
    const auto load = [&]() -> Result<LoadedLab> {
        TRY_ASSIGN(const SavedStore saved, restore_store(bytes, beside));
        TRY_ASSIGN(LoadedLab lab, read_note(saved));
        TRY(put_in_place(paths, beside, lab.memory));
        return lab;
    };
    auto lab = load();
    if (lab) {
        // Of pods that are no longer; volumes that outlive pods stay.
        std::filesystem::remove_all(paths.data + "/pods", ignored);
        return lab;
    }
    ::unlink(beside.c_str());
    ::unlink((paths.memory() + ".loading").c_str());
    if (fresh) ::rmdir(paths.data.c_str());
    return lab;
}

}  // namespace kin
