// Real packets through the table of kube-proxy: three pods and an outside host around one node.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <map>

#include "core/base/strings.h"
#include "core/kernel/conntrack.h"
#include "core/kernel/nodes.h"
#include "proxy/compile.h"
#include "proxy/stale_flows.h"
#include "tests/core/kernel/sample_table.h"
#include "tests/proxy/services.h"
#include "tests/support/lab_namespace.h"
#include "tests/support/patience.h"

namespace kin::test {
namespace {

using nft::L4;

const int kDeadlineMs = patience_ms(5000);
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
    Result<UniqueFd> connect(L4 l4, Ipv4 to, uint16_t port, int wait_ms = kDeadlineMs) const {
        return inside.netns.enter([&]() -> Result<UniqueFd> {
            UniqueFd fd(::socket(AF_INET, socket_type(l4) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
            const sockaddr_in target = socket_address(to, port);
            ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&target), sizeof target);
            pollfd waiting{fd.get(), POLLOUT, 0};
            if (::poll(&waiting, 1, wait_ms) != 1) return Error(Errc::kGone, "no answer");
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
    Host& outside() { return host("203.0.113.10"); }
    /// A packet that was let through is answered at once; this is long enough to tell.
    static constexpr int kLongEnoughMs = 300;
    bool is_dropped(const Host& from, Ipv4 to, uint16_t port) {
        const auto connected = from.connect(L4::kTcp, to, port, kLongEnoughMs);
        return !connected && connected.error().code() == Errc::kGone;
    }
    /// Like service(), reachable from outside at node port 30080 and 172.30.200.1.
    proxy::ServicePort balanced(std::vector<const char*> pods) {
        proxy::ServicePort port = service(L4::kTcp, std::move(pods));
        port.node_port = 30'080;
        port.balanced_ips = {ip("172.30.200.1")};
        return port;
    }

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

TEST_F(ProxyLabTest, PodsSeeEachOther) {
    ASSERT_DONE(program(service(L4::kTcp, {})));
    ASSERT_DONE(host("10.244.1.3").serve(L4::kTcp));
    ASSERT_TRUE(client().connect(L4::kTcp, ip("10.244.1.3"), kPort));
    EXPECT_EQ(host("10.244.1.3").next_client(L4::kTcp), client().address);
}

TEST_F(ProxyLabTest, NodePortIsOpenOnTheNodeAndPodsSeeTheNode) {
    ASSERT_DONE(program(balanced({"10.244.1.2"})));
    ASSERT_DONE(host("10.244.1.2").serve(L4::kTcp));
    auto connected = outside().connect(L4::kTcp, network_.node_address, 30'080);
    ASSERT_TRUE(connected) << connected.error().text();
    EXPECT_EQ(host("10.244.1.2").next_client(L4::kTcp), network_.node_address);
    EXPECT_EQ(counted("service-nodeports"), 1u);
    EXPECT_EQ(counted("nodeport-endpoints"), 1u);
    // Only the number that the Service has.
    EXPECT_EQ(outside().connect(L4::kTcp, network_.node_address, 30'081).error().error_number(),
              ECONNREFUSED);
}

TEST_F(ProxyLabTest, LoadBalancersAddressLeadsToAnEndpoint) {
    ASSERT_DONE(program(balanced({"10.244.1.2"})));
    ASSERT_DONE(host("10.244.1.2").serve(L4::kTcp));
    for (const Host* from : {&outside(), &client()}) {
        auto connected = from->connect(L4::kTcp, ip("172.30.200.1"), 80);
        ASSERT_TRUE(connected) << connected.error().text();
        EXPECT_EQ(host("10.244.1.2").next_client(L4::kTcp), network_.node_address);
    }
    EXPECT_TRUE(is_dropped(outside(), ip("172.30.200.1"), 81));
    EXPECT_TRUE(is_dropped(outside(), ip("172.30.200.2"), 80));
}

TEST_F(ProxyLabTest, ExternalTrafficPolicyLocalKeepsTheClientsAddress) {
    proxy::ServicePort port = balanced({"10.244.1.2", "10.244.2.2"});
    port.external = proxy::TrafficPolicy::kLocal;
    port.local["node-1"] = {port.endpoints[0]};
    port.local["node-2"] = {port.endpoints[1]};
    ASSERT_DONE(program(port));
    ASSERT_DONE(host("10.244.1.2").serve(L4::kTcp));
    std::vector<UniqueFd> connections;
    for (int count = 0; count < 8; ++count) {  // Never to the endpoint of the other node.
        auto by_port = outside().connect(L4::kTcp, network_.node_address, 30'080);
        ASSERT_TRUE(by_port) << by_port.error().text();
        EXPECT_EQ(host("10.244.1.2").next_client(L4::kTcp), outside().address);
        auto by_address = outside().connect(L4::kTcp, ip("172.30.200.1"), 80);
        ASSERT_TRUE(by_address) << by_address.error().text();
        EXPECT_EQ(host("10.244.1.2").next_client(L4::kTcp), outside().address);
    }
}

TEST_F(ProxyLabTest, ExternalTrafficPolicyLocalDropsWhereNoEndpointIs) {
    proxy::ServicePort port = balanced({"10.244.1.2"});
    port.external = proxy::TrafficPolicy::kLocal;
    port.local["node-2"] = port.endpoints;  // So it says; the pod is within reach all the same.
    ASSERT_DONE(program(port));
    ASSERT_DONE(host("10.244.1.2").serve(L4::kTcp));
    EXPECT_TRUE(is_dropped(outside(), network_.node_address, 30'080));
    EXPECT_TRUE(is_dropped(outside(), ip("172.30.200.1"), 80));
    // Those who are inside use all endpoints.
    EXPECT_TRUE(client().connect(L4::kTcp, ip("172.30.200.1"), 80));
}

TEST_F(ProxyLabTest, InternalTrafficPolicyLocalKeepsToTheNode) {
    proxy::ServicePort port = service(L4::kTcp, {"10.244.1.2", "10.244.2.2"});
    port.internal = proxy::TrafficPolicy::kLocal;
    port.local["node-1"] = {port.endpoints[0]};
    port.local["node-2"] = {port.endpoints[1]};
    ASSERT_DONE(program(port));
    ASSERT_DONE(host("10.244.1.2").serve(L4::kTcp));
    for (int count = 0; count < 8; ++count)
        EXPECT_TRUE(client().connect(L4::kTcp, ip("10.96.0.20"), 80));
    port.local.erase("node-1");
    ASSERT_DONE(program(port));
    EXPECT_TRUE(is_dropped(client(), ip("10.96.0.20"), 80));
}

TEST_F(ProxyLabTest, SessionAffinityKeepsAClientWithItsEndpoint) {
    proxy::ServicePort port = balanced({"10.244.1.2", "10.244.1.3"});
    port.affinity_s = 10'800;
    ASSERT_DONE(program(port));
    ASSERT_DONE(host("10.244.1.2").serve(L4::kTcp));
    ASSERT_DONE(host("10.244.1.3").serve(L4::kTcp));
    std::vector<UniqueFd> connections;
    for (int count = 0; count < 20; ++count) {
        // By any of its addresses: it is one Service.
        auto connected = count % 2 == 0 ? client().connect(L4::kTcp, ip("10.96.0.20"), 80)
                                        : client().connect(L4::kTcp, ip("172.30.200.1"), 80);
        ASSERT_TRUE(connected) << connected.error().text();
        connections.push_back(std::move(connected).value());
    }
    std::vector<int> accepted;
    for (const char* pod : {"10.244.1.2", "10.244.1.3"}) {
        accepted.push_back(0);
        while (host(pod).next_client(L4::kTcp, 0).value != 0) ++accepted.back();
    }
    std::ranges::sort(accepted);
    EXPECT_EQ(accepted, (std::vector{0, 20}));
}

TEST_F(ProxyLabTest, SourceRangesKeepOthersOut) {
    proxy::ServicePort port = balanced({"10.244.1.2"});
    port.restricted = true;
    port.source_ranges = {cidr("203.0.113.0/28")};
    ASSERT_DONE(program(port));
    ASSERT_DONE(host("10.244.1.2").serve(L4::kTcp));
    EXPECT_TRUE(outside().connect(L4::kTcp, ip("172.30.200.1"), 80));
    port.source_ranges = {cidr("198.51.100.0/24")};
    ASSERT_DONE(program(port));
    EXPECT_TRUE(is_dropped(outside(), ip("172.30.200.1"), 80));
    EXPECT_TRUE(outside().connect(L4::kTcp, network_.node_address, 30'080));
}

TEST_F(ProxyLabTest, UdpSenderMovesToTheNewEndpointOnceItsFlowIsForgotten) {
    proxy::ServicePort port = service(L4::kUdp, {"10.244.1.2"});
    ASSERT_DONE(program(port));
    ASSERT_DONE(host("10.244.1.2").serve(L4::kUdp));
    ASSERT_DONE(host("10.244.1.3").serve(L4::kUdp));
    auto sender = client().connect(L4::kUdp, ip("10.96.0.20"), 80);
    ASSERT_TRUE(sender);
    ASSERT_EQ(::send(sender->get(), "one", 3, 0), 3);
    ASSERT_EQ(host("10.244.1.2").next_client(L4::kUdp), client().address);

    proxy::StaleFlows stale;
    stale.set("shop/web", {&port, 1});
    port = service(L4::kUdp, {"10.244.1.3"});
    ASSERT_DONE(program(port));
    stale.set("shop/web", {&port, 1});
    ASSERT_EQ(::send(sender->get(), "two", 3, 0), 3);
    EXPECT_EQ(host("10.244.1.2").next_client(L4::kUdp), client().address) << "conntrack remembers";

    auto conntrack = Conntrack::open(node_->netns);
    ASSERT_TRUE(conntrack) << conntrack.error().text();
    const auto flows = conntrack->flows(L4::kUdp);
    ASSERT_TRUE(flows) << flows.error().text();
    ASSERT_EQ(flows->size(), 1u);
    EXPECT_EQ(flows->front().source, client().address);
    EXPECT_EQ(flows->front().destination, ip("10.96.0.20"));
    EXPECT_EQ(flows->front().replier, ip("10.244.1.2"));
    EXPECT_EQ(flows->front().replier_port, kPort);
    const auto forgotten = conntrack->forget_if(L4::kUdp, [&](const Flow& flow) {
        return stale.is_stale(flow, network_.node_address, proxy::StaleFlows::Scope::kTouched);
    });
    ASSERT_TRUE(forgotten) << forgotten.error().text();
    EXPECT_EQ(*forgotten, 1u);
    ASSERT_EQ(::send(sender->get(), "three", 5, 0), 5);
    EXPECT_EQ(host("10.244.1.3").next_client(L4::kUdp), client().address);
    ASSERT_DONE(conntrack->forget(flows->front()));  // Already gone is success.
}

TEST_F(ProxyLabTest, KernelListsWhateverServicesCanBe) {
    proxy::ServicePort port = balanced({"10.244.1.2", "10.244.1.3"});
    port.external = proxy::TrafficPolicy::kLocal;
    port.local["node-1"] = {port.endpoints[0]};
    port.restricted = true;
    port.source_ranges = {cidr("203.0.113.0/24")};
    proxy::ServicePort sticky = port;
    sticky.name = "shop/sticky:http";
    sticky.cluster_ip = ip("10.96.0.21");
    sticky.node_port = 30'081;
    sticky.balanced_ips = {ip("172.30.200.2")};
    sticky.affinity_s = 60;
    const std::vector<proxy::ServicePort> services{port, sticky};
    const nft::Table table = proxy::compile(network_, services);
    ASSERT_DONE(node_->nft.replace(table));
    const auto listed = node_->netns.enter(
        [] { return Result<std::string>(shell("nft -s list table ip kube-proxy")); });
    EXPECT_EQ(with_sorted_elements(listed.value()), with_sorted_elements(nft::to_text(table)));
}

}  // namespace
}  // namespace kin::test
