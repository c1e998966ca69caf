#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "core/base/result.h"
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

/// Whether /etc/subuid and /etc/subgid have a range for the caller.
bool has_sub_ids();

/// Whom the files of this user's labs belong to: the lab's root, as the host sees it.
struct LabOwner {
    uint32_t uid = 0, gid = 0;
};
LabOwner lab_owner();

/// Makes a folder of a lab, with mode 0700 and the parents that are missing, whatever the umask.
/// Started as root it belongs to the lab's owner, who can get through to it.
Result<> make_lab_directory(const std::string& directory);

/// While it lives, this process has no more rights on files than the lab's owner. For root, who
/// works in folders that the lab can write: links that the lab has put there lead root nowhere. No
/// change for an ordinary user. Without other threads; not inside a lab.
class ActingAsLab {
public:
    ActingAsLab();
    ~ActingAsLab();
    ActingAsLab(const ActingAsLab&) = delete;
    ActingAsLab& operator=(const ActingAsLab&) = delete;

private:
    std::vector<gid_t> groups_;
    bool changed_ = false;
};

/// Runs `work` in a child with the ids of a lab, as its root: all that containers under whatever id
/// have made is its own. Gives what `work` gives. Without other threads.
Result<> run_with_lab_ids(const std::function<Result<>()>& work);

}  // namespace kin::netns
