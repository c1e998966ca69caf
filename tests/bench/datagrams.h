#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <string>

#include "core/base/unique_fd.h"

namespace kin::bench {

inline constexpr unsigned kBatch = 64;

/// Room for as many datagrams as one system call moves.
struct Datagrams {
    static constexpr size_t kSize = 1232;

    Datagrams() {
        for (unsigned i = 0; i < kBatch; ++i) {
            parts[i] = {bytes[i].data(), kSize};
            messages[i] = {};
            messages[i].msg_hdr.msg_iov = &parts[i];
            messages[i].msg_hdr.msg_iovlen = 1;
        }
    }
    Datagrams(const Datagrams&) = delete;
    Datagrams& operator=(const Datagrams&) = delete;

    std::array<std::array<char, kSize>, kBatch> bytes;
    std::array<iovec, kBatch> parts;
    std::array<sockaddr_in, kBatch> peers;
    std::array<mmsghdr, kBatch> messages;
};

/// A failure ends the process.
sockaddr_in socket_address(const std::string& address, int port);
UniqueFd datagram_socket();

}  // namespace kin::bench
