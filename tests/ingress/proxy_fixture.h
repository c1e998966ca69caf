#pragma once

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "ingress/proxy_server.h"

/// A proxy between real sockets on 127.0.0.1, and both ends to play with.
namespace kin::ingress::test {

/// One end of a connection, blocking. Every wait has a deadline of ten seconds, after which what
/// has come so far is returned.
class Wire {
public:
    explicit Wire(UniqueFd fd) : fd_(std::move(fd)) {}
    static Wire to_port(uint16_t port);
    /// With TLS; `server_name` "": without SNI. `resume`: a session of before, may be nullptr.
    static Wire to_tls_port(uint16_t port, const std::string& server_name,
                            SSL_SESSION* resume = nullptr, SSL_CTX* context = nullptr);

    /// False once the peer takes no more.
    bool send(std::string_view bytes);
    std::string read_until(std::string_view mark);
    std::string read_exactly(size_t bytes);
    std::string read_to_end();
    /// A whole message, framed by Content-Length, chunked (left as it is) or nothing.
    std::string read_message();
    /// The same to a HEAD request: no body.
    std::string read_head() { return read_until("\r\n\r\n"); }
    void shut_down_sending();
    /// Closes so that the peer sees a reset.
    void reset();
    bool ended() const { return ended_; }
    int fd() const { return fd_.get(); }
    SSL* ssl() { return ssl_.get(); }

private:
    bool read_more();

    UniqueFd fd_;
    http::SslPtr ssl_;
    std::string received_;
    bool ended_ = false;
};

/// A server whose connections are each given to `serve`, on a thread of their own.
class Backend {
public:
    explicit Backend(std::function<void(Wire&)> serve);
    ~Backend();
    ingress::Endpoint endpoint() const { return {{0x7F000001}, port_}; }
    int accepted() const { return accepted_; }

private:
    void accept_all();

    std::function<void(Wire&)> serve_;
    uint16_t port_ = 0;
    UniqueFd listener_;
    std::atomic<int> accepted_ = 0;
    std::mutex mutex_;
    std::vector<int> open_;
    std::list<std::thread> threads_;
    std::thread acceptor_;
};

std::string response(std::string_view body, std::string_view more_fields = "");
/// Answers each message with itself, head and body.
void echo(Wire& wire);
/// Answers each message with `name`.
std::function<void(Wire&)> named(std::string name);
/// Listens on a port of 127.0.0.1, without waiting in calls of accept().
UniqueFd listener(uint16_t& port);
/// An endpoint where nobody listens.
ingress::Endpoint nobody();

class LoopbackSockets : public Namespaces {
public:
    Result<UniqueFd> open_in_pod(const ObjectKey&, SocketType, Ipv4, uint16_t) override;
    Result<UniqueFd> open_in_node(const std::string&, SocketType, Ipv4, uint16_t) override {
        return Error(Errc::kNotFound, "no nodes here");
    }
};

class ProxyTest : public testing::Test {
protected:
    ProxyTest() { start(); }
    ~ProxyTest() override;

    /// Begins anew with other options.
    void start(ProxyServer::Options options = {});
    /// One host of any name, whose locations these are.
    void route(std::vector<Location> locations,
               std::shared_ptr<const Certificate> certificate = nullptr, std::string host = "");
    void routes(std::vector<VirtualHost> hosts);
    static Location location(std::string path, std::vector<ingress::Endpoint> endpoints,
                             LocationOptions options = {});

    Wire client() { return Wire::to_port(http_port_); }
    /// One request on a connection of its own.
    std::string ask(std::string_view request);
    /// "GET path HTTP/1.1" of host "shop".
    static std::string get(std::string_view path, std::string_view more_fields = "");
    /// Log lines, once there are at least `count`.
    std::vector<std::string> log_lines(size_t count);

    Loop data_{"data"}, control_{"control"};
    LoopbackSockets sockets_;
    std::unique_ptr<ProxyServer> proxy_;
    uint16_t http_port_ = 0, https_port_ = 0, status_port_ = 0;
    const ObjectKey pod_{"ingress-nginx", "controller"};

private:
    std::mutex log_mutex_;
    std::vector<std::string> log_;
};

/// Waits until `condition` holds; false after ten seconds.
bool eventually(const std::function<bool()>& condition);
/// Waits until `count` has grown and then not any more for some while.
bool comes_to_rest(const std::atomic<size_t>& count);

}  // namespace kin::ingress::test
