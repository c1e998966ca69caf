#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <string>

#include "core/base/unique_fd.h"

/// Sockets on 127.0.0.1 for the DNS tests.
namespace kin::test {

inline constexpr int kPatienceMs = 10'000;

inline sockaddr_in loopback(uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}

/// On a port of nobody else's, or on `port` beside those that stand there already.
inline UniqueFd bound_socket(int type, uint16_t port = 0) {
    UniqueFd fd(::socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const auto allow_others = [&] {
        const int on = 1;
        ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    };
    if (port != 0) allow_others();
    sockaddr_in address = loopback(port);
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_TRUE(type != SOCK_STREAM || ::listen(fd.get(), 128) == 0);
    allow_others();
    return fd;
}

inline uint16_t port_of(const UniqueFd& fd) {
    sockaddr_in address{};
    socklen_t length = sizeof address;
    ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length);
    return ntohs(address.sin_port);
}

inline UniqueFd connected(int type, uint16_t port) {
    UniqueFd fd(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
    const sockaddr_in address = loopback(port);
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return fd;
}

/// Up to `size` bytes; "" when the peer closed, or said nothing in time.
inline std::string receive(const UniqueFd& fd, size_t size) {
    pollfd waiting{fd.get(), POLLIN, 0};
    if (::poll(&waiting, 1, kPatienceMs) != 1) return "";
    std::string out(size, '\0');
    const ssize_t count = ::recv(fd.get(), out.data(), size, 0);
    out.resize(static_cast<size_t>(std::max<ssize_t>(count, 0)));
    return out;
}

}  // namespace kin::test
