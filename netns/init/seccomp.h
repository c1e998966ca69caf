#pragma once

#include "core/base/result.h"

namespace kin::netns {

/// From now on the calling process, and what it starts, gets EPERM from system calls that a lab
/// never needs: mounts, namespaces, keys, bpf, modules, clocks, io_uring... clone3 gives ENOSYS,
/// because its flags lie in memory where a filter cannot look; C libraries then use clone.
/// Needs no_new_privs. The kernel looks once per call: a few nanoseconds.
Result<> install_seccomp_filter();

}  // namespace kin::netns
