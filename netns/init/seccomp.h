#pragma once

#include "core/base/result.h"

namespace kin::netns {

/// From now on the calling process, and what it starts, gets EPERM from system calls that a lab
/// never needs: mounts, namespaces, keys, bpf, modules, clocks, io_uring... clone3 gives ENOSYS,
/// because its flags lie in memory where a filter cannot look; C libraries then use clone.
/// Needs no_new_privs. The kernel looks once per call: a few nanoseconds.
///
/// With `one_id`, in a lab that has no id but root's, the chown family does nothing and succeeds:
/// tar and installers that run as root give files away and end with an error where they cannot
/// (containers/storage calls the same ignore_chown_errors). So do setuid, setgroups and their like:
/// tcpdump gives up root's ids, and ends where it cannot.
Result<> install_seccomp_filter(bool one_id);

}  // namespace kin::netns
