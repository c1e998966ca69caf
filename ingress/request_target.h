#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "core/http/head.h"

namespace kin::ingress {

/// Where a request wants to go. Views point into the head's text.
struct RequestTarget {
    std::string_view host;       ///< As sent, "Shop.example.com:8080"; "" only of HTTP/1.0.
    std::string_view host_name;  ///< The same without port and final dot.
    std::string_view host_port;  ///< "8080", or "".
    std::string_view raw;        ///< Path and query as sent, "/a%20b?c=d".
    std::string_view query;      ///< Without '?'.
    std::string path;            ///< Decoded, without dot segments and doubled slashes.
};

/// Reads target and Host together, strictly: an absolute target must name the same host, and a path
/// that leads out of the root, or that two readers could read as two paths, is refused.
std::variant<RequestTarget, http::Refusal> read_target(const http::RequestHead& head);

/// Percent-encodes what may not stand in a path as it is.
std::string encode_path(std::string_view path);

}  // namespace kin::ingress
