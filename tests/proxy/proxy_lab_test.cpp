// Real packets through the table of kube-proxy: three pods and an outside host around one node.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <map>

#include "core/base/strings.h"
#include "core/kernel/nodes.h"
#include "proxy/compile.h"
#include "tests/proxy/services.h"
#include "tests/support/lab_namespace.h"

namespace kin::test {
namespace {

using nft::L4;

constexpr int kDeadlineMs = 5000;
constexpr uint16_t kPort = 8080;

sockaddr_in socket_address(Ipv4 address, uint16_t port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_addr.s_addr = address.network_order();
    out.sin_port = htons(port);
    return out;
}

int socket_type(L4 l4) { return l4 == L4::kTcp ? SOCK_STREAM : SOCK_DGRAM; }

Mac mac_of(int link, uint8_t end) { return {{2, 0, 0, 0, static_cast<uint8_t>(link), end}}; }

/// A host behind one of the node's links.
struct Host {
    KernelNode inside;
    Ipv4 address;
    UniqueFd server = UniqueFd();

    Result<> serve(L4 l4) {
        TRY_ASSIGN(server, inside.netns.enter([&]() -> Result<UniqueFd> {
            UniqueFd fd(::socket(AF_INET, socket_type(l4) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
            const sockaddr_in any = socket_address({}, kPort);
            if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) < 0)
                return Error::from_errno("bind");
            if (l4 == L4::kTcp && ::listen(fd.get(), 100) < 0) return Error::from_errno("listen");
            return fd;
        }));
        return Ok{};
    }
    /// A socket that is connected to address:port, or the error with which it was refused.
    Result<UniqueFd> connect(L4 l4, Ipv4 to, uint16_t port) const {
        return inside.netns.enter([&]() -> Result<UniqueFd> {
            UniqueFd fd(::socket(AF_INET, socket_type(l4) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
            const sockaddr_in target = socket_address(to, port);
            ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&target), sizeof target);
            pollfd waiting{fd.get(), POLLOUT, 0};
            if (::poll(&waiting, 1, kDeadlineMs) != 1) return Error(Errc::kGone, "no answer");
            int error = 0;
            socklen_t size = sizeof error;
            ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
            if (error != 0) return Error::from_errno("connect", error);
            return fd;
        });
    }
    /// Who is at the other end of the next connection or datagram; 0.0.0.0 if none arrives.
    Ipv4 next_client(L4 l4, int wait_ms = kDeadlineMs) const {
        pollfd waiting{server.get(), POLLIN, 0};
        if (::poll(&waiting, 1, wait_ms) != 1) return {};
        sockaddr_in from{};
        socklen_t size = sizeof from;
        auto* sender = reinterpret_cast<sockaddr*>(&from);
        char buffer[16];
        if (l4 == L4::kTcp)
            UniqueFd(::accept(server.get(), sender, &size));
        else
            ::recvfrom(server.get(), buffer, sizeof buffer, 0, sender, &size);
        return Ipv4::from_network_order(from.sin_addr.s_addr);
    }
};

class ProxyLabTest : public testing::Test {
protected:
    void SetUp() override {
        KIN_REQUIRE_LAB();
        auto node = KernelNode::create("node-1");
        ASSERT_TRUE(node) << node.error().text();
        node_.emplace(std::move(node).value());
        ASSERT_DONE(node_->netns.write_sysctls({{"net/ipv4/ip_forward", "1"}}));
        ASSERT_DONE(node_->rtnl.apply(RtnlBatch()
                                          .set_up(1)
                                          .add_address({1, ip("10.244.1.1"), 32})
                                          .add_address({1, network_.node_address, 32})));
        for (const char* address : {"10.244.1.9", "10.244.1.2", "10.244.1.3", "203.0.113.10"})
            ASSERT_DONE(add_host(ip(address)));
        // Packets to ClusterIPs must have some way, or routing refuses them before the rules do.
        ASSERT_DONE(node_->rtnl.apply(
            RtnlBatch().set_route({cidr("0.0.0.0/0"), {{{}, 13}}, network_.node_address, {}})));
    }

    Result<> add_host(Ipv4 address) {
        const int link = static_cast<int>(hosts_.size()) + 10;
        const Ipv4 gateway = ip("10.244.1.1");
        TRY_ASSIGN(KernelNode inside, KernelNode::create(address.to_string()));
        TRY(node_->rtnl.apply(
            RtnlBatch()
                .add_veth({{cat("veth", link), link, mac_of(link, 1)},
                           {"eth0", 2, mac_of(link, 2)},
                           &inside.netns,
                           0})
                .set_up(link)
                .set_route({{address, 32}, {{{}, link}}, network_.node_address, {}})
                .set_neighbour({link, address, mac_of(link, 2)})));
        TRY(inside.rtnl.apply(
            RtnlBatch()
                .set_up(1)
                .set_up(2)
                .add_address({2, address, 32})
                .set_route({cidr("0.0.0.0/0"), {{gateway, 2}}, {}, Route::Gateway::kOnLink})
                .set_neighbour({2, gateway, mac_of(link, 1)})));
        hosts_.emplace(address, Host{std::move(inside), address});
        return Ok{};
    }
    Host& host(const char* address) { return hosts_.at(ip(address)); }
    Host& client() { return host("10.244.1.9"); }

    proxy::ServicePort service(L4 l4, std::vector<const char*> pods) {
        proxy::ServicePort port{"shop/web:p", ip("10.96.0.20"), l4, 80, {}};
        for (const char* pod : pods) port.endpoints.push_back({ip(pod), kPort, cat("shop/", pod)});
        return port;
    }
    Result<> program(const proxy::ServicePort& port) {
        return node_->nft.replace(proxy::compile(network_, {&port, 1}));
    }
    uint64_t counted(const char* set) {
        const nft::Table table = proxy::skeleton(network_);
        uint64_t packets = 0;
        const auto counts = node_->nft.counts("kube-proxy", table.find_set(set)->shape);
        if (counts)
            for (const nft::Count& count : *counts) packets += count.packets;
        return packets;
    }

    const proxy::Network network_ = node_1();
    std::optional<KernelNode> node_;
    std::map<Ipv4, Host> hosts_;
};

TEST_F(ProxyLabTest, KernelListsTheTableAsItIsPrinted) {
    const proxy::ServicePort port = service(L4::kTcp, {"10.244.1.2"});
    ASSERT_DONE(program(port));
    const auto listed = node_->netns.enter(
        [] { return Result<std::string>(shell("nft -s list table ip kube-proxy")); });
    EXPECT_EQ(listed.value(), nft::to_text(proxy::compile(network_, {&port, 1})));
}

TEST_F(ProxyLabTest, TcpConnectionsAreSharedAmongTheEndpointsAndCounted) {
    ASSERT_DONE(program(service(L4::kTcp, {"10.244.1.2", "10.244.1.3"})));
    ASSERT_DONE(host("10.244.1.2").serve(L4::kTcp));
    ASSERT_DONE(host("10.244.1.3").serve(L4::kTcp));
    std::vector<UniqueFd> connections;
    for (int count = 0; count < 40; ++count) {
        auto connected = client().connect(L4::kTcp, ip("10.96.0.20"), 80);
        ASSERT_TRUE(connected) << connected.error().text();
        connections.push_back(std::move(connected).value());
    }
    std::map<const char*, int> accepted;
    for (const char* pod : {"10.244.1.2", "10.244.1.3"}) {
        for (Ipv4 from; (from = host(pod).next_client(L4::kTcp, 0)).value != 0; ++accepted[pod])
            EXPECT_EQ(from, client().address);
        EXPECT_GT(accepted[pod], 0) << pod;
    }
    EXPECT_EQ(accepted["10.244.1.2"] + accepted["10.244.1.3"], 40);
    EXPECT_EQ(counted("service-ips"), 40u);
    EXPECT_EQ(counted("endpoints"), 40u);
}

TEST_F(ProxyLabTest, UdpReachesItsEndpoint) {
    ASSERT_DONE(program(service(L4::kUdp, {"10.244.1.2"})));
    ASSERT_DONE(host("10.244.1.2").serve(L4::kUdp));
    auto connected = client().connect(L4::kUdp, ip("10.96.0.20"), 80);
    ASSERT_TRUE(connected);
    ASSERT_EQ(::send(connected->get(), "hello", 5, 0), 5);
    EXPECT_EQ(host("10.244.1.2").next_client(L4::kUdp), client().address);
}

TEST_F(ProxyLabTest, ServiceWithoutEndpointsRefusesAtOnce) {
    ASSERT_DONE(program(service(L4::kTcp, {})));
    EXPECT_EQ(client().connect(L4::kTcp, ip("10.96.0.20"), 80).error().error_number(),
              ECONNREFUSED);
}

TEST_F(ProxyLabTest, OtherPortOfTheClusterIpRefusesAtOnce) {
    ASSERT_DONE(program(service(L4::kTcp, {"10.244.1.2"})));
    EXPECT_EQ(client().connect(L4::kTcp, ip("10.96.0.20"), 81).error().error_number(),
              ECONNREFUSED);
}

TEST_F(ProxyLabTest, PodReachesItselfThroughItsServiceAndSeesTheNode) {
    ASSERT_DONE(program(service(L4::kTcp, {"10.244.1.2"})));
    ASSERT_DONE(host("10.244.1.2").serve(L4::kTcp));
    auto connected = host("10.244.1.2").connect(L4::kTcp, ip("10.96.0.20"), 80);
    ASSERT_TRUE(connected) << connected.error().text();
    EXPECT_EQ(host("10.244.1.2").next_client(L4::kTcp), network_.node_address);
}

TEST_F(ProxyLabTest, OutsideSeesTheNodeAndPodsSeeEachOther) {
    ASSERT_DONE(program(service(L4::kTcp, {})));
    ASSERT_DONE(host("203.0.113.10").serve(L4::kTcp));
    ASSERT_DONE(host("10.244.1.3").serve(L4::kTcp));
    ASSERT_TRUE(client().connect(L4::kTcp, ip("203.0.113.10"), kPort));
    EXPECT_EQ(host("203.0.113.10").next_client(L4::kTcp), network_.node_address);
    ASSERT_TRUE(client().connect(L4::kTcp, ip("10.244.1.3"), kPort));
    EXPECT_EQ(host("10.244.1.3").next_client(L4::kTcp), client().address);
}

}  // namespace
}  // namespace kin::test
