#include "netns/init/sys.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "core/base/strings.h"

namespace kin::netns {

pid_t clone_process(uint64_t flags, int exit_signal) {
    clone_args args{};
    args.flags = flags;
    args.exit_signal = static_cast<uint64_t>(exit_signal);
    return static_cast<pid_t>(::syscall(SYS_clone3, &args, sizeof args));
}

Result<SocketPair> SocketPair::create() {
    int fds[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0) {
        return Error::from_errno("socketpair");
    }
    return SocketPair{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

Result<> send_packet(int socket, std::string_view bytes, std::span<const int> fds) {
    if (fds.size() > kMaxPacketFds) {
        return Error(Errc::kInvalid,
                     cat(fds.size(), " descriptors in one message; the limit is ", kMaxPacketFds));
    }
    iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxPacketFds)];
    if (!fds.empty()) {
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(fds.size_bytes());
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(fds.size_bytes());
        std::memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes());
    }
    while (::sendmsg(socket, &message, MSG_NOSIGNAL) < 0) {
        if (errno != EINTR) return Error::from_errno("sendmsg");
    }
    return Ok{};
}

static std::vector<UniqueFd> take_fds(msghdr& message) {
    std::vector<UniqueFd> fds;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; ++i) {
            int fd;
            std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
            fds.emplace_back(fd);
        }
    }
    return fds;
}

Result<Packet> receive_packet(int socket, int flags) {
    static char buffer[64 << 10];  // Static: PID 1 and its clones have small stacks to copy.
    iovec part{buffer, sizeof buffer};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxPacketFds)];
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    ssize_t length;
    do {
        length = ::recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
    } while (length < 0 && errno == EINTR);
    if (length < 0) {
        if (errno == ECONNRESET) return Packet{{}, {}, true};
        return Error::from_errno("recvmsg");
    }
    Packet packet;
    packet.fds = take_fds(message);
    // The kernel drops what exceeds RLIMIT_NOFILE without an error.
    if (message.msg_flags & MSG_CTRUNC) {
        return Error(Errc::kSystem, "descriptors were lost: too many open files");
    }
    packet.bytes.assign(buffer, static_cast<size_t>(length));
    packet.end = length == 0;
    return packet;
}

Result<> write_file(const std::string& path, std::string_view content, mode_t mode) {
    UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
    if (!fd.valid()) return Error::from_errno(cat("open ", path));
    while (!content.empty()) {
        const ssize_t length = ::write(fd.get(), content.data(), content.size());
        if (length < 0) return Error::from_errno(cat("write ", path));
        content.remove_prefix(static_cast<size_t>(length));
    }
    return Ok{};
}

std::string describe_wait_status(int status) {
    if (WIFSIGNALED(status)) {
        return cat("killed by signal ", WTERMSIG(status), " (", ::strsignal(WTERMSIG(status)), ")");
    }
    return cat("exit code ", WEXITSTATUS(status));
}

}  // namespace kin::netns
