#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"

namespace kin::netns {

Result<> mount_fs(const char* type, const std::string& target, unsigned long flags,
                  const std::string& options = "");
/// Binds `source` with the mounts below it: without them the kernel refuses, because they could
/// hide something. The copy is as read-only as the source.
Result<> bind_mount(const std::string& source, const std::string& target);
/// Makes a mount and those below it read-only. Unlike a remount this does not have to repeat the
/// flags that a user namespace may not change.
Result<> make_read_only(const std::string& target);
/// Makes the current directory, a mount point, the root, and forgets the old one.
Result<> pivot_to_current_directory();

}  // namespace kin::netns
