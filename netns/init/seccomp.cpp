#include "netns/init/seccomp.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <array>
#include <cstddef>
#include <vector>

namespace kin::netns {
namespace {

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "add this machine's AUDIT_ARCH value"
#endif

constexpr std::array kDenied {
    SYS_mount, SYS_umount2, SYS_pivot_root, SYS_open_tree, SYS_move_mount, SYS_fsopen, SYS_fsconfig,
        SYS_fsmount, SYS_fspick, SYS_mount_setattr, SYS_open_by_handle_at, SYS_name_to_handle_at,
        SYS_quotactl, SYS_swapon, SYS_swapoff, SYS_acct, SYS_setns, SYS_unshare, SYS_kcmp,
        SYS_pidfd_getfd, SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_io_uring_setup,
        SYS_io_uring_enter, SYS_io_uring_register, SYS_fanotify_init, SYS_lookup_dcookie,
        SYS_keyctl, SYS_add_key, SYS_request_key, SYS_init_module, SYS_finit_module,
        SYS_delete_module, SYS_kexec_load, SYS_kexec_file_load, SYS_reboot, SYS_syslog, SYS_vhangup,
        SYS_settimeofday, SYS_clock_settime, SYS_adjtimex, SYS_clock_adjtime, SYS_move_pages,
        SYS_mbind, SYS_set_mempolicy, SYS_migrate_pages, SYS_nfsservctl,
#if defined(__x86_64__)
        SYS_iopl, SYS_ioperm, SYS_uselib, SYS_ustat, SYS_sysfs, SYS_modify_ldt,
#endif
};

/// What can only fail where there is one id, and what programs end for: tar, which gives a file
/// its owner, and tcpdump, which gives up being root.
constexpr std::array kChangesOfIds {
#if defined(__x86_64__)
    SYS_chown, SYS_lchown,
#endif
        SYS_fchown, SYS_fchownat, SYS_setgroups, SYS_setuid, SYS_setgid, SYS_setreuid, SYS_setregid,
        SYS_setresuid, SYS_setresgid,
};

constexpr uint32_t kNamespaceFlags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET |
                                     CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;

constexpr uint32_t kAllow = SECCOMP_RET_ALLOW;
constexpr uint32_t answer(int error_number) {
    return SECCOMP_RET_ERRNO | static_cast<uint32_t>(error_number);
}

sock_filter statement(int code, uint32_t k) { return BPF_STMT(static_cast<uint16_t>(code), k); }
/// Goes on behind the next instruction unless the accumulator equals `k`.
sock_filter unless_equal_skip_one(uint32_t k) {
    return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, 0, 1);
}

std::vector<sock_filter> build_filter(bool one_id) {
    const auto load = [](size_t offset) {
        return statement(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset));
    };
    const auto give = [](uint32_t value) { return statement(BPF_RET | BPF_K, value); };
    std::vector<sock_filter> filter;
    // Another instruction set numbers its calls differently: none of them.
    filter.push_back(load(offsetof(seccomp_data, arch)));
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0));
    filter.push_back(give(answer(EPERM)));
    filter.push_back(load(offsetof(seccomp_data, nr)));
#if defined(__x86_64__)
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1));  // x32
    filter.push_back(give(answer(ENOSYS)));
#endif
    for (const long call : kDenied) {
        filter.push_back(unless_equal_skip_one(static_cast<uint32_t>(call)));
        filter.push_back(give(answer(EPERM)));
    }
    if (one_id) {
        for (const long call : kChangesOfIds) {
            filter.push_back(unless_equal_skip_one(static_cast<uint32_t>(call)));
            filter.push_back(give(answer(0)));
        }
    }
    filter.push_back(unless_equal_skip_one(SYS_clone3));
    filter.push_back(give(answer(ENOSYS)));
    // clone: no new namespaces. The flags are in the lower half of the first argument.
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 4));
    filter.push_back(load(offsetof(seccomp_data, args[0])));
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, kNamespaceFlags, 0, 1));
    filter.push_back(give(answer(EPERM)));
    filter.push_back(give(kAllow));
    // socket: not to the host by other ways than the pod's network.
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 5));
    filter.push_back(load(offsetof(seccomp_data, args[0])));
    filter.push_back(unless_equal_skip_one(AF_VSOCK));
    filter.push_back(give(answer(EPERM)));
    filter.push_back(unless_equal_skip_one(AF_ALG));
    filter.push_back(give(answer(EPERM)));
    filter.push_back(give(kAllow));
    return filter;
}

}  // namespace

Result<> install_seccomp_filter(bool one_id) {
    std::vector<sock_filter> filter = build_filter(one_id);
    sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
    if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
        return Error::from_errno("install the seccomp filter");
    }
    return Ok{};
}

}  // namespace kin::netns
