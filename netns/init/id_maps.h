#pragma once

#include <sys/types.h>

#include "netns/init/launch.h"

namespace kin::netns {

/// The first of the host's ids that a lab started by root uses: above the ranges that
/// distributions give to users and to systemd, below 2^31.
constexpr uint32_t kRootLabFirstId = 2147000000;
constexpr uint32_t kLabIds = 65536;

/// Gives the user namespace of `child` its ids. As root: a range of high, unprivileged ids. As an
/// ordinary user: the caller's id as 0, and the range of /etc/subuid and /etc/subgid behind it
/// where newuidmap and newgidmap grant one; else that one id alone.
Result<IdMap> write_id_maps(pid_t child);

/// Whom the files of this user's labs belong to: the lab's root, as the host sees it.
struct LabOwner {
    uint32_t uid = 0, gid = 0;
};
LabOwner lab_owner();

}  // namespace kin::netns
