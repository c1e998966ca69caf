#include "ingress/proxy_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>

#include "core/base/log.h"
#include "core/base/strings.h"

namespace kin::ingress {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

namespace {
constexpr milliseconds kLogInterval{20};
constexpr size_t kMaxLinesWaiting = 100'000;  // For a log that is written slower than it grows.
constexpr milliseconds kAcceptPause{100};
constexpr int kAcceptsPerTurn = 64;
}  // namespace

/// One pod's listeners and connections, on the data loop.
class ProxyServer::ServedPod {
public:
    ServedPod(ProxyServer& server, Pod pod);
    ~ServedPod();

    void tick(Clock::time_point now);
    void drain();
    const ObjectKey& key() const { return key_; }
    /// Something has a deadline.
    bool needs_ticks() const {
        return stopping || !connections_.empty() || site.upstreams.idle() != 0;
    }
    bool drained() const { return connections_.empty() || Clock::now() >= drain_end_; }

    Site site;
    bool stopping = false;

private:
    struct Listener {
        UniqueFd fd;
        Watch watch;
        Timer pause;
    };
    void listen(Door door, UniqueFd fd);
    void accept_some(Door door);
    void rest(Listener& listener);
    void admit(Door door, UniqueFd fd, const sockaddr_in& peer);
    void record(const AccessRecord& record);
    std::string status(std::string_view path) const;

    ProxyServer& server_;
    const ObjectKey key_;
    Metrics metrics_;
    std::vector<std::string> lines_;
    Timer log_timer_;
    Clock::time_point drain_end_;
    std::map<Door, Listener> listeners_;
    Connection::List connections_;
};

struct ProxyServer::Served {
    std::shared_ptr<const RouteTable> routes = std::make_shared<const RouteTable>();
    PublishedPorts published;
    std::unique_ptr<Tls> tls;
    std::list<ServedPod> pods;
    Timer ticker;
};

ProxyServer::ServedPod::ServedPod(ProxyServer& server, Pod pod)
    : site(
          server.data_,
          [&server, key = pod.instance.pod](size_t count,
                                            std::function<void(std::vector<UniqueFd>)> done) {
              server.open_sockets(key, count, std::move(done));
          },
          server.options_.upstreams),
      server_(server),
      key_(pod.instance.pod) {
    site.routes = server.served_->routes;
    site.published = server.served_->published;
    site.patience = server.options_.patience;
    site.record = [this](const AccessRecord& one) { record(one); };
    site.status = [this](std::string_view path) { return status(path); };
    listen(Door::kHttp, std::move(pod.http));
    listen(Door::kHttps, std::move(pod.https));
    listen(Door::kStatus, std::move(pod.status));
}

ProxyServer::ServedPod::~ServedPod() {
    connections_.clear();  // Before what they use.
    if (!lines_.empty()) server_.write_log(key_, std::move(lines_));
}

void ProxyServer::ServedPod::listen(Door door, UniqueFd fd) {
    if (!fd.valid()) return;
    Listener& listener = listeners_[door];
    listener.fd = std::move(fd);
    listener.watch = server_.data_.watch(listener.fd.get(), Readiness::kReadable,
                                         [this, door](int) { accept_some(door); });
}

void ProxyServer::ServedPod::accept_some(Door door) {
    Listener& listener = listeners_[door];
    for (int i = 0; i < kAcceptsPerTurn; ++i) {
        if (connections_.size() >= server_.options_.connections) return rest(listener);
        sockaddr_in peer{};
        socklen_t size = sizeof peer;
        UniqueFd fd(::accept4(listener.fd.get(), reinterpret_cast<sockaddr*>(&peer), &size,
                              SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (fd.valid()) {
            admit(door, std::move(fd), peer);
        } else if (errno != EINTR && errno != ECONNABORTED) {
            if (errno != EAGAIN) rest(listener);
            return;
        }
    }
}

/// Out of descriptors or places: the listener stays ready, so without a pause this would spin.
void ProxyServer::ServedPod::rest(Listener& listener) {
    listener.watch.set(0);
    listener.pause = server_.data_.after(kAcceptPause,
                                         [&listener] { listener.watch.set(Readiness::kReadable); });
}

void ProxyServer::ServedPod::admit(Door door, UniqueFd fd, const sockaddr_in& peer) {
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    http::SslPtr ssl;
    if (door == Door::kHttps) {
        auto accepted = server_.served_->tls->accept(fd.get());
        if (!accepted) {
            log_warn("ingress", accepted.error().text());
            return;
        }
        ssl = std::move(*accepted);
    }
    connections_.push_back(
        std::make_unique<Connection>(site, door, std::move(fd), std::move(ssl),
                                     Ipv4::from_network_order(peer.sin_addr.s_addr).to_string()));
    connections_.back()->start(connections_, std::prev(connections_.end()));
    server_.expect_ticks();
}

void ProxyServer::ServedPod::tick(Clock::time_point now) {
    for (auto it = connections_.begin(); it != connections_.end();) {
        Connection& connection = **it++;  // It may leave the list.
        connection.check(now);
    }
    site.upstreams.expire(now);
}

void ProxyServer::ServedPod::drain() {
    stopping = site.draining = true;
    drain_end_ = Clock::now() + server_.options_.drain;
    listeners_.clear();
    for (auto it = connections_.begin(); it != connections_.end();) {
        Connection& connection = **it++;
        connection.drain();
    }
}

void ProxyServer::ServedPod::record(const AccessRecord& record) {
    const auto now = Clock::now();
    metrics_.count(record, now);
    if (server_.lines_waiting_ + lines_.size() >= kMaxLinesWaiting) return;
    lines_.push_back(to_line(record, std::chrono::system_clock::now(), now));
    if (lines_.size() == 1)
        log_timer_ = server_.data_.after(
            kLogInterval, [this] { server_.write_log(key_, std::exchange(lines_, {})); });
}

std::string ProxyServer::ServedPod::status(std::string_view path) const {
    if (path == "/healthz") return "ok";
    if (path == "/metrics") return metrics_.to_text(connections_.size(), site.upstreams.idle());
    return "";
}

ProxyServer::ProxyServer(Loop& data, Loop& control, Namespaces& namespaces, Options options)
    : data_(data),
      control_(control),
      namespaces_(namespaces),
      options_(options),
      served_(std::make_unique<Served>()) {}

ProxyServer::~ProxyServer() {
    data_.call([this] { served_.reset(); });
    control_.call([] {});  // What was asked of it and still names this object...
    data_.call([] {});     // ...and its answers.
}

void ProxyServer::tick() {
    const auto now = Clock::now();
    for (ServedPod& pod : served_->pods) pod.tick(now);
    served_->pods.remove_if([](const ServedPod& pod) { return pod.stopping && pod.drained(); });
    expect_ticks();
}

/// Deadlines are looked at now and then, while there are any: an idle lab sleeps.
void ProxyServer::expect_ticks() {
    const bool needed = std::any_of(served_->pods.begin(), served_->pods.end(),
                                    [](const ServedPod& pod) { return pod.needs_ticks(); });
    if (!needed || served_->ticker.active()) return;
    served_->ticker = data_.after(options_.tick, [this] { tick(); });
}

void ProxyServer::set_routes(std::shared_ptr<const RouteTable> routes, std::vector<Endpoint> gone) {
    ++on_their_way_;
    data_.post([this, routes = std::move(routes), gone = std::move(gone)] {
        served_->routes = routes;
        if (served_->tls) served_->tls->set_routes(routes);
        for (ServedPod& pod : served_->pods) {
            pod.site.routes = routes;
            for (const Endpoint& endpoint : gone) pod.site.upstreams.forget(endpoint);
        }
        --on_their_way_;
    });
}

void ProxyServer::set_published(PublishedPorts ports) {
    data_.post([this, ports] {
        served_->published = ports;
        for (ServedPod& pod : served_->pods) pod.site.published = ports;
    });
}

Result<> ProxyServer::start(Pod pod) {
    std::unique_ptr<Tls> tls;
    if (!has_tls_) {
        TRY_ASSIGN(tls, Tls::create());
        has_tls_ = true;
    }
    logs_[pod.instance.pod] = pod.instance.log;
    data_.post([this, pod = std::move(pod), tls = std::move(tls)]() mutable {
        if (tls) {
            served_->tls = std::move(tls);
            served_->tls->set_routes(served_->routes);
        }
        served_->pods.emplace_back(*this, std::move(pod));
    });
    return Ok{};
}

void ProxyServer::stop(const ObjectKey& pod) {
    logs_.erase(pod);
    data_.post([this, pod] {
        for (ServedPod& served : served_->pods)
            if (served.key() == pod && !served.stopping) served.drain();
        expect_ticks();
    });
}

void ProxyServer::open_sockets(const ObjectKey& pod, size_t count,
                               std::function<void(std::vector<UniqueFd>)> done) {
    control_.post([this, pod, count, done = std::move(done)] {
        // Shared, because a vector says that it can be copied even if what is in it cannot.
        const auto sockets = std::make_shared<std::vector<UniqueFd>>();
        while (sockets->size() < count) {
            auto socket = namespaces_.open_in_pod(pod, Namespaces::SocketType::kTcp, {}, 0);
            if (!socket) {
                log_warn("ingress", socket.error().text());
                break;
            }
            sockets->push_back(std::move(*socket));
        }
        data_.post([done, sockets] { done(std::move(*sockets)); });
    });
}

void ProxyServer::write_log(const ObjectKey& pod, std::vector<std::string> lines) {
    lines_waiting_ += lines.size();
    control_.post([this, pod, count = lines.size(), text = join(lines, "\n")] {
        const auto log = logs_.find(pod);
        if (log != logs_.end() && log->second) log->second(text);
        lines_waiting_ -= count;
    });
}

}  // namespace kin::ingress
