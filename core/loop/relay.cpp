#include "core/loop/relay.h"

#include <sys/socket.h>

#include <cerrno>

namespace kin {

namespace {
constexpr size_t kMaxWaiting = 64 * 1024;

bool is_passing(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }
}  // namespace

Relay::Relay(Loop& loop, UniqueFd left, UniqueFd right, std::function<void()> ended)
    : ended_(std::move(ended)) {
    left_.fd = std::move(left);
    right_.fd = std::move(right);
    // Writable tells that a connection stands; until then nothing is read from the other side.
    left_.watch = loop.watch(left_.fd.get(), Readiness::kWritable,
                             [this](int events) { on_ready(left_, right_, events); });
    right_.watch = loop.watch(right_.fd.get(), Readiness::kWritable,
                              [this](int events) { on_ready(right_, left_, events); });
}

bool Relay::check_connected(Side& side) {
    if (side.connected) return true;
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(side.fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    side.connected = error == 0;
    return side.connected;
}

bool Relay::read(Side& side) {
    Flow& flow = side.flow;
    if (flow.read_end || flow.waiting.size() >= kMaxWaiting) return true;
    const size_t before = flow.waiting.size();
    flow.waiting.resize(kMaxWaiting);
    const ssize_t count =
        ::recv(side.fd.get(), flow.waiting.data() + before, kMaxWaiting - before, MSG_DONTWAIT);
    flow.waiting.resize(before + static_cast<size_t>(count > 0 ? count : 0));
    if (count < 0) return is_passing(errno);
    if (count == 0) flow.read_end = true;
    return true;
}

bool Relay::write(Side& from, Side& to) {
    Flow& flow = from.flow;
    if (!to.connected) return true;
    if (!flow.waiting.empty()) {
        const ssize_t count = ::send(to.fd.get(), flow.waiting.data(), flow.waiting.size(),
                                     MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count < 0) return is_passing(errno);
        flow.waiting.erase(0, static_cast<size_t>(count));
    }
    if (flow.waiting.empty() && flow.read_end && !flow.passed_on) {
        ::shutdown(to.fd.get(), SHUT_WR);
        flow.passed_on = true;
    }
    return true;
}

void Relay::on_ready(Side& side, Side& other, int events) {
    if (!check_connected(side)) return end(true);
    if ((events & Readiness::kReadable) != 0 && !read(side)) return end(true);
    if (!write(side, other) || !write(other, side)) return end(true);
    if (side.flow.passed_on && other.flow.passed_on) return end(false);
    rearm(side, other);
    rearm(other, side);
}

void Relay::rearm(Side& side, const Side& other) {
    const bool hears = !side.flow.read_end && side.flow.waiting.size() < kMaxWaiting;
    const bool says = !side.connected || !other.flow.waiting.empty();
    side.watch.set((hears && side.connected ? Readiness::kReadable : 0) |
                   (says ? Readiness::kWritable : 0));
}

void Relay::end(bool broken) {
    if (broken) {
        // Whoever is left shall see a reset, not an end of data that looks like success.
        const linger now{1, 0};
        for (const Side* side : {&left_, &right_})
            ::setsockopt(side->fd.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    left_.watch.cancel();
    right_.watch.cancel();
    left_.fd.reset();
    right_.fd.reset();
    const auto ended = std::move(ended_);
    if (ended) ended();  // This object may be gone now.
}

}  // namespace kin
