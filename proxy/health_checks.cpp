#include "proxy/health_checks.h"

#include <sys/socket.h>

#include <chrono>
#include <list>

#include "core/base/json.h"
#include "core/base/strings.h"

namespace kin::proxy {

namespace {
constexpr size_t kMaxRequest = 8 * 1024;
constexpr size_t kMaxConnections = 64;  // Of one port.
constexpr std::chrono::seconds kPatience{5};
}  // namespace

std::string health_answer(const HealthCheck& check) {
    const bool healthy = check.local_endpoints > 0;
    const std::string body =
        to_text({{"service", {{"namespace", check.service.ns}, {"name", check.service.name}}},
                 {"localEndpoints", check.local_endpoints},
                 {"serviceProxyHealthy", true}});
    return cat("HTTP/1.1 ", healthy ? "200 OK" : "503 Service Unavailable",
               "\r\nContent-Type: application/json\r\nX-Content-Type-Options: nosniff\r\n"
               "X-Load-Balancing-Endpoint-Weight: ",
               check.local_endpoints, "\r\nContent-Length: ", body.size(),
               "\r\nConnection: close\r\n\r\n", body);
}

/// On the data loop.
class HealthChecks::Server {
public:
    explicit Server(Loop& loop) : loop_(loop) {}

    void open(const Place& place, UniqueFd listener, const HealthCheck& check) {
        auto port = std::make_unique<Port>(Port{loop_, check, std::move(listener), {}, {}});
        Port* const opened = port.get();
        port->watch = loop_.watch(port->listener.get(), Readiness::kReadable,
                                  [opened](int) { opened->accept(); });
        ports_[place] = std::move(port);
    }
    void update(const Place& place, const HealthCheck& check) {
        if (const auto port = ports_.find(place); port != ports_.end()) port->second->check = check;
    }
    void close(const Place& place) { ports_.erase(place); }
    void close_all() { ports_.clear(); }

private:
    struct Connection {
        UniqueFd fd;
        std::string request;
        Timer patience;
        Watch watch;
    };
    /// One request, one answer, one connection: a load balancer asks every few seconds.
    struct Port {
        Loop& loop;
        HealthCheck check;
        UniqueFd listener;
        std::list<Connection> connections;
        Watch watch;

        void accept() {
            UniqueFd fd(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
            if (!fd.valid() || connections.size() >= kMaxConnections) return;
            const auto self = connections.insert(connections.end(), Connection{});
            self->fd = std::move(fd);
            self->patience = loop.after(kPatience, [this, self] { connections.erase(self); });
            self->watch = loop.watch(self->fd.get(), Readiness::kReadable,
                                     [this, self](int) { on_readable(self); });
        }
        void on_readable(std::list<Connection>::iterator self) {
            char buffer[1024];
            const ssize_t count = ::recv(self->fd.get(), buffer, sizeof buffer, MSG_DONTWAIT);
            if (count > 0) self->request.append(buffer, static_cast<size_t>(count));
            if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
            const bool whole = self->request.find("\r\n\r\n") != std::string::npos;
            if (!whole && count > 0 && self->request.size() < kMaxRequest) return;
            if (whole) {
                const std::string answer = health_answer(check);  // Fits any socket's buffer.
                ::send(self->fd.get(), answer.data(), answer.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
                ::shutdown(self->fd.get(), SHUT_WR);
            }
            connections.erase(self);
        }
    };

    Loop& loop_;
    std::map<Place, std::unique_ptr<Port>> ports_;
};

HealthChecks::HealthChecks(Loop& data, Namespaces& namespaces)
    : data_(data), namespaces_(namespaces), server_(std::make_shared<Server>(data)) {}

HealthChecks::~HealthChecks() {
    data_.call([this] { server_->close_all(); });
}

Result<> HealthChecks::set(const std::map<Place, HealthCheck>& wanted) {
    Result<> first = Ok{};
    std::erase_if(served_, [&](const auto& entry) {
        if (wanted.contains(entry.first)) return false;
        data_.post([server = server_, place = entry.first] { server->close(place); });
        return true;
    });
    for (const auto& [place, check] : wanted) {
        const auto served = served_.find(place);
        if (served != served_.end()) {
            if (served->second == check) continue;
            served->second = check;
            data_.post(
                [server = server_, place = place, check = check] { server->update(place, check); });
            continue;
        }
        auto listener = namespaces_.open_in_node(place.node, Namespaces::SocketType::kTcpListener,
                                                 place.address, place.port);
        if (!listener) {
            if (first) {
                first = std::move(listener).error().context(
                    cat("serve health check port ", place.port, " on ", place.node));
            }
            continue;
        }
        served_.emplace(place, check);
        data_.post([server = server_, place = place, check = check,
                    fd = std::move(listener).value()]() mutable {
            server->open(place, std::move(fd), check);
        });
    }
    return first;
}

}  // namespace kin::proxy
