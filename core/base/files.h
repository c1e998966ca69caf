#pragma once

#include <sys/types.h>

#include <string>

#include "core/base/result.h"

namespace kin {

/// All that a file holds. Fails with kNotFound if there is none.
Result<std::string> read_file(const std::string& path);

/// Makes a directory and the parents that are missing, with `mode` less the umask. One that is
/// there is success, also where nothing could be made.
Result<> make_directories(const std::string& path, mode_t mode);

/// Makes the name `path` in its folder survive a power loss. A folder that may be written but not
/// read cannot be synced; the name is there all the same.
void sync_folder_of(const std::string& path);

}  // namespace kin
