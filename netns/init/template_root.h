#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/base/result.h"

namespace kin::netns {

/// The root file system that every container's is built from: PID 1 lives in it, so that a clone
/// copies ten mounts instead of all of the host's. Read-only, made from nothing:
///
///     /usr       the host's; /bin, /lib... as links into it, as on the host
///     /dev       null, zero, full, random, urandom, tty bound from the host; pts and shm empty
///     /.kin      busybox/: a link per applet; etc/: what programs need of the host's /etc;
///                empty/: what hides directories; bin/kin; lib/kin: what came with it in a tarball
///     /proc      of PID 1's pid namespace. A user namespace may mount another only while it sees
///                one that nothing is mounted over.
///     /newroot   where a clone mounts its own
struct TemplateRoot {
    /// {"bin", "usr/bin"}: links of the root directory, to be repeated in each container.
    std::vector<std::pair<std::string, std::string>> links;
    /// Directories of the host that are bound besides usr: on hosts where /lib is no link.
    std::vector<std::string> bound;
    /// Names in /.kin/etc that are to be linked from /etc.
    std::vector<std::string> etc;
    bool has_busybox = false;
};

/// Builds it and makes it the root of the calling process, in a mount namespace of its own.
/// Fails with kDenied where a container around us has hidden parts of /proc.
Result<TemplateRoot> enter_template_root();

}  // namespace kin::netns
