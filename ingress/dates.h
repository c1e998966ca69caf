#pragma once

#include <chrono>
#include <string>

namespace kin::ingress {

/// Both are made once a second, and kept for each thread.
const std::string& http_date(std::chrono::system_clock::time_point at);  ///< RFC 9110 5.6.7
const std::string& log_date(std::chrono::system_clock::time_point at);   ///< as nginx logs it, UTC

}  // namespace kin::ingress
