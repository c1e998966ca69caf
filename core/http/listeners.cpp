#include "core/http/listeners.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "core/base/ip.h"
#include "core/base/strings.h"

namespace kin::http {

namespace {
constexpr int kBacklog = 1024;
constexpr int kPortsToTry = 100;

Result<sockaddr_un> unix_address(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path)
        return Error(Errc::kInvalid, cat("socket path of ", path.size(), " bytes: at most ",
                                         sizeof address.sun_path - 1, " fit: ", path));
    path.copy(address.sun_path, path.size());
    return address;
}

/// Removes a socket file that was left behind; kExists if a server answers there.
Result<> make_way(const std::string& path, const sockaddr_un& address) {
    struct stat found {};
    if (::lstat(path.c_str(), &found) < 0) return Ok{};
    if (!S_ISSOCK(found.st_mode))
        return Error(Errc::kExists, cat(path, " exists and is not a socket"));
    const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
        return Error(Errc::kExists, cat("somebody serves ", path, " already"));
    if (::unlink(path.c_str()) < 0 && errno != ENOENT)
        return Error::from_errno(cat("unlink ", path));
    return Ok{};
}
}  // namespace

Result<UniqueFd> listen_at(const std::string& path) {
    TRY_ASSIGN(const sockaddr_un address, unix_address(path));
    TRY(make_way(path, address));
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd.valid()) return Error::from_errno("socket");
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
        return Error::from_errno(cat("bind ", path));
    // Before listen(): until then nobody can connect, whatever the umask left open.
    if (::chmod(path.c_str(), 0600) < 0) return Error::from_errno(cat("chmod ", path));
    if (::listen(fd.get(), kBacklog) < 0) return Error::from_errno(cat("listen on ", path));
    return fd;
}

Result<TcpListener> listen_on_loopback(uint16_t port) {
    for (int tried = 0; tried < kPortsToTry && port + tried <= 65535; ++tried) {
        UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        if (!fd.valid()) return Error::from_errno("socket");
        const int on = 1;
        ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(static_cast<uint16_t>(port + tried));
        socklen_t size = sizeof address;
        auto* const generic = reinterpret_cast<sockaddr*>(&address);
        if (::bind(fd.get(), generic, size) == 0 && ::listen(fd.get(), kBacklog) == 0) {
            ::getsockname(fd.get(), generic, &size);
            return TcpListener{std::move(fd), ntohs(address.sin_port)};
        }
        if (errno != EADDRINUSE || port == 0)
            return Error::from_errno(cat("listen on 127.0.0.1:", port + tried));
    }
    return Error(Errc::kExists, cat("no free port on 127.0.0.1 from ", port, " on"));
}

Peer peer_of(int fd, Peer::Door door) {
    Peer peer;
    peer.door = door;
    if (door == Peer::Door::kUnix) {
        ucred credentials{};
        socklen_t size = sizeof credentials;
        if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0)
            peer.uid = credentials.uid;
        return peer;
    }
    sockaddr_in address{};
    socklen_t size = sizeof address;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0 &&
        address.sin_family == AF_INET)
        peer.address =
            cat(Ipv4::from_network_order(address.sin_addr.s_addr), ':', ntohs(address.sin_port));
    return peer;
}

}  // namespace kin::http
