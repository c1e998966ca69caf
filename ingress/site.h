#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "ingress/access_log.h"
#include "ingress/proxy.h"
#include "ingress/upstream.h"

namespace kin::ingress {

/// How long the proxy waits for a client. For endpoints a Location's options say it.
struct Patience {
    std::chrono::milliseconds handshake{15'000};
    std::chrono::milliseconds head{10'000};   ///< From its first byte to its last: 408.
    std::chrono::milliseconds idle{75'000};   ///< Between two requests.
    std::chrono::milliseconds send{60'000};   ///< For a client that reads nothing.
    std::chrono::milliseconds linger{2'000};  ///< For what a client still sends after the end.
};

/// What all connections of one pod share. Owned by the data loop.
struct Site {
    Site(Loop& on, OpenSockets open, Upstreams::Limits limits)
        : loop(on), upstreams(on, std::move(open), limits) {}

    Loop& loop;
    Upstreams upstreams;
    std::shared_ptr<const RouteTable> routes;
    PublishedPorts published;
    Patience patience;
    bool draining = false;  ///< The pod stops: what is under way ends, nothing new begins.
    std::function<void(const AccessRecord&)> record;
    /// What the status port answers at `path`; "" for 404.
    std::function<std::string(std::string_view path)> status;
    std::vector<char> buffer = std::vector<char>(128u << 10);  ///< For one read at a time.

    /// Which of its endpoints a backend's next request goes to first.
    size_t next_turn(const Backend& backend) { return turns_[backend.name]++; }
    void forget_turns() { turns_.clear(); }
    /// 32 hexadecimal digits.
    std::string make_request_id();

private:
    // By name, so that a changed table does not begin with the first endpoint again.
    std::unordered_map<std::string, size_t> turns_;
    std::mt19937_64 random_{std::random_device{}()};
};

}  // namespace kin::ingress
