#include "tests/bench/ingress_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include <cstdio>
#include <memory>

#include "core/base/assert.h"
#include "ingress/proxy_server.h"

namespace kin::bench {

namespace {
class HostSockets : public Namespaces {
public:
    Result<UniqueFd> open_in_pod(const ObjectKey&, SocketType, Ipv4, uint16_t) override {
        return UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    }
    Result<UniqueFd> open_in_node(const std::string&, SocketType, Ipv4, uint16_t) override {
        return Error(Errc::kNotFound, "no nodes here");
    }
};

UniqueFd listener(int port) {
    UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const int on = 1;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(port));
    KIN_ASSERT(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    KIN_ASSERT(::listen(fd.get(), 4096) == 0);
    return fd;
}

std::shared_ptr<const ingress::RouteTable> routes_to(int backend_port) {
    ingress::Location all;
    all.path = "/";
    all.backend = std::make_shared<const ingress::Backend>(ingress::Backend{
        "bench/backend:80", {{{0x7F000001}, static_cast<uint16_t>(backend_port)}}});
    all.options.ssl_redirect = false;
    return std::make_shared<const ingress::RouteTable>(
        std::vector<ingress::VirtualHost>{{"", {all}, nullptr}});
}
}  // namespace

void serve_ingress_proxy(int port, int tls_port, int backend_port) {
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, nullptr);
    Loop data("kin-data"), control("kin-control");
    HostSockets sockets;
    ingress::ProxyServer proxy(data, control, sockets);
    size_t lines = 0;
    control.call([&] {
        ingress::Proxy::Pod pod;
        pod.instance.pod = {"bench", "proxy"};
        pod.instance.log = [&lines](std::string_view) { ++lines; };
        pod.http = listener(port);
        pod.https = listener(tls_port);
        KIN_ASSERT(proxy.start(std::move(pod)));
        proxy.set_routes(routes_to(backend_port), {});
    });
    std::printf("ready\n");
    std::fflush(stdout);
    int signal = 0;
    sigwait(&ends, &signal);
    control.call([&] { std::printf("%zu lines of log\n", lines); });
}

}  // namespace kin::bench
