#include "netns/router/published_ports.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <list>

#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/loop/relay.h"

namespace kin::netns {

namespace {
constexpr int kPortsToTry = 100;
constexpr size_t kMaxConnections = 1024;  // Of one port; more wait in the kernel's queue.

sockaddr_in socket_address(Ipv4 address, uint16_t port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(port);
    out.sin_addr.s_addr = address.network_order();
    return out;
}

Result<UniqueFd> listen_at(uint16_t port) {
    UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd.valid()) return Error::from_errno("socket");
    const int on = 1;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const sockaddr_in at = socket_address({INADDR_LOOPBACK}, port);
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) < 0) {
        return Error::from_errno("bind");
    }
    if (::listen(fd.get(), 128) < 0) return Error::from_errno("listen");
    return fd;
}

/// In the namespace that the calling thread is in.
Result<UniqueFd> start_connecting(Ipv4 target, uint16_t port) {
    UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd.valid()) return Error::from_errno("socket");
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const sockaddr_in to = socket_address(target, port);
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
        std::erase_if(doors_, [&](const auto& door) {
            return std::ranges::find(wanted, door.first) == wanted.end();
        });
        for (const Publication& what : wanted) {
            if (!doors_.contains(what)) open(what);
        }
        std::vector<Published> now;
        for (const auto& [what, door] : doors_) now.push_back({what, door->port, door->error});
        published_.with([&](auto& published) { published = std::move(now); });
        --on_their_way;
    }
    void close() { doors_.clear(); }
    std::vector<Published> list() const {
        return published_.with([](const auto& published) { return published; });
    }

    std::atomic<int> on_their_way = 0;

private:
    struct Door {
        UniqueFd listener;
        uint16_t port = 0;
        std::string error;
        std::list<std::unique_ptr<Relay>> relays;
        size_t connecting = 0;
        Watch watch;  // Last: it uses the listener.
    };

    void open(const Publication& what) {
        auto door = std::make_unique<Door>();
        for (int step = 0; step < kPortsToTry && !door->listener.valid(); ++step) {
            const int port = what.wished + step;
            if (port > 65'535) break;
            auto listener = listen_at(static_cast<uint16_t>(port));
            if (listener) {
                door->listener = std::move(listener).value();
                door->port = static_cast<uint16_t>(port);
                door->error.clear();
            } else {
                door->error = listener.error().text();
            }
        }
        if (door->listener.valid()) {
            door->watch = data_.watch(door->listener.get(), Readiness::kReadable,
                                      [this, what](int) { accept(what); });
        } else {
            log_warn("router", "no port of 127.0.0.1 is free",
                     {{"service", what.service.to_string()}, {"error", door->error}});
        }
        doors_.emplace(what, std::move(door));
    }

    void accept(const Publication& what) {
        Door& door = *doors_.at(what);
        if (door.relays.size() + door.connecting >= kMaxConnections) return door.watch.set(0);
        UniqueFd client(
            ::accept4(door.listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!client.valid()) return;
        ++door.connecting;
        // Only the control thread enters namespaces.
        control_.post([self = weak_from_this(), what, client = std::move(client)]() mutable {
            const auto doors = self.lock();
            if (doors) doors->connect(what, std::move(client));
        });
    }

    /// On the control thread.
    void connect(const Publication& what, UniqueFd client) {
        auto server =
            router_.netns.enter([&] { return start_connecting(what.target, what.target_port); });
        data_.post([self = weak_from_this(), what, client = std::move(client),
                    server = std::move(server)]() mutable {
            const auto doors = self.lock();
            if (doors) doors->join(what, std::move(client), std::move(server));
        });
    }

    void join(const Publication& what, UniqueFd client, Result<UniqueFd> server) {
        const auto found = doors_.find(what);
        if (found == doors_.end()) return;
        Door& door = *found->second;
        --door.connecting;
        if (!server) {
            log_debug("router", server.error().text(), {{"service", what.service.to_string()}});
            return;
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
    std::map<Publication, std::unique_ptr<Door>> doors_;
    Guarded<std::vector<Published>> published_;
};

PublishedPorts::PublishedPorts(Client& client, Loop& data, NodeLinks& links)
    : data_(data),
      links_(links),
      services_(client.cache<Service>()),
      doors_(std::make_shared<Doors>(data, client.loop(), *links.find("router"))),
      work_(client.loop(), {.name = "published_ports"}, [this] { return update(); }) {
    services_.on_change(lifetime_.bind([this](const CacheChange<Service>& change) {
        const auto publishes = [](const Service* service) {
            return service && (service->type == "NodePort" || service->load_balanced());
        };
        if (publishes(change.before) || publishes(change.now)) work_.mark();
    }));
    client.add_busy_check("published_ports", lifetime_.bind([this] {
        return work_.busy() || doors_->on_their_way != 0;
    }));
}

PublishedPorts::~PublishedPorts() {
    data_.call([this] { doors_->close(); });
}

Result<> PublishedPorts::update() {
    std::vector<Publication> wanted;
    const Ipv4 node = links_.addresses().node(1);
    services_.each([&](const Service& service) {
        for (Publication& what : publications_of(service, node)) wanted.push_back(std::move(what));
    });
    ++doors_->on_their_way;
    data_.post([doors = doors_, wanted = std::move(wanted)] { doors->set(wanted); });
    return Ok{};
}

std::vector<PublishedPorts::Published> PublishedPorts::list() const { return doors_->list(); }

}  // namespace kin::netns
