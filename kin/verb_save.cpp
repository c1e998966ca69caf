#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "core/base/files.h"
#include "core/base/strings.h"
#include "core/store/saved.h"
#include "kin/lab.h"
#include "kin/lab_client.h"
#include "kin/lab_file.h"
#include "kin/options.h"
#include "kin/pki.h"

namespace kin {

namespace {
/// A running lab saves itself.
Result<std::string> lab_bytes(const LabPaths& paths) {
    if (find_running(paths)) {
        TRY_ASSIGN(LabAnswer answer, lab_request(paths, "GET", "/kin/v1/save", ""));
        if (answer.status == 200) return std::move(answer.body);
        return Error(Errc::kSystem, cat("the lab answered ", answer.status, ": ", answer.body));
    }
    if (::access(paths.database().c_str(), F_OK) != 0) {
        return Error(Errc::kNotFound, cat("lab ", paths.name, " was never started here"));
    }
    return save_stopped_lab(paths);
}

Error too_large(const std::string& what) {
    return Error(Errc::kInvalid, cat(what, " is larger than ", kMostSavedBytes >> 20, " MiB"));
}

Result<std::string> read_standard_input() {
    std::string bytes, buffer(1 << 20, '\0');
    while (std::cin.read(buffer.data(), static_cast<std::streamsize>(buffer.size())),
           std::cin.gcount() > 0) {
        bytes.append(buffer.data(), static_cast<size_t>(std::cin.gcount()));
        if (bytes.size() > kMostSavedBytes) return too_large("standard input");
    }
    return bytes;
}

Result<std::string> read_saved(const std::string& file) {
    if (file == "-") return read_standard_input();
    struct stat found {};
    if (::stat(file.c_str(), &found) != 0) return Error::from_errno(cat("open ", file));
    if (!S_ISREG(found.st_mode)) return Error(Errc::kInvalid, cat(file, " is no file"));
    if (static_cast<uint64_t>(found.st_size) > kMostSavedBytes) return too_large(file);
    return read_file(file);
}

/// A device or a pipe is not replaced by a file.
Result<> write_saved(const std::string& file, const std::string& bytes) {
    struct stat found {};
    if (::stat(file.c_str(), &found) == 0 && !S_ISREG(found.st_mode)) {
        return Error(Errc::kInvalid, cat(file, " is no file"));
    }
    return write_private_file(file, bytes);
}
}  // namespace

int save(const std::string& lab, const std::string& file) {
    const auto paths = lab_paths(lab);
    if (!paths) return fail(paths.error().text());
    const auto bytes = lab_bytes(*paths);
    if (!bytes) return fail(bytes.error().text());
    // No kin would load it.
    if (bytes->size() > kMostSavedBytes) return fail(too_large("the saved lab").text());
    if (file == "-") {
        const bool whole = std::fwrite(bytes->data(), 1, bytes->size(), stdout) == bytes->size();
        return whole && std::fflush(stdout) == 0 ? 0 : fail("standard output cannot take it");
    }
    const auto written = write_saved(file, *bytes);
    if (!written) return fail(written.error().text());
    std::printf("\u2713 lab %s is in %s (%zu KiB), Secrets included. Elsewhere: kin load %s\n",
                lab.c_str(), file.c_str(), (bytes->size() + 1023) / 1024, file.c_str());
    return 0;
}

int load(const std::string& lab, const std::string& file, Replace replace) {
    const auto paths = lab_paths(lab);
    if (!paths) return fail(paths.error().text());
    const std::string named = lab_words(lab);
    if (find_running(*paths)) {
        return fail(cat("lab ", lab, " is running. End it first: kin down", named,
                        ", or load beside it: kin load ", file, " --lab OTHER"));
    }
    if (replace == Replace::kNo && ::access(paths->database().c_str(), F_OK) == 0) {
        return fail(cat("lab ", lab, " has data already. Replace them: kin load ", file, named,
                        " --yes, or load beside it: kin load ", file, " --lab OTHER"));
    }
    const auto bytes = read_saved(file);
    if (!bytes) return fail(bytes.error().text());
    const auto loaded = load_lab(*paths, *bytes);
    if (!loaded) return fail(cat("cannot load ", file, ": ", loaded.error().text()));
    std::printf("\u2713 lab %s has the %zu objects of lab %s, %zu %s. Start it: kin up%s\n",
                lab.c_str(), loaded->objects, loaded->from.c_str(), loaded->memory.nodes.size(),
                loaded->memory.nodes.size() == 1 ? "node" : "nodes", named.c_str());
    return 0;
}

}  // namespace kin
