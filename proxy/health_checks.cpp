#include "proxy/health_checks.h"

#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <list>

#include "core/base/json.h"
#include "core/base/strings.h"

namespace kin::proxy {

namespace {
constexpr size_t kMaxRequest = 8 * 1024;
constexpr size_t kMaxConnections = 64;  // Of one port.
constexpr std::chrono::seconds kPatience{5};

std::string answer(std::string_view status, std::string_view headers, std::string_view body) {
    return cat("HTTP/1.1 ", status, "\r\nX-Content-Type-Options: nosniff\r\n", headers,
               "\r\nContent-Length: ", body.size(), "\r\nConnection: close\r\n\r\n", body);
}
}  // namespace

std::string health_answer(const HealthCheck& check) {
    const bool healthy = check.local_endpoints > 0;
    const std::string body =
        to_text({{"service", {{"namespace", check.service.ns}, {"name", check.service.name}}},
                 {"localEndpoints", check.local_endpoints},
                 {"serviceProxyHealthy", true}});
    return answer(healthy ? "200 OK" : "503 Service Unavailable",
                  cat("Content-Type: application/json\r\nX-Load-Balancing-Endpoint-Weight: ",
                      check.local_endpoints),
                  body);
}

Answers mode_answers() {
    constexpr std::string_view kText = "Content-Type: text/plain";
    return {{"/proxyMode", answer("200 OK", kText, "nftables")},
            {"/healthz", answer("200 OK", kText, "ok")}};
}

std::string answer_to(const Answers& answers, std::string_view request) {
    std::string_view path = request.substr(0, request.find_first_of("\r\n"));
    path.remove_prefix(std::min(path.find(' '), path.size() - 1) + 1);
    path = path.substr(0, path.find_first_of(" ?"));
    auto found = answers.find(path);
    if (found == answers.end()) found = answers.find("");
    if (found != answers.end()) return found->second;
    return answer("404 Not Found", "Content-Type: text/plain", "404 page not found\n");
}

/// On the data loop.
class HealthChecks::Server {
public:
    explicit Server(Loop& loop) : loop_(loop) {}

    void open(const Place& place, UniqueFd listener, const Answers& answers) {
        auto port = std::make_unique<Port>(Port{loop_, answers, std::move(listener), {}, {}});
        Port* const opened = port.get();
        port->watch = loop_.watch(port->listener.get(), Readiness::kReadable,
                                  [opened](int) { opened->accept(); });
        ports_[place] = std::move(port);
    }
    void update(const Place& place, const Answers& answers) {
        const auto port = ports_.find(place);
        if (port != ports_.end()) port->second->answers = answers;
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
        Answers answers;
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
                const std::string text = answer_to(answers, self->request);
                // Fits any socket's buffer.
                ::send(self->fd.get(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
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

Result<> HealthChecks::set(const std::map<Place, Answers>& wanted) {
    Result<> first = Ok{};
    std::erase_if(served_, [&](const auto& entry) {
        if (wanted.contains(entry.first)) return false;
        data_.post([server = server_, place = entry.first] { server->close(place); });
        return true;
    });
    for (const auto& [place, answers] : wanted) {
        const auto served = served_.find(place);
        if (served != served_.end()) {
            if (served->second == answers) continue;
            served->second = answers;
            data_.post([server = server_, place = place, answers = answers] {
                server->update(place, answers);
            });
            continue;
        }
        auto listener = namespaces_.open_in_node(place.node, Namespaces::SocketType::kTcpListener,
                                                 place.address, place.port);
        if (!listener) {
            if (first) {
                first = std::move(listener).error().context(
                    cat("serve port ", place.port, " on ", place.node));
            }
            continue;
        }
        served_.emplace(place, answers);
        data_.post([server = server_, place = place, answers = answers,
                    fd = std::move(listener).value()]() mutable {
            server->open(place, std::move(fd), answers);
        });
    }
    return first;
}

}  // namespace kin::proxy
