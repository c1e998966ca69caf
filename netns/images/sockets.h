#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "core/base/result.h"
#include "core/base/unique_fd.h"

namespace kin::images {

/// Where a datagram or a connection comes from.
struct Peer {
    std::string address;  ///< An IPv4 client is written as one.
    uint16_t port = 0;
    std::string to_string() const;  ///< "10.244.1.7:40123"
};

Peer peer_of(const sockaddr_storage& storage);

/// A socket on every address, of SOCK_STREAM (it listens) or SOCK_DGRAM: for both families, or IPv4
/// alone where the kernel has no IPv6. kSystem: the port is taken.
Result<UniqueFd> open_listener(uint16_t port, int type);

}  // namespace kin::images
