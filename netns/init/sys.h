#pragma once

#include <linux/sched.h>
#include <sched.h>
#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/base/unique_fd.h"

namespace kin::netns {

/// clone3 without shared memory: 0 in the child, as fork() does, -1 and errno on failure.
/// glibc does not know of the child: it may use memory and files, but must not make threads.
pid_t clone_process(uint64_t flags, int exit_signal);

/// A connected pair of SOCK_SEQPACKET sockets, both close-on-exec.
struct SocketPair {
    UniqueFd left;
    UniqueFd right;
    static Result<SocketPair> create();
};

/// One message and the descriptors that came with it.
struct Packet {
    std::string bytes;
    std::vector<UniqueFd> fds;
    bool end = false;  ///< The peer has gone; nothing else is set.
};

/// Descriptors in one message: the kernel's limit.
constexpr size_t kMaxPacketFds = 253;

Result<> send_packet(int socket, std::string_view bytes, std::span<const int> fds = {});
/// `flags` as for recvmsg. Fails with EAGAIN as error_number() when there is nothing to read with
/// MSG_DONTWAIT, and with kSystem when descriptors were lost to RLIMIT_NOFILE.
Result<Packet> receive_packet(int socket, int flags = 0);

/// Replaces or makes the file.
Result<> write_file(const std::string& path, std::string_view content, mode_t mode = 0644);

/// "killed by signal 9 (Killed)" or "exit code 1", of a status from waitpid().
std::string describe_wait_status(int status);

}  // namespace kin::netns
