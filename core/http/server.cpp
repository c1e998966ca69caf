#include "core/http/server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <atomic>
#include <limits>
#include <thread>
#include <unordered_map>

#include "core/base/guarded.h"
#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/http/connection.h"
#include "core/http/listeners.h"
#include "core/http/tls.h"

namespace kin::http {

namespace {
using std::chrono::milliseconds;
using std::chrono::steady_clock;

int64_t now_ms() {
    return std::chrono::duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

constexpr int64_t kHeld = std::numeric_limits<int64_t>::max();  // A worker is at it: no deadline.
constexpr int64_t kExpired = -1;                                // Waited too long: to be closed.
}  // namespace

/// The server's shared part. All workers wait on one epoll set; each event is given to one of
/// them only (EPOLLONESHOT), which owns that connection until it arms it again.
struct Server::Impl {
    /// What an event's pointer leads to.
    struct Waiter {
        enum class Kind { kListener, kConnection, kClock, kStop };
        explicit Waiter(Kind kind_) : kind(kind_) {}
        const Kind kind;
    };
    struct Listener : Waiter {
        Listener(UniqueFd fd_, Peer::Door door_, std::shared_ptr<const TlsContext> tls_)
            : Waiter(Kind::kListener), fd(std::move(fd_)), door(door_), tls(std::move(tls_)) {}
        const UniqueFd fd;
        const Peer::Door door;
        const std::shared_ptr<const TlsContext> tls;
    };
    struct Parked : Waiter {
        Parked(std::unique_ptr<Transport> transport, Peer peer,
               const Connection::Surroundings& surroundings)
            : Waiter(Kind::kConnection),
              connection(std::move(transport), std::move(peer), surroundings) {}
        Connection connection;
        std::atomic<int64_t> deadline_ms = kHeld;
    };
    using Table = std::unordered_map<Parked*, std::unique_ptr<Parked>>;

    ~Impl();
    Result<> open();
    void start_workers();
    Result<> add_listener(UniqueFd fd, Peer::Door door, std::shared_ptr<const TlsContext> tls);
    bool arm(int operation, int fd, uint32_t events, Waiter& waiter) const;

    void work();
    void accept_all(Listener& listener);
    void shed_one(const Listener& listener);
    void admit(UniqueFd fd, const Listener& listener);
    void advance(Parked& parked, Codec& codec);
    void park(Parked& parked, uint32_t events);
    void close(Parked& parked);
    void sweep();
    void wake_sweep_at(int64_t deadline_ms);

    Connection::Surroundings surroundings;
    UniqueFd epoll, clock_fd, stop_fd, spare_fd;
    Waiter clock{Waiter::Kind::kClock};
    Waiter stop{Waiter::Kind::kStop};
    Guarded<std::vector<std::unique_ptr<Listener>>> listeners;
    Guarded<Table> connections;
    Guarded<int64_t> next_sweep_ms{kHeld};
    std::vector<std::thread> workers;
};

Server::Impl::~Impl() {
    ::eventfd_write(stop_fd.get(), 1);
    for (std::thread& worker : workers) worker.join();
}

Result<> Server::Impl::open() {
    epoll.reset(::epoll_create1(EPOLL_CLOEXEC));
    clock_fd.reset(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    stop_fd.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    // Given up for a moment when descriptors run out, to turn a client away instead of spinning.
    spare_fd.reset(::eventfd(0, EFD_CLOEXEC));
    if (!epoll.valid() || !clock_fd.valid() || !stop_fd.valid() || !spare_fd.valid())
        return Error::from_errno("open the server's descriptors");
    surroundings.forget = [this](int fd) { ::epoll_ctl(epoll.get(), EPOLL_CTL_DEL, fd, nullptr); };
    // The stop event is not one-shot: every worker shall see it.
    if (!arm(EPOLL_CTL_ADD, stop_fd.get(), EPOLLIN, stop) ||
        !arm(EPOLL_CTL_ADD, clock_fd.get(), EPOLLIN | EPOLLONESHOT, clock))
        return Error::from_errno("epoll_ctl");
    return Ok{};
}

void Server::Impl::start_workers() {
    for (int i = 0; i < surroundings.options.workers; ++i) {
        workers.emplace_back([this, name = cat(surroundings.options.name, '-', i)] {
            pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
            // OpenSSL writes without MSG_NOSIGNAL; blocked, the signal of a broken pipe is lost
            // with the thread and the write fails with EPIPE.
            sigset_t pipe_only;
            sigemptyset(&pipe_only);
            sigaddset(&pipe_only, SIGPIPE);
            pthread_sigmask(SIG_BLOCK, &pipe_only, nullptr);
            work();
        });
    }
}

bool Server::Impl::arm(int operation, int fd, uint32_t events, Waiter& waiter) const {
    epoll_event event{};
    event.events = events;
    event.data.ptr = &waiter;
    if (operation == EPOLL_CTL_ADD) return ::epoll_ctl(epoll.get(), operation, fd, &event) == 0;
    // The plain system call: once it is armed again, another worker may close `fd` before this
    // call has returned. The kernel holds a reference meanwhile; ThreadSanitizer's epoll_ctl does
    // not know that and calls it a race.
    return ::syscall(SYS_epoll_ctl, epoll.get(), operation, fd, &event) == 0;
}

Result<> Server::Impl::add_listener(UniqueFd fd, Peer::Door door,
                                    std::shared_ptr<const TlsContext> tls) {
    auto listener = std::make_unique<Listener>(std::move(fd), door, std::move(tls));
    return listeners.with([&](auto& all) -> Result<> {
        all.push_back(std::move(listener));
        Listener& added = *all.back();
        if (arm(EPOLL_CTL_ADD, added.fd.get(), EPOLLIN | EPOLLONESHOT, added)) return Ok{};
        all.pop_back();
        return Error::from_errno("epoll_ctl");
    });
}

void Server::Impl::work() {
    Codec codec([this] { return surroundings.refusal(500, "the request could not be served"); });
    while (true) {
        epoll_event event{};
        if (::epoll_wait(epoll.get(), &event, 1, -1) <= 0) continue;
        auto* const waiter = static_cast<Waiter*>(event.data.ptr);
        switch (waiter->kind) {
            case Waiter::Kind::kStop:
                return;
            case Waiter::Kind::kClock:
                sweep();
                break;
            case Waiter::Kind::kListener:
                accept_all(static_cast<Listener&>(*waiter));
                break;
            case Waiter::Kind::kConnection:
                advance(static_cast<Parked&>(*waiter), codec);
                break;
        }
    }
}

void Server::Impl::accept_all(Listener& listener) {
    while (true) {
        UniqueFd fd(::accept4(listener.fd.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (fd.valid()) {
            admit(std::move(fd), listener);
        } else if (errno == EMFILE || errno == ENFILE) {
            shed_one(listener);
        } else if (errno != EINTR && errno != ECONNABORTED) {
            break;
        }
    }
    arm(EPOLL_CTL_MOD, listener.fd.get(), EPOLLIN | EPOLLONESHOT, listener);
}

void Server::Impl::shed_one(const Listener& listener) {
    log_warn("http", "no file descriptor left: a client was turned away");
    spare_fd.reset();
    const UniqueFd turned_away(::accept4(listener.fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
    spare_fd.reset(::eventfd(0, EFD_CLOEXEC));
}

void Server::Impl::admit(UniqueFd fd, const Listener& listener) {
    Peer peer = peer_of(fd.get(), listener.door);
    SslPtr ssl;
    if (listener.tls) {
        auto made = listener.tls->accept(fd.get());
        if (!made) return log_warn("http", made.error().text());
        ssl = std::move(*made);
    }
    if (listener.door != Peer::Door::kUnix) {
        const int on = 1;  // Small watch events must not wait for acknowledgements.
        ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    auto parked = std::make_unique<Parked>(
        std::make_unique<Transport>(std::move(fd), std::move(ssl)), std::move(peer), surroundings);
    Parked& added = *parked;
    const bool room = connections.with([&](Table& table) {
        if (table.size() >= surroundings.options.max_connections) return false;
        table.emplace(&added, std::move(parked));
        return true;
    });
    if (!room) return log_warn("http", "too many connections: a client was turned away");
    const int64_t deadline = now_ms() + added.connection.patience().count();
    added.deadline_ms = deadline;
    const int added_fd = added.connection.fd();
    if (!arm(EPOLL_CTL_ADD, added_fd, EPOLLIN | EPOLLRDHUP | EPOLLONESHOT, added))
        return close(added);
    wake_sweep_at(deadline);
}

void Server::Impl::advance(Parked& parked, Codec& codec) {
    if (parked.deadline_ms.exchange(kHeld) == kExpired) return close(parked);
    switch (parked.connection.advance(codec)) {
        case Connection::Next::kWaitReadable:
            return park(parked, EPOLLIN | EPOLLRDHUP);
        case Connection::Next::kWaitWritable:
            return park(parked, EPOLLOUT);
        case Connection::Next::kClose:
        case Connection::Next::kHandedOver:
            return close(parked);
    }
}

void Server::Impl::park(Parked& parked, uint32_t events) {
    const int fd = parked.connection.fd();
    const int64_t deadline = now_ms() + parked.connection.patience().count();
    parked.deadline_ms = deadline;
    arm(EPOLL_CTL_MOD, fd, events | EPOLLONESHOT, parked);
    // From here on another worker may own it.
    wake_sweep_at(deadline);
}

void Server::Impl::close(Parked& parked) {
    // Ends outside the lock, but after sweep() can still have seen it.
    const auto last = connections.with([&](Table& table) {
        auto found = table.extract(&parked);
        return std::move(found.mapped());
    });
}

void Server::Impl::sweep() {
    uint64_t expirations = 0;
    [[maybe_unused]] const ssize_t got = ::read(clock_fd.get(), &expirations, sizeof expirations);
    next_sweep_ms.with([](int64_t& next) { next = kHeld; });
    const int64_t now = now_ms();
    int64_t soonest = kHeld;
    connections.with([&](Table& table) {
        for (auto& [key, parked] : table) {
            int64_t deadline = parked->deadline_ms;
            if (deadline == kExpired) continue;
            if (deadline > now) {
                soonest = std::min(soonest, deadline);
            } else if (parked->deadline_ms.compare_exchange_strong(deadline, kExpired)) {
                // Wakes whoever waits for it, who then closes it.
                ::shutdown(parked->connection.fd(), SHUT_RDWR);
            }
        }
    });
    arm(EPOLL_CTL_MOD, clock_fd.get(), EPOLLIN | EPOLLONESHOT, clock);
    if (soonest != kHeld) wake_sweep_at(soonest);
}

void Server::Impl::wake_sweep_at(int64_t deadline_ms) {
    next_sweep_ms.with([&](int64_t& next) {
        if (deadline_ms >= next) return;
        next = deadline_ms;
        const int64_t at = deadline_ms + 1;
        itimerspec when{};
        when.it_value.tv_sec = at / 1000;
        when.it_value.tv_nsec = (at % 1000) * 1'000'000;
        ::timerfd_settime(clock_fd.get(), TFD_TIMER_ABSTIME, &when, nullptr);
    });
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::create(Options options, Handler handler) {
    auto impl = std::make_unique<Impl>();
    impl->surroundings.options = std::move(options);
    impl->surroundings.handler = std::move(handler);
    TRY(impl->open());
    impl->start_workers();
    return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Result<> Server::listen_unix(const std::string& path) {
    TRY_ASSIGN(UniqueFd fd, listen_at(path));
    return impl_->add_listener(std::move(fd), Peer::Door::kUnix, nullptr);
}

Result<uint16_t> Server::listen_tls(uint16_t port, std::shared_ptr<const TlsContext> tls) {
    TRY_ASSIGN(TcpListener listener, listen_on_loopback(port));
    TRY(impl_->add_listener(std::move(listener.fd), Peer::Door::kTls, std::move(tls)));
    return listener.port;
}

Result<uint16_t> Server::listen_plain(uint16_t port) {
    TRY_ASSIGN(TcpListener listener, listen_on_loopback(port));
    TRY(impl_->add_listener(std::move(listener.fd), Peer::Door::kPlain, nullptr));
    return listener.port;
}

Result<> Server::adopt(UniqueFd listening, std::shared_ptr<const TlsContext> tls) {
    const auto door = tls ? Peer::Door::kTls : Peer::Door::kPlain;
    return impl_->add_listener(std::move(listening), door, std::move(tls));
}

size_t Server::connection_count() const {
    return impl_->connections.with([](const auto& table) { return table.size(); });
}

}  // namespace kin::http
