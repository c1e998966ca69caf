#include "netns/router/published_ports.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <list>

#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/loop/relay.h"
#include "netns/router/balancer_plan.h"
#include "netns/router/datagram_relay.h"

namespace kin::netns {

namespace {
constexpr int kPortsToTry = 100;
constexpr size_t kMaxConnections = 1024;  // Of one port; more wait in the kernel's queue.
constexpr std::chrono::seconds kTryAgain{3};

sockaddr_in socket_address(Ipv4 address, uint16_t port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(port);
    out.sin_addr.s_addr = address.network_order();
    return out;
}

int socket_type(Protocol protocol) {
    const int type = protocol == Protocol::kUdp ? SOCK_DGRAM : SOCK_STREAM;
    return type | SOCK_NONBLOCK | SOCK_CLOEXEC;
}

Result<UniqueFd> open_at(Protocol protocol, uint16_t port) {
    UniqueFd fd(::socket(AF_INET, socket_type(protocol), 0));
    if (!fd.valid()) return Error::from_errno("socket");
    const int on = 1;
    // For UDP it would let two sockets have one port.
    if (protocol == Protocol::kTcp) {
        ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    }
    const sockaddr_in at = socket_address({INADDR_LOOPBACK}, port);
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) < 0) {
        return Error::from_errno("bind");
    }
    if (protocol == Protocol::kTcp && ::listen(fd.get(), 128) < 0) {
        return Error::from_errno("listen");
    }
    return fd;
}

/// In the namespace that the calling thread is in.
Result<UniqueFd> start_connecting(const Publication& what) {
    UniqueFd fd(::socket(AF_INET, socket_type(what.protocol), 0));
    if (!fd.valid()) return Error::from_errno("socket");
    const int on = 1;
    if (what.protocol == Protocol::kTcp) {
        ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    const sockaddr_in to = socket_address(what.target, what.target_port);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) < 0 &&
        errno != EINPROGRESS) {
        return Error::from_errno("connect");
    }
    return fd;
}
}  // namespace

/// The host's side, on the data loop but for list() and on_their_way.
class PublishedPorts::Doors : public std::enable_shared_from_this<Doors> {
public:
    Doors(Loop& data, Loop& control, KernelNode& router)
        : data_(data), control_(control), router_(router) {}

    /// From now on exactly these are open.
    void set(const std::vector<Publication>& wanted) {
        std::map<Publication, Publication> by_door;
        for (const Publication& what : wanted) by_door.emplace(what.door(), what);
        std::erase_if(doors_, [&](const auto& door) { return !by_door.contains(door.first); });
        for (const auto& [key, what] : by_door) {
            auto& door = doors_[key];
            if (!door) door = std::make_unique<Door>();
            const bool moved = std::exchange(door->what, what).target != what.target;
            if (moved && door->datagrams) door->datagrams->forget_clients();
        }
        open_closed();
        --on_their_way;
    }
    void close() {
        retry_.cancel();
        doors_.clear();
    }
    std::vector<Published> list() const {
        return published_.with([](const auto& published) { return published; });
    }

    std::atomic<int> on_their_way = 0;
    std::function<void(const std::vector<Published>&)> changed;

private:
    struct Door {
        Publication what;
        uint16_t port = 0;  // 0: closed, because of `error`.
        std::string error;
        UniqueFd listener;  // TCP.
        std::list<std::unique_ptr<Relay>> relays;
        size_t connecting = 0;
        std::unique_ptr<DatagramRelay> datagrams;  // UDP.
        Watch watch;                               // Last: it uses the listener.
    };

    /// Opens what is not open; what still is not by then, because others on this host have all
    /// ports, is tried again later.
    void open_closed() {
        bool all = true;
        std::vector<Published> now;
        for (const auto& [key, door] : doors_) {
            if (door->port == 0) open(key, *door);
            all = all && door->port != 0;
            now.push_back({door->what, door->port, door->error});
        }
        if (changed) changed(now);
        published_.with([&](auto& published) { published = std::move(now); });
        retry_.cancel();
        if (!all) retry_ = data_.after(kTryAgain, [this] { open_closed(); });
    }

    void open(const Publication& key, Door& door) {
        const bool first = door.error.empty();
        for (int step = 0; step < kPortsToTry; ++step) {
            const int port = key.wished + step;
            if (port > 65'535) break;
            auto socket = open_at(key.protocol, static_cast<uint16_t>(port));
            if (!socket) {
                door.error = socket.error().text();
                continue;
            }
            door.port = static_cast<uint16_t>(port);
            door.error.clear();
            return serve(key, door, std::move(socket).value());
        }
        if (first) {
            log_warn("router", "no port of 127.0.0.1 is free",
                     {{"service", key.service.to_string()}, {"error", door.error}});
        }
    }

    void serve(const Publication& key, Door& door, UniqueFd socket) {
        if (key.protocol == Protocol::kUdp) {
            door.datagrams = std::make_unique<DatagramRelay>(
                data_, std::move(socket),
                [this, &door](DatagramRelay::Answer answer) { connect(door.what, answer); });
            return;
        }
        door.listener = std::move(socket);
        door.watch = data_.watch(door.listener.get(), Readiness::kReadable,
                                 [this, key](int) { accept(key); });
    }

    void accept(const Publication& key) {
        Door& door = *doors_.at(key);
        if (door.relays.size() + door.connecting >= kMaxConnections) return door.watch.set(0);
        auto client = std::make_shared<UniqueFd>(
            ::accept4(door.listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!client->valid()) return;
        ++door.connecting;
        connect(door.what, [this, key, client](Result<UniqueFd> server) {
            join(key, std::move(*client), std::move(server));
        });
    }

    /// A socket to the Service, made on the control thread: only that one enters namespaces.
    /// `done` is called on the data loop, if this object is still there.
    void connect(const Publication& what, DatagramRelay::Answer done) {
        control_.post([self = weak_from_this(), what, done = std::move(done)] {
            const auto doors = self.lock();
            if (!doors) return;
            auto server = doors->router_.netns.enter([&] { return start_connecting(what); });
            doors->data_.post([self, done, server = std::move(server)]() mutable {
                if (self.lock()) done(std::move(server));
            });
        });
    }

    void join(const Publication& key, UniqueFd client, Result<UniqueFd> server) {
        const auto found = doors_.find(key);
        if (found == doors_.end()) return;
        Door& door = *found->second;
        --door.connecting;
        if (!server) {
            log_debug("router", server.error().text(), {{"service", key.service.to_string()}});
            return door.watch.set(Readiness::kReadable);
        }
        const auto place = door.relays.emplace(door.relays.end());
        *place = std::make_unique<Relay>(data_, std::move(client), std::move(server).value(),
                                         [&door, place] {
                                             door.relays.erase(place);
                                             door.watch.set(Readiness::kReadable);
                                         });
    }

    Loop& data_;
    Loop& control_;
    KernelNode& router_;
    std::map<Publication, std::unique_ptr<Door>> doors_;  // By Publication::door().
    Timer retry_;
    Guarded<std::vector<Published>> published_;
};

namespace {
bool publishes(const Service* service) {
    return service && (service->type == "NodePort" || service->load_balanced());
}
}  // namespace

PublishedPorts::PublishedPorts(Client& client, Loop& data, NodeLinks& links)
    : data_(data),
      links_(links),
      services_(client.cache<Service>()),
      nodes_(client.cache<Node>()),
      slices_(client,
              [this](const ObjectKey& key) {
                  const Service* service = services_.find(key);
                  if (publishes(service) && service->external_local) work_.mark();
              }),
      doors_(std::make_shared<Doors>(data, client.loop(), *links.find("router"))),
      work_(client.loop(), {.name = "published_ports"}, [this] { return update(); }) {
    services_.on_change(lifetime_.bind([this](const CacheChange<Service>& change) {
        if (publishes(change.before) || publishes(change.now)) work_.mark();
    }));
    nodes_.on_change(lifetime_.bind([this](const CacheChange<Node>& change) {
        const bool before = change.before && takes_traffic(*change.before);
        const bool now = change.now && takes_traffic(*change.now);
        if (before != now) work_.mark();
    }));
    client.add_busy_check("published_ports", lifetime_.bind([this] {
        return work_.busy() || doors_->on_their_way != 0;
    }));
}

PublishedPorts::~PublishedPorts() {
    data_.call([this] { doors_->close(); });
}

Result<> PublishedPorts::update() {
    std::vector<std::string> nodes;
    for (const KernelNode* node : links_.nodes()) {
        const Node* registered = nodes_.find({"", node->name});
        if (registered && takes_traffic(*registered)) nodes.push_back(node->name);
    }
    std::vector<Publication> wanted;
    services_.each([&](const Service& service) {
        if (!publishes(&service)) return;
        const auto behind = nodes_behind(service, slices_.of(service.key()), nodes);
        const Ipv4 node = links_.addresses().node(behind.empty() ? 1 : node_number(behind.front()));
        for (Publication& what : publications_of(service, node)) wanted.push_back(std::move(what));
    });
    ++doors_->on_their_way;
    data_.post([doors = doors_, wanted = std::move(wanted)] { doors->set(wanted); });
    return Ok{};
}

std::vector<PublishedPorts::Published> PublishedPorts::list() const { return doors_->list(); }

void PublishedPorts::on_change(std::function<void(const std::vector<Published>&)> changed) {
    doors_->changed = std::move(changed);
}

}  // namespace kin::netns
