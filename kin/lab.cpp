#include "kin/lab.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "core/base/files.h"
#include "core/base/strings.h"
#include "core/base/unique_fd.h"
#include "netns/init/id_maps.h"

namespace kin {

namespace {
constexpr const char* kDefaultLab = "kin";

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

/// A folder made by this user, in which nobody else can put anything: a socket to listen on.
bool is_private_folder(const std::string& path) {
    struct stat found {};
    return ::lstat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode) &&
           found.st_uid == ::geteuid() && (found.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

Error not_private(const std::string& folder) {
    return Error(Errc::kDenied,
                 cat(folder, " is no folder that only you can write, so whoever listens in it may "
                             "not be your lab. Remove it, or set XDG_RUNTIME_DIR or TMPDIR to a "
                             "folder of your own"));
}

Result<std::string> runtime_root() {
    const std::string given = environment("XDG_RUNTIME_DIR");
    if (!given.empty() && is_private_folder(given)) return given + "/kin";
    std::string temporary = environment("TMPDIR");
    if (temporary.empty()) temporary = "/tmp";
    std::string root = cat(temporary, "/kin-", ::geteuid());
    // Where everybody may make folders, somebody may have made this one before us.
    struct stat found {};
    if (::lstat(root.c_str(), &found) == 0 && !is_private_folder(root)) return not_private(root);
    return root;
}
}  // namespace

bool is_label(const std::string& name) {
    if (name.empty() || name.size() > 63) return false;
    for (const char c : name) {
        const bool good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
        if (!good) return false;
    }
    return name.front() != '-' && name.back() != '-';
}

Result<LabPaths> lab_paths(const std::string& name) {
    if (!is_label(name)) {
        return Error(
            Errc::kInvalid,
            cat("\"", name, "\" is no name for a lab: use lower case letters, digits and '-'"));
    }
    LabPaths paths;
    paths.name = name;
    if (::geteuid() == 0) {
        // A lab started by root runs as an id that may not enter root's home.
        paths.data = "/var/lib/kin/" + name;
        paths.runtime = "/run/kin/" + name;
        return paths;
    }
    std::string data = environment("XDG_DATA_HOME");
    if (data.empty()) {
        const std::string home = environment("HOME");
        if (home.empty()) {
            return Error(Errc::kNotFound,
                         "neither XDG_DATA_HOME nor HOME is set: nowhere to keep the lab's data");
        }
        data = home + "/.local/share";
    }
    paths.data = cat(data, "/kin/", name);
    TRY_ASSIGN(const std::string root, runtime_root());
    paths.runtime = cat(root, '/', name);
    return paths;
}

Result<> make_runtime_root(const LabPaths& paths) {
    if (::geteuid() == 0) return Ok{};  // Below /run only root makes anything.
    const std::string root = std::filesystem::path(paths.runtime).parent_path();
    TRY(make_directories(root, 0700));
    if (!is_private_folder(root)) return not_private(root);
    return Ok{};
}

std::string lab_words(const std::string& name) {
    return name == kDefaultLab ? std::string() : cat(" --lab ", name);
}

std::vector<std::string> running_labs() {
    const auto any = lab_paths(kDefaultLab);
    if (!any) return {};
    std::vector<std::string> names;
    std::error_code ignored;
    const auto folder = std::filesystem::path(any->runtime).parent_path();
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
        const auto paths = lab_paths(entry.path().filename());
        if (paths && find_running(*paths)) names.push_back(paths->name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::string not_running(const std::string& lab) {
    std::string text = cat("lab ", lab, " is not running. Start it: kin up", lab_words(lab));
    if (const auto others = running_labs(); !others.empty()) {
        text += cat(". Running: ", join(others, ", "));
    }
    return text;
}

Result<RunningLab> find_running(const LabPaths& paths) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = paths.socket();
    if (path.size() >= sizeof address.sun_path) {
        return Error(Errc::kInvalid, cat("the path ", path, " is too long for a socket"));
    }
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket.valid()) return Error::from_errno("socket");
    if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        if (errno == EACCES) return Error::from_errno(cat("connect to ", path));
        return Error(Errc::kNotFound, cat("lab ", paths.name, " is not running"));
    }
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
        return Error::from_errno("SO_PEERCRED");
    }
    if (peer.uid != netns::lab_owner().uid) {
        return Error(Errc::kDenied, cat("who answers on ", path, " is process ", peer.pid,
                                        " of user ", peer.uid, ", not your lab"));
    }
    return RunningLab{peer.pid};
}

}  // namespace kin
