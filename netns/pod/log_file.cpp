#include "netns/pod/log_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>

#include "core/base/strings.h"
#include "core/base/time.h"

namespace kin::netns {
namespace {

Result<UniqueFd> open_log(const std::string& path) {
    UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
    if (!file.valid()) return Error::from_errno(cat("open log ", path));
    return file;
}

/// "20260102-030405"
std::string compact_time(WallTime now) {
    std::string out;
    for (const char c : rfc3339(now)) {
        if (c >= '0' && c <= '9') out += c;
        if (c == 'T') out += '-';
    }
    return out;
}

}  // namespace

Result<LogFile> LogFile::open(const std::string& path) {
    const std::string folder = std::filesystem::path(path).parent_path();
    // Most often all but the last is there.
    if (::mkdir(folder.c_str(), 0777) < 0 && errno == ENOENT) {
        std::error_code error;
        std::filesystem::create_directories(folder, error);
        if (error) return Error::from_errno(cat("directory of ", path), error.value());
    }
    TRY_ASSIGN(UniqueFd file, open_log(path));
    struct stat found {};
    const bool known = ::fstat(file.get(), &found) == 0;
    return LogFile(path, std::move(file), known ? static_cast<size_t>(found.st_size) : 0);
}

Result<> LogFile::append(std::string_view lines) {
    if (size_ > 0 && size_ + lines.size() > kMaxBytes) TRY(set_aside());
    while (!lines.empty()) {
        const ssize_t written = ::write(file_.get(), lines.data(), lines.size());
        if (written < 0) return Error::from_errno(cat("write log ", path_));
        size_ += static_cast<size_t>(written);
        lines.remove_prefix(static_cast<size_t>(written));
    }
    return Ok{};
}

Result<> LogFile::set_aside() {
    const std::string aside = cat(path_, '.', compact_time(std::chrono::system_clock::now()));
    if (::rename(path_.c_str(), aside.c_str()) < 0) {
        return Error::from_errno(cat("set aside log ", path_));
    }
    if (!previous_.empty() && previous_ != aside) ::unlink(previous_.c_str());
    previous_ = aside;
    TRY_ASSIGN(file_, open_log(path_));
    size_ = 0;
    return Ok{};
}

}  // namespace kin::netns
