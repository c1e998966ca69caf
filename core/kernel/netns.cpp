#include "core/kernel/netns.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include "core/base/assert.h"
#include "core/base/strings.h"

namespace kin {

Result<> write_sysctl(const Sysctl& setting) {
    const std::string path = cat("/proc/sys/", setting.path);
    const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!file.valid()) return Error::from_errno(cat("open ", path));
    if (::write(file.get(), setting.value.data(), setting.value.size()) < 0)
        return Error::from_errno(cat("write ", setting.value, " to ", path));
    return Ok{};
}

Result<Netns> Netns::create(const std::function<Result<>()>& inside) {
    TRY_ASSIGN(const Netns home, current());
    if (::unshare(CLONE_NEWNET) < 0) return Error::from_errno("unshare a network namespace");
    auto made = current();
    auto filled = inside ? inside() : Ok{};
    home.join_or_die();
    TRY(std::move(filled));
    return made;
}

Result<Netns> Netns::current() {
    UniqueFd fd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    if (!fd.valid()) return Error::from_errno("open /proc/thread-self/ns/net");
    return Netns(std::move(fd));
}

Result<> Netns::write_sysctls(const std::vector<Sysctl>& settings) const {
    return enter([&]() -> Result<> {
        for (const Sysctl& setting : settings) TRY(write_sysctl(setting));
        return Ok{};
    });
}

Result<std::string> Netns::read_sysctl(std::string_view path) const {
    return enter([&]() -> Result<std::string> {
        const std::string full = cat("/proc/sys/", path);
        const UniqueFd file(::open(full.c_str(), O_RDONLY | O_CLOEXEC));
        if (!file.valid()) return Error::from_errno(cat("open ", full));
        char buffer[256];
        const ssize_t size = ::read(file.get(), buffer, sizeof buffer);
        if (size < 0) return Error::from_errno(cat("read ", full));
        return std::string(trim(std::string_view(buffer, static_cast<size_t>(size))));
    });
}

Result<Netns> Netns::duplicate() const {
    UniqueFd copy(::fcntl(fd(), F_DUPFD_CLOEXEC, 0));
    if (!copy.valid()) return Error::from_errno("duplicate a namespace's descriptor");
    return Netns(std::move(copy));
}

Result<uint64_t> Netns::id() const {
    struct stat status {};
    if (::fstat(fd(), &status) < 0) return Error::from_errno("fstat a namespace");
    return uint64_t{status.st_ino};
}

Result<> Netns::join() const {
    if (::setns(fd(), CLONE_NEWNET) < 0) return Error::from_errno("setns");
    return Ok{};
}

void Netns::join_or_die() const { KIN_ASSERT(::setns(fd(), CLONE_NEWNET) == 0); }

}  // namespace kin
