#include "kin/lab_file.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "core/base/json.h"
#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/store/saved.h"
#include "core/store/store.h"
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
    lab.memory = memory_from(note);
    const std::vector<int>& nodes = lab.memory.nodes;
    const bool distinct = std::ranges::adjacent_find(nodes) == nodes.end();
    if (!is_label(lab.from) || !distinct || nodes.empty() || nodes.front() != 1) {
        return Error(Errc::kInvalid, "its name or its nodes are none that a lab can have");
    }
    return lab;
}

/// The database goes in its place; from then on the lab is the loaded one.
Result<> put_in_place(const LabPaths& paths, const std::string& database, const LabMemory& memory) {
    TRY(remember_with(paths, memory, database));
    if (const auto replaced = replace_store(database, paths.database()); !replaced) {
        (void)remember(paths, recall(paths));
        return replaced;
    }
    // The same in fewer words; if they cannot be written, those that are there say it.
    (void)remember(paths, memory);
    return Ok{};
}

/// Of a load that failed or was killed. A journal that stayed would be rolled back into the next
/// file of its name.
void remove_rest(const std::string& database) {
    for (const char* more : {"", "-journal"}) ::unlink(cat(database, more).c_str());
}
}  // namespace

Result<> remove_lab_folder(const std::string& folder) {
    namespace fs = std::filesystem;
    std::error_code error;
    if (!fs::exists(fs::symlink_status(folder, error))) return Ok{};
    const Result<> emptied = netns::run_with_lab_ids([&]() -> Result<> {
        for (const auto& entry : fs::directory_iterator(folder, error)) {
            fs::remove_all(entry.path(), error);
            if (error) break;
        }
        if (error) return Error::from_errno(cat("remove what is in ", folder), error.value());
        return Ok{};
    });
    // Where nobody can have a lab's ids, nothing belongs to them.
    fs::remove_all(folder, error);
    if (!error) return Ok{};
    if (!emptied) return emptied;
    return Error::from_errno(cat("remove ", folder), error.value());
}

Result<std::string> save_lab(const LabPaths& paths) {
    Json note = to_json(recall(paths));
    note["lab"] = paths.name;
    note["kin"] = kVersion;
    return save_store(paths.database(), to_text(note));
}

Result<std::string> save_stopped_lab(const LabPaths& paths) {
    const netns::ActingAsLab owner;
    TRY_ASSIGN(const auto store, Store::open({.path = paths.database()}));
    return save_lab(paths);
}

Result<LoadedLab> load_lab(const LabPaths& paths, std::string_view bytes) {
    std::error_code ignored;
    const bool fresh = !std::filesystem::exists(paths.data, ignored);
    TRY(netns::make_lab_directory(paths.data));
    const std::string beside = paths.database() + ".loading";
    const auto load = [&]() -> Result<LoadedLab> {
        TRY_ASSIGN(const SavedStore saved, restore_store(bytes, beside));
        TRY_ASSIGN(LoadedLab lab, read_note(saved));
        TRY(put_in_place(paths, beside, lab.memory));
        return lab;
    };
    const auto load_cleanly = [&] {
        const netns::ActingAsLab owner;
        remove_rest(beside);
        auto loaded = load();
        remove_rest(beside);
        return loaded;
    };
    auto lab = load_cleanly();
    if (!lab) {
        if (fresh) (void)remove_lab_folder(paths.data);
        return lab;
    }
    // Of pods that are no longer; volumes that outlive pods stay.
    for (const char* folder : {"/pods", "/logs"}) {
        if (const auto removed = remove_lab_folder(paths.data + folder); !removed)
            log_warn("kin", removed.error().text());
    }
    return lab;
}

}  // namespace kin
