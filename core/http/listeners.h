#pragma once

#include <cstdint>
#include <string>

#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "core/http/message.h"

namespace kin::http {

/// A non-blocking unix socket that listens at `path`, mode 0600. A socket file that nobody serves
/// is replaced; fails with kExists if somebody does.
Result<UniqueFd> listen_at(const std::string& path);

struct TcpListener {
    UniqueFd fd;
    uint16_t port = 0;
};
/// A non-blocking TCP socket that listens on 127.0.0.1, on the first free port from `port` on.
Result<TcpListener> listen_on_loopback(uint16_t port);

/// Who is at the other end of a connected socket: the user on a unix socket, the address on TCP.
Peer peer_of(int fd, Peer::Door door);

}  // namespace kin::http
