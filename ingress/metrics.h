#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "ingress/access_log.h"

namespace kin::ingress {

/// What the proxy counts, under ingress-nginx's names. Owned by the data loop.
class Metrics {
public:
    void count(const AccessRecord& record, std::chrono::steady_clock::time_point ended);
    /// As Prometheus reads it.
    std::string to_text(size_t connections, size_t idle_endpoint_connections) const;

private:
    struct Counters {
        uint64_t requests = 0, request_bytes = 0, response_bytes = 0;
        double seconds = 0;
    };
    // Ingress, path, backend, method, status. Hosts are left out: a client could make up any.
    using Key = std::tuple<std::string, std::string, std::string, std::string, int>;
    struct Before {
        using View =
            std::tuple<std::string_view, std::string_view, std::string_view, std::string_view, int>;
        using is_transparent = void;
        bool operator()(const View& left, const View& right) const { return left < right; }
    };
    std::map<Key, Counters, Before> counters_;
};

}  // namespace kin::ingress
