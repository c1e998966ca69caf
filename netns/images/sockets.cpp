#include "netns/images/sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "core/base/strings.h"

namespace kin::images {

std::string Peer::to_string() const {
    if (address.find(':') != std::string::npos) return cat("[", address, "]:", port);
    return cat(address, ":", port);
}

Peer peer_of(const sockaddr_storage& storage) {
    char text[INET6_ADDRSTRLEN] = "";
    if (storage.ss_family == AF_INET) {
        const auto& address = reinterpret_cast<const sockaddr_in&>(storage);
        ::inet_ntop(AF_INET, &address.sin_addr, text, sizeof text);
        return {text, ntohs(address.sin_port)};
    }
    const auto& address = reinterpret_cast<const sockaddr_in6&>(storage);
    ::inet_ntop(AF_INET6, &address.sin6_addr, text, sizeof text);
    std::string_view shown = text;
    if (shown.starts_with("::ffff:")) shown.remove_prefix(7);
    return {std::string(shown), ntohs(address.sin6_port)};
}

Result<UniqueFd> open_listener(uint16_t port, int type) {
    UniqueFd fd(::socket(AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const bool six = fd.valid();
    if (!six) fd.reset(::socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd.valid()) return Error::from_errno("socket");
    const int on = 1, off = 0;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_storage storage{};
    socklen_t size = sizeof(sockaddr_in);
    if (six) {
        ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
        auto& address = reinterpret_cast<sockaddr_in6&>(storage);
        address.sin6_family = AF_INET6;
        address.sin6_port = htons(port);
        size = sizeof address;
    } else {
        auto& address = reinterpret_cast<sockaddr_in&>(storage);
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
    }
    if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&storage), size) < 0) {
        return Error::from_errno(cat("bind to port ", port));
    }
    if (type == SOCK_STREAM && ::listen(fd.get(), 511) < 0) {
        return Error::from_errno(cat("listen on port ", port));
    }
    return fd;
}

}  // namespace kin::images
