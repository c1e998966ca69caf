#include "netns/init/confine.h"

#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

#include "core/base/strings.h"
#include "netns/init/seccomp.h"

namespace kin::netns {
namespace {

constexpr uint64_t bit(int capability) { return uint64_t{1} << capability; }

struct NamedCapability {
    std::string_view name;
    int number;
};

/// Those that containers may be given. The others reach the whole machine or the lab's own
/// processes: SYS_ADMIN, SYS_MODULE, SYS_RAWIO, SYS_BOOT, BPF, PERFMON, DAC_READ_SEARCH, SYSLOG...
constexpr std::array kCapabilities{
    NamedCapability{"CHOWN", CAP_CHOWN},
    NamedCapability{"DAC_OVERRIDE", CAP_DAC_OVERRIDE},
    NamedCapability{"FOWNER", CAP_FOWNER},
    NamedCapability{"FSETID", CAP_FSETID},
    NamedCapability{"KILL", CAP_KILL},
    NamedCapability{"SETGID", CAP_SETGID},
    NamedCapability{"SETUID", CAP_SETUID},
    NamedCapability{"SETPCAP", CAP_SETPCAP},
    NamedCapability{"SETFCAP", CAP_SETFCAP},
    NamedCapability{"NET_BIND_SERVICE", CAP_NET_BIND_SERVICE},
    NamedCapability{"NET_BROADCAST", CAP_NET_BROADCAST},
    NamedCapability{"NET_ADMIN", CAP_NET_ADMIN},
    NamedCapability{"NET_RAW", CAP_NET_RAW},
    NamedCapability{"IPC_LOCK", CAP_IPC_LOCK},
    NamedCapability{"IPC_OWNER", CAP_IPC_OWNER},
    NamedCapability{"SYS_CHROOT", CAP_SYS_CHROOT},
    NamedCapability{"SYS_PTRACE", CAP_SYS_PTRACE},
    NamedCapability{"SYS_NICE", CAP_SYS_NICE},
    NamedCapability{"SYS_RESOURCE", CAP_SYS_RESOURCE},
    NamedCapability{"MKNOD", CAP_MKNOD},
    NamedCapability{"LEASE", CAP_LEASE},
    NamedCapability{"AUDIT_WRITE", CAP_AUDIT_WRITE},
};

Result<> drop_bounding_set(uint64_t keep) {
    for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability) >= 0; ++capability) {
        if (keep & bit(capability)) continue;
        if (::prctl(PR_CAPBSET_DROP, capability) < 0) {
            return Error::from_errno("drop a capability");
        }
    }
    return Ok{};
}

Result<> set_capabilities(uint64_t keep) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2]{};
    data[0].effective = data[0].permitted = static_cast<uint32_t>(keep);
    data[1].effective = data[1].permitted = static_cast<uint32_t>(keep >> 32);
    if (::syscall(SYS_capset, &header, data) < 0) return Error::from_errno("capset");
    return Ok{};
}

Result<> become(const ProcessSpec& spec) {
    std::vector<gid_t> groups(spec.groups.begin(), spec.groups.end());
    // Where setgroups is forbidden there is one group, and nothing to give up.
    if (::setgroups(groups.size(), groups.data()) < 0 && (errno != EPERM || !groups.empty())) {
        return Error(Errc::kInvalid, "this lab has no supplementary groups (no /etc/subgid range)");
    }
    if (::setresgid(spec.gid, spec.gid, spec.gid) < 0) {
        return Error::from_errno(cat("group id ", spec.gid,
                                     " is not available in this lab (see "
                                     "/etc/subgid and newgidmap): setresgid"));
    }
    if (::setresuid(spec.uid, spec.uid, spec.uid) < 0) {
        return Error::from_errno(cat("user id ", spec.uid,
                                     " is not available in this lab (see "
                                     "/etc/subuid and newuidmap): setresuid"));
    }
    return Ok{};
}

}  // namespace

const uint64_t kDefaultCapabilities =
    bit(CAP_CHOWN) | bit(CAP_DAC_OVERRIDE) | bit(CAP_FSETID) | bit(CAP_FOWNER) | bit(CAP_MKNOD) |
    bit(CAP_NET_RAW) | bit(CAP_SETGID) | bit(CAP_SETUID) | bit(CAP_SETFCAP) | bit(CAP_SETPCAP) |
    bit(CAP_NET_BIND_SERVICE) | bit(CAP_SYS_CHROOT) | bit(CAP_KILL) | bit(CAP_AUDIT_WRITE);

uint64_t capability_bit(std::string_view name) {
    if (name.starts_with("CAP_")) name.remove_prefix(4);
    for (const NamedCapability& capability : kCapabilities) {
        if (capability.name == name) return bit(capability.number);
    }
    return 0;
}

Result<> confine(const ProcessSpec& spec, bool one_id) {
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return Error::from_errno("no_new_privs");
    TRY(drop_bounding_set(spec.capabilities));
    TRY(become(spec));
    // Another user than root has lost them all by now, as in any container.
    TRY(set_capabilities(spec.uid == 0 ? spec.capabilities : 0));
    // A change of ids hides /proc/self from its owner; a personality is never exec'd, which would
    // undo that.
    ::prctl(PR_SET_DUMPABLE, 1);
    return install_seccomp_filter(one_id);
}

}  // namespace kin::netns
