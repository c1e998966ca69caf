#include "ingress/upstream.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>

namespace kin::ingress {

void SocketStock::take(std::function<void(UniqueFd)> take) {
    if (sockets_.empty() || !waiting_.empty()) {
        waiting_.push_back(std::move(take));
        return order();
    }
    UniqueFd socket = std::move(sockets_.back());
    sockets_.pop_back();
    if (sockets_.size() <= kStock / 2) order();
    take(std::move(socket));
}

void SocketStock::order() {
    if (std::exchange(ordered_, true)) return;
    const size_t count = kStock - std::min(sockets_.size(), kStock) + waiting_.size();
    open_(count,
          lifetime_.bind([this](std::vector<UniqueFd> sockets) { arrived(std::move(sockets)); }));
}

void SocketStock::arrived(std::vector<UniqueFd> sockets) {
    ordered_ = false;
    const bool none = sockets.empty();
    for (UniqueFd& socket : sockets) sockets_.push_back(std::move(socket));
    auto waiting = std::exchange(waiting_, {});
    while (!waiting.empty() && (none || !sockets_.empty())) {
        const auto take = std::move(waiting.front());
        waiting.pop_front();
        UniqueFd socket;
        if (!none) {
            socket = std::move(sockets_.back());
            sockets_.pop_back();
        }
        take(std::move(socket));
    }
    waiting_.splice(waiting_.begin(), waiting);
    if (!waiting_.empty()) order();
}

size_t UpstreamConnection::unacknowledged_bytes() const {
    int bytes = 0;
    return ::ioctl(stream.fd(), SIOCOUTQ, &bytes) == 0 ? static_cast<size_t>(bytes) : 0;
}

Upstreams::Upstreams(Loop& loop, OpenSockets open, Limits limits)
    : loop_(loop), limits_(limits), stock_(std::move(open)) {}

std::unique_ptr<UpstreamConnection> Upstreams::reuse(Endpoint endpoint, bool certain) {
    const auto found = idle_.find(endpoint);
    if (found == idle_.end()) return nullptr;
    while (!found->second.empty()) {
        auto connection = std::move(found->second.back());
        found->second.pop_back();
        --idle_count_;
        if (certain && connection->stream.has_input()) continue;
        connection->on_ready = nullptr;
        return connection;
    }
    return nullptr;
}

void Upstreams::connect(Endpoint endpoint, Connected connected) {
    stock_.take([this, endpoint, connected = std::move(connected)](UniqueFd fd) {
        if (!fd.valid()) return connected(nullptr);
        const int on = 1;
        ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = endpoint.address.network_order();
        address.sin_port = htons(endpoint.port);
        if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
            errno != EINPROGRESS)
            return connected(nullptr);
        connected(std::make_unique<UpstreamConnection>(loop_, std::move(fd), endpoint));
    });
}

void Upstreams::give_back(std::unique_ptr<UpstreamConnection> connection) {
    Idle& idle = idle_[connection->endpoint];
    if (idle.size() >= limits_.idle_per_endpoint || idle_count_ >= limits_.idle) return;
    connection->reused = true;
    connection->idle_since = std::chrono::steady_clock::now();
    // An endpoint has nothing to say now: it closes, or it is not to be trusted.
    connection->on_ready = [this, raw = connection.get()] { drop(raw); };
    connection->stream.rearm(true);
    idle.push_back(std::move(connection));
    ++idle_count_;
}

void Upstreams::drop(const UpstreamConnection* connection) {
    const auto found = idle_.find(connection->endpoint);
    if (found == idle_.end()) return;
    idle_count_ -=
        std::erase_if(found->second, [&](const auto& one) { return one.get() == connection; });
    if (found->second.empty()) idle_.erase(found);
}

void Upstreams::expire(std::chrono::steady_clock::time_point now) {
    for (auto it = idle_.begin(); it != idle_.end();) {
        idle_count_ -= std::erase_if(
            it->second, [&](const auto& one) { return now - one->idle_since > limits_.idle_time; });
        it = it->second.empty() ? idle_.erase(it) : std::next(it);
    }
}

void Upstreams::forget(Endpoint endpoint) {
    const auto found = idle_.find(endpoint);
    if (found == idle_.end()) return;
    idle_count_ -= found->second.size();
    idle_.erase(found);
}

}  // namespace kin::ingress
