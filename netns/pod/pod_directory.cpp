#include "netns/pod/pod_directory.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "core/base/files.h"
#include "core/base/strings.h"
#include "core/base/time.h"

namespace kin::netns {
namespace {

namespace fs = std::filesystem;

/// What the umask leaves of it.
constexpr mode_t kAll = 0777;

Result<> write_file(const std::string& path, std::string_view content, mode_t mode) {
    const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!file.valid()) return Error::from_errno(cat("create ", path));
    while (!content.empty()) {
        const ssize_t written = ::write(file.get(), content.data(), content.size());
        if (written < 0) return Error::from_errno(cat("write ", path));
        content.remove_prefix(static_cast<size_t>(written));
    }
    // Not by open(): the umask must not take what the volume's owner asked for.
    if (::fchmod(file.get(), mode) < 0) return Error::from_errno(cat("chmod ", path));
    return Ok{};
}

Result<> point_link(const std::string& link, const std::string& target) {
    if (::symlink(target.c_str(), link.c_str()) == 0) return Ok{};
    const std::string fresh = link + ".new";
    ::unlink(fresh.c_str());
    if (::symlink(target.c_str(), fresh.c_str()) < 0) {
        return Error::from_errno(cat("link ", fresh));
    }
    if (::rename(fresh.c_str(), link.c_str()) < 0) return Error::from_errno(cat("rename ", fresh));
    return Ok{};
}

/// A step of a path, resolved as if `root` were the file system's root.
Result<UniqueFd> open_in_root(int root, const std::string& path) {
    open_how how{};
    how.flags = O_PATH | O_CLOEXEC;
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    const long fd = ::syscall(SYS_openat2, root, path.c_str(), &how, sizeof how);
    if (fd < 0) return Error::from_errno(cat("open ", path));
    return UniqueFd(static_cast<int>(fd));
}

/// "..2026_01_02_03_04_05.000006", after which Kubernetes names a volume's generations.
std::string generation_name(WallTime now) {
    std::string name = rfc3339_micro(now);
    if (name.ends_with('Z')) name.pop_back();
    for (char& c : name) {
        if (c == '-' || c == ':' || c == 'T') c = '_';
    }
    return ".." + name;
}

void remove_old_generations(const std::string& volume, const std::string& keep) {
    std::error_code ignored;  // An old generation left behind takes space and nothing else.
    for (const fs::directory_entry& entry : fs::directory_iterator(volume, ignored)) {
        const std::string name = entry.path().filename();
        if (name.starts_with("..2") && name != keep) fs::remove_all(entry.path(), ignored);
    }
}

/// Files of a volume are inside of it: whoever stored the object was to see to it, but what would
/// be written elsewhere is worth a second look.
Result<> check_below(std::string_view path) {
    const auto steps = split(path, '/');
    const bool up = std::ranges::find(steps, "..") != steps.end();
    if (!up && !path.empty() && !path.starts_with('/')) return Ok{};
    return Error(Errc::kInvalid, cat('"', path, "\" is no file's path in a volume"));
}

}  // namespace

Result<> mount_in_memory(const std::string& directory) {
    TRY(make_directories(directory, kAll));
    if (::mount("tmpfs", directory.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "mode=700") < 0) {
        return Error::from_errno(cat("mount a tmpfs at ", directory));
    }
    return Ok{};
}

Result<> PodDirectory::make_empty_dir(const std::string& volume) const {
    const std::string path = directory_path(volume);
    TRY(make_directories(path, kAll));
    if (::chmod(path.c_str(), 0777) < 0) return Error::from_errno(cat("chmod ", path));
    return Ok{};
}

Result<std::string> persistent_directory(const std::string& data, const std::string& volume) {
    if (is_file_name(volume)) return cat(data, "/volumes/", volume);
    return Error(Errc::kInvalid, cat('"', volume, "\" is no PersistentVolume's name"));
}

Result<> PodDirectory::link_directory(const std::string& volume,
                                      const std::string& directory) const {
    const std::string path = directory_path(volume);
    TRY(make_directories(fs::path(path).parent_path(), kAll));
    TRY(make_directories(directory, kAll));
    if (::chmod(directory.c_str(), 0777) < 0) {
        return Error::from_errno(cat("chmod ", directory));
    }
    return point_link(path, directory);
}

Result<> PodDirectory::write_files(const std::string& volume,
                                   const std::vector<VolumeFile>& files) const {
    for (const VolumeFile& file : files) TRY(check_below(file.path));
    const std::string path = files_path(volume);
    const std::string generation = generation_name(std::chrono::system_clock::now());
    const std::string fresh = cat(path, '/', generation);
    TRY(make_directories(path, kAll));
    const bool first = ::access((path + "/..data").c_str(), F_OK) != 0;
    TRY(make_directories(fresh, kAll));
    std::set<std::string> top_level;
    for (const VolumeFile& file : files) {
        const fs::path target = fs::path(fresh) / file.path;
        if (file.path.find('/') != std::string::npos) {
            TRY(make_directories(target.parent_path(), kAll));
        }
        TRY(write_file(target, file.content, file.mode));
        top_level.insert(file.path.substr(0, file.path.find('/')));
    }
    TRY(point_link(path + "/..data", generation));
    for (const std::string& name : top_level) {
        TRY(point_link(cat(path, '/', name), "..data/" + name));
    }
    if (!first) remove_old_generations(path, generation);
    return Ok{};
}

Result<UniqueFd> PodDirectory::open_in_volume(const std::string& volume,
                                              const std::string& sub_path) const {
    const std::string path = directory_path(volume);
    UniqueFd at(::open(files_path(volume).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!at.valid()) at.reset(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!at.valid()) return Error::from_errno(cat("open ", path));
    if (sub_path.empty()) return at;
    const int root = at.get();
    if (auto found = open_in_root(root, sub_path); found) return found;
    // Step by step: mkdirat() follows links, so each parent is opened safely first.
    std::string made;
    UniqueFd parent(::dup(root));
    for (const std::string_view step : split(sub_path, '/')) {
        if (step.empty()) continue;
        made += cat(made.empty() ? "" : "/", step);
        if (::mkdirat(parent.get(), std::string(step).c_str(), 0777) < 0 && errno != EEXIST) {
            return Error::from_errno(cat("make ", made, " in volume ", volume));
        }
        TRY_ASSIGN(parent, open_in_root(root, made));
    }
    return parent;
}

std::string PodDirectory::message_path(const std::string& container, int attempt) const {
    return cat(memory_, "/containers/", container, '/', attempt);
}

Result<std::string> PodDirectory::make_message_file(const std::string& container,
                                                    int attempt) const {
    const std::string path = message_path(container, attempt);
    TRY(make_directories(fs::path(path).parent_path(), kAll));
    TRY(write_file(path, "", 0666));
    return path;
}

std::string PodDirectory::read_message(const std::string& container, int attempt) const {
    const UniqueFd file(
        ::open(message_path(container, attempt).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    std::string text(4096, '\0');
    const ssize_t size = file.valid() ? ::read(file.get(), text.data(), text.size()) : 0;
    text.resize(size > 0 ? static_cast<size_t>(size) : 0);
    return text;
}

std::string log_directory(const std::string& data, const ObjectKey& pod, const std::string& uid) {
    return cat(data, "/logs/", pod.ns, '_', pod.name, '_', uid);
}

Result<> remove_pod_files(const PodStorage& storage, const ObjectKey& pod, const std::string& uid) {
    if (!is_file_name(uid)) return Ok{};  // Then there was no such pod here.
    const Result<> removed = PodDirectory(storage, uid).remove();
    std::error_code error;
    fs::remove_all(log_directory(storage.data, pod, uid), error);
    if (removed && error) return Error::from_errno("remove a pod's logs", error.value());
    return removed;
}

void remove_leftovers(const PodStorage& storage, const std::set<std::string>& uids) {
    std::error_code ignored;
    for (const char* folder : {"/pods", "/logs"}) {
        for (const auto& entry : fs::directory_iterator(storage.data + folder, ignored)) {
            const std::string name = entry.path().filename();
            // No uid has a '_' in it.
            if (!uids.contains(name.substr(name.rfind('_') + 1)))
                fs::remove_all(entry.path(), ignored);
        }
    }
}

Result<> PodDirectory::remove() const {
    for (const std::string& path : {memory_, path_}) {
        std::error_code error;
        fs::remove_all(path, error);
        if (error) return Error::from_errno(cat("remove ", path), error.value());
    }
    return Ok{};
}

}  // namespace kin::netns
