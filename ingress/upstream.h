#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "core/base/lifetime.h"
#include "ingress/route_table.h"
#include "ingress/stream.h"

namespace kin::ingress {

/// Opens `count` TCP sockets inside the pod, somewhere else, and gives them (perhaps fewer) to
/// `done` on the data loop.
using OpenSockets = std::function<void(size_t count, std::function<void(std::vector<UniqueFd>)>)>;

/// Sockets that were opened inside a pod's network namespace and are not connected yet.
///
/// Only kin-control can enter a namespace, and the data loop cannot wait for it. So some are kept
/// in stock and ordered again, many at once, when half of them are gone: one message to kin-control
/// and back for every kStock / 2 connections, and no wait unless they go faster than those come.
class SocketStock {
public:
    static constexpr size_t kStock = 64;

    explicit SocketStock(OpenSockets open) : open_(std::move(open)) { order(); }

    /// A socket for `take`: at once, or as soon as there is one; an invalid one if none can be
    /// opened. Whoever waits and ends must not be called: bind `take` to a Lifetime.
    void take(std::function<void(UniqueFd)> take);

private:
    void order();
    void arrived(std::vector<UniqueFd> sockets);

    OpenSockets open_;
    std::vector<UniqueFd> sockets_;
    std::list<std::function<void(UniqueFd)>> waiting_;
    bool ordered_ = false;
    Lifetime lifetime_;
};

/// A connection to an endpoint. Whoever uses it is `on_ready`'s.
class UpstreamConnection {
public:
    UpstreamConnection(Loop& loop, UniqueFd fd, Endpoint to)
        : endpoint(to), stream(loop, std::move(fd), nullptr, [this] { on_ready(); }) {}

    const Endpoint endpoint;
    Stream stream;
    std::function<void()> on_ready;
    bool reused = false;     ///< It has carried a request before.
    bool connected = false;  ///< It has taken bytes.
    /// How many of the bytes that it has taken the other end's kernel has not acknowledged; of a
    /// connection that is over: as of its end.
    size_t unacknowledged_bytes() const;
    std::chrono::steady_clock::time_point idle_since{};
};

/// Connections from one pod to endpoints: opens them, and keeps those that are done with one
/// request warm for the next. Owned by the data loop.
class Upstreams {
public:
    struct Limits {
        size_t idle_per_endpoint = 64, idle = 320;
        std::chrono::milliseconds idle_time{60'000};
    };
    Upstreams(Loop& loop, OpenSockets open, Limits limits);

    using Connected = std::function<void(std::unique_ptr<UpstreamConnection>)>;
    /// A warm connection, or nullptr. `certain`: look again whether it still lives, because the
    /// request must not be repeated.
    std::unique_ptr<UpstreamConnection> reuse(Endpoint endpoint, bool certain);
    /// A new connection, begun; nullptr if that failed at once. Bind `connected` to a Lifetime.
    void connect(Endpoint endpoint, Connected connected);
    void give_back(std::unique_ptr<UpstreamConnection> connection);

    /// Closes what has been idle for too long.
    void expire(std::chrono::steady_clock::time_point now);
    /// Closes idle connections to an endpoint that will not be asked again.
    void forget(Endpoint endpoint);
    size_t idle() const { return idle_count_; }

private:
    using Idle = std::vector<std::unique_ptr<UpstreamConnection>>;  // Used last: at the end.
    void drop(const UpstreamConnection* connection);

    Loop& loop_;
    const Limits limits_;
    std::map<Endpoint, Idle> idle_;
    size_t idle_count_ = 0;
    SocketStock stock_;
};

}  // namespace kin::ingress
