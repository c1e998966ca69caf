#include "netns/init/mounts.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/strings.h"

namespace kin::netns {

Result<> mount_fs(const char* type, const std::string& target, unsigned long flags,
                  const std::string& options) {
    if (::mount(type, target.c_str(), type, flags, options.c_str()) < 0) {
        return Error::from_errno(cat("mount ", type, " on ", target));
    }
    return Ok{};
}

Result<> bind_mount(const std::string& source, const std::string& target) {
    if (::mount(source.c_str(), target.c_str(), nullptr, MS_BIND | MS_REC, nullptr) < 0) {
        return Error::from_errno(cat("bind ", source, " to ", target));
    }
    return Ok{};
}

Result<> make_read_only(const std::string& target) {
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_RDONLY;
    if (::mount_setattr(AT_FDCWD, target.c_str(), AT_RECURSIVE, &attributes, sizeof attributes) <
        0) {
        return Error::from_errno(cat("make ", target, " read-only"));
    }
    return Ok{};
}

Result<> pivot_to_current_directory() {
    // With "." twice the old root ends up on top of the new one, where it can be taken off.
    if (::syscall(SYS_pivot_root, ".", ".") < 0) return Error::from_errno("pivot_root");
    if (::umount2(".", MNT_DETACH) < 0) return Error::from_errno("umount the old root");
    if (::chdir("/") < 0) return Error::from_errno("chdir /");
    return Ok{};
}

}  // namespace kin::netns
