#pragma once

#include <string>

#include "core/base/result.h"
#include "core/base/unique_fd.h"

namespace kin::images {

/// Connects within `timeout_ms`. kNotFound: the name has no address; else the kernel's errno is in
/// error_number(), ETIMEDOUT included. Blocks.
Result<UniqueFd> connect_tcp(const std::string& host, const std::string& port, int timeout_ms);

/// One question to a server, as agnhost's /dial asks.
struct DialRequest {
    std::string host;
    std::string port;
    std::string protocol;  ///< "http" or "udp"
    std::string request;   ///< The path without its slash, or the datagram.
    int tries = 1;
    std::string body = {};  ///< HTTP: not empty makes it a POST.
};
/// The answer's body. Blocks for at most about 5 s.
Result<std::string> dial_once(const DialRequest& request);

}  // namespace kin::images
