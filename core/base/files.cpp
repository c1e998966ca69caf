#include "core/base/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "core/base/strings.h"
#include "core/base/unique_fd.h"

namespace kin {

Result<std::string> read_file(const std::string& path) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.valid()) return Error::from_errno(cat("open ", path));
    std::string content;
    std::array<char, 16384> buffer;
    while (true) {
        const ssize_t count = ::read(file.get(), buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return Error::from_errno(cat("read ", path));
        if (count == 0) return content;
        content.append(buffer.data(), static_cast<size_t>(count));
    }
}

Result<> make_directories(const std::string& path, mode_t mode) {
    for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
        const std::string part = path.substr(0, slash);
        if (::mkdir(part.c_str(), mode) < 0 && errno != EEXIST) {
            const int error_number = errno;
            // On a read-only file system the kernel says EROFS before it looks.
            if (struct stat status; ::stat(part.c_str(), &status) < 0) {
                return Error::from_errno(cat("mkdir ", part), error_number);
            }
        }
        if (slash == std::string::npos) return Ok{};
    }
}

void sync_folder_of(const std::string& path) {
    const size_t slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    const UniqueFd opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (opened.valid()) ::fsync(opened.get());
}

}  // namespace kin
