#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ingress/route_table.h"

namespace kin::ingress {

/// What one request is remembered by. Views point into what lives until the request is over.
struct AccessRecord {
    std::string_view client;              ///< "203.0.113.7"
    std::string_view request;             ///< "GET /a HTTP/1.1", as sent
    std::string_view method, host, path;  ///< path: the Ingress's, not the request's
    std::string_view referer, user_agent;
    std::string_view request_id;
    std::string_view backend;  ///< "shop/web:80"; "": nobody's
    std::string_view ingress;  ///< "shop/web"; "": nobody's
    int status = 0;
    uint64_t request_bytes = 0;  ///< head and body
    uint64_t body_bytes = 0;     ///< of the response
    std::chrono::steady_clock::time_point began{};

    struct Try {
        Endpoint endpoint;
        int status = 0;  ///< 0: no answer
        uint64_t bytes = 0;
        std::chrono::steady_clock::time_point began{}, ended{};
    };
    std::vector<Try> tries;
};

/// The record as ingress-nginx's log-format-upstream has it. What a client wrote is escaped, so
/// that it cannot forge a line.
std::string to_line(const AccessRecord& record, std::chrono::system_clock::time_point at,
                    std::chrono::steady_clock::time_point ended);

}  // namespace kin::ingress
