#include "proxy_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include "core/base/strings.h"

namespace kin::ingress::test {

namespace {
constexpr int kPatienceMs = 10'000;

sockaddr_in loopback(uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}
}  // namespace

UniqueFd listener(uint16_t& port) {
    UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(fd.get(), 1024), 0);
    EXPECT_EQ(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    port = ntohs(address.sin_port);
    return fd;
}

Wire Wire::to_port(uint16_t port) {
    UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = loopback(port);
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    const timeval patience{kPatienceMs / 1000, 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return Wire(std::move(fd));
}

Wire Wire::to_tls_port(uint16_t port, const std::string& server_name, SSL_SESSION* resume,
                       SSL_CTX* context) {
    Wire wire = to_port(port);
    SSL_CTX* const own = context ? nullptr : SSL_CTX_new(TLS_client_method());
    wire.ssl_.reset(SSL_new(context ? context : own));
    SSL_CTX_free(own);
    SSL_set_fd(wire.ssl(), wire.fd());
    if (!server_name.empty()) SSL_set_tlsext_host_name(wire.ssl(), server_name.c_str());
    if (resume) SSL_set_session(wire.ssl(), resume);
    EXPECT_EQ(SSL_connect(wire.ssl()), 1);
    return wire;
}

bool Wire::send(std::string_view bytes) {
    if (ssl_) return SSL_write(ssl(), bytes.data(), static_cast<int>(bytes.size())) > 0;
    while (!bytes.empty()) {
        const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
}

bool Wire::read_more() {
    pollfd ready{fd_.get(), POLLIN, 0};
    if (ended_) return false;
    if (!(ssl_ && SSL_pending(ssl()) > 0) && ::poll(&ready, 1, kPatienceMs) != 1) return false;
    char buffer[65536];
    const ssize_t got =
        ssl_ ? SSL_read(ssl(), buffer, sizeof buffer) : ::recv(fd_.get(), buffer, sizeof buffer, 0);
    ended_ = got <= 0;
    if (got > 0) received_.append(buffer, static_cast<size_t>(got));
    return !ended_;
}

std::string Wire::read_until(std::string_view mark) {
    size_t found = received_.find(mark);
    while (found == std::string::npos && read_more()) found = received_.find(mark);
    return read_exactly(found == std::string::npos ? received_.size() : found + mark.size());
}

std::string Wire::read_exactly(size_t bytes) {
    while (received_.size() < bytes && read_more()) {
    }
    std::string taken = received_.substr(0, bytes);
    received_.erase(0, taken.size());
    return taken;
}

std::string Wire::read_to_end() {
    while (read_more()) {
    }
    return std::exchange(received_, {});
}

std::string Wire::read_message() {
    std::string message = read_until("\r\n\r\n");
    const std::string head = to_lower(message);
    const size_t length = head.find("content-length: ");
    if (length != std::string::npos) {
        message += read_exactly(std::stoul(head.substr(length + 16)));
    } else if (head.find("transfer-encoding: chunked") != std::string::npos) {
        std::string body;
        while (!body.ends_with("0\r\n\r\n")) {
            const std::string more = read_until("\r\n");
            if (more.empty()) break;
            body += more;
            // Trailers: up to the empty line.
            if (body.ends_with("\r\n0\r\n") || body == "0\r\n") {
                body += read_until("\r\n");
                while (!body.ends_with("\r\n\r\n") && !ended_) body += read_until("\r\n");
                break;
            }
        }
        message += body;
    }
    return message;
}

void Wire::shut_down_sending() { ::shutdown(fd_.get(), SHUT_WR); }

void Wire::reset() {
    const linger now{1, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    fd_.reset();
}

Backend::Backend(std::function<void(Wire&)> serve)
    : serve_(std::move(serve)), listener_(listener(port_)), acceptor_([this] { accept_all(); }) {}

Backend::~Backend() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    acceptor_.join();
    {
        const std::lock_guard lock(mutex_);
        for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
}

void Backend::accept_all() {
    while (true) {
        pollfd waiting{listener_.get(), POLLIN, 0};
        ::poll(&waiting, 1, -1);
        UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!fd.valid()) {
            if (errno == EAGAIN || errno == EINTR) continue;
            return;
        }
        ++accepted_;
        const std::lock_guard lock(mutex_);
        open_.push_back(fd.get());
        threads_.emplace_back([this, wire = std::make_shared<Wire>(std::move(fd))] {
            serve_(*wire);
            const std::lock_guard inner(mutex_);
            std::erase(open_, wire->fd());
            wire->shut_down_sending();
        });
    }
}

std::string response(std::string_view body, std::string_view more_fields) {
    return cat("HTTP/1.1 200 OK\r\n", more_fields, "Content-Length: ", body.size(), "\r\n\r\n",
               body);
}

void echo(Wire& wire) {
    while (true) {
        const std::string message = wire.read_message();
        if (message.empty() || !wire.send(response(message))) return;
    }
}

std::function<void(Wire&)> named(std::string name) {
    return [name = std::move(name)](Wire& wire) {
        while (!wire.read_message().empty()) wire.send(response(name));
    };
}

ingress::Endpoint nobody() {
    uint16_t port = 0;
    listener(port);
    return {{0x7F000001}, port};
}

Result<UniqueFd> LoopbackSockets::open_in_pod(const ObjectKey&, SocketType, Ipv4, uint16_t) {
    return UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

ProxyTest::~ProxyTest() { proxy_.reset(); }

void ProxyTest::start(ProxyServer::Options options) {
    proxy_.reset();
    proxy_ = std::make_unique<ProxyServer>(data_, control_, sockets_, options);
    Proxy::Pod pod;
    pod.instance.pod = pod_;
    pod.instance.log = [this](std::string_view line) {
        const std::lock_guard lock(log_mutex_);
        for (const auto one : split(line, '\n')) log_.emplace_back(one);
    };
    pod.http = listener(http_port_);
    pod.https = listener(https_port_);
    pod.status = listener(status_port_);
    control_.call([&] { ASSERT_TRUE(proxy_->start(std::move(pod))); });
}

void ProxyTest::routes(std::vector<VirtualHost> hosts) {
    auto table = std::make_shared<const RouteTable>(std::move(hosts));
    control_.call([&] { proxy_->set_routes(table, {}); });
    ASSERT_TRUE(eventually([&] { return !proxy_->delivering(); }));
}

void ProxyTest::route(std::vector<Location> locations,
                      std::shared_ptr<const Certificate> certificate, std::string host) {
    routes({{std::move(host), std::move(locations), std::move(certificate)}});
}

Location ProxyTest::location(std::string path, std::vector<ingress::Endpoint> endpoints,
                             LocationOptions options) {
    Location out;
    out.path = std::move(path);
    out.backend = std::make_shared<const ingress::Backend>(
        ingress::Backend{"shop/web:80", std::move(endpoints)});
    out.options = std::move(options);
    out.ingress = "shop/web";
    return out;
}

std::string ProxyTest::ask(std::string_view request) {
    Wire wire = client();
    wire.send(request);
    return wire.read_message();
}

std::string ProxyTest::get(std::string_view path, std::string_view more_fields) {
    return cat("GET ", path, " HTTP/1.1\r\nHost: shop\r\n", more_fields, "\r\n");
}

std::vector<std::string> ProxyTest::log_lines(size_t count) {
    std::vector<std::string> lines;
    eventually([&] {
        const std::lock_guard lock(log_mutex_);
        lines = log_;
        return lines.size() >= count;
    });
    return lines;
}

bool eventually(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        ::poll(nullptr, 0, 1);
    }
    return true;
}

bool comes_to_rest(const std::atomic<size_t>& count) {
    size_t last = 0;
    int looks = 0;  // About a millisecond each.
    return eventually([&] {
        looks = last == count ? looks + 1 : 0;
        last = count;
        return last > 0 && looks >= 30;
    });
}

}  // namespace kin::ingress::test
