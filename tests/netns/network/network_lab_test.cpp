#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <filesystem>
#include <future>

#include "core/base/strings.h"
#include "netns/network/node_links.h"
#include "netns/network/pod_networks.h"
#include "tests/support/lab_namespace.h"

namespace kin::netns {
namespace {

sockaddr_in socket_address(Ipv4 address, uint16_t port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(port);
    out.sin_addr.s_addr = address.network_order();
    return out;
}

/// A TCP server in a namespace, on every address of it.
Result<UniqueFd> listen_in(const Netns& netns, uint16_t port) {
    return netns.enter([&]() -> Result<UniqueFd> {
        UniqueFd server(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const int on = 1;  // A connection of a moment ago may still be in TIME_WAIT.
        ::setsockopt(server.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        const sockaddr_in at = socket_address({}, port);
        if (::bind(server.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) < 0 ||
            ::listen(server.get(), 8) < 0) {
            return Error::from_errno("listen");
        }
        return server;
    });
}

/// Connects from a namespace; waits up to 10 s, longer than the kernel asks for a MAC.
Result<UniqueFd> connect_from(const Netns& netns, Ipv4 to, uint16_t port) {
    TRY_ASSIGN(UniqueFd socket, netns.enter([]() -> Result<UniqueFd> {
        return UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    }));
    const sockaddr_in at = socket_address(to, port);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0) {
        return socket;
    }
    if (errno != EINPROGRESS) return Error::from_errno("connect");
    pollfd wait{socket.get(), POLLOUT, 0};
    if (::poll(&wait, 1, 10000) != 1) return Error(Errc::kSystem, "connect: no answer");
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return Error::from_errno("connect", error);
    return socket;
}

/// Who the server sees when `from` connects to it; "" and a test failure if nobody gets through.
std::string peer_seen(const Netns& from, const Netns& to, Ipv4 address) {
    auto server = listen_in(to, 8080);
    if (!server) return server.error().text();
    const auto client = connect_from(from, address, 8080);
    if (!client) return client.error().text();
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    const UniqueFd accepted(::accept(server->get(), reinterpret_cast<sockaddr*>(&peer), &size));
    return Ipv4::from_network_order(peer.sin_addr.s_addr).to_string();
}

/// "ptp" and "none" and the like: each test runs for all ways to attach pods and to join nodes.
using Ways = std::tuple<std::string, std::string>;

class NetworkLabTest : public testing::TestWithParam<Ways> {
protected:
    void SetUp() override {
        KIN_REQUIRE_LAB();
        auto links = NodeLinks::create(
            {addresses_, find_attachment(cni()), find_overlay(overlay())}, first_nodes(3));
        ASSERT_TRUE(links) << links.error().text();
        links_ = std::move(links).value();
        pods_ = std::make_unique<PodNetworks>(*links_);
    }
    static std::string cni() { return std::get<0>(GetParam()); }
    static std::string overlay() { return std::get<1>(GetParam()); }
    const Netns& host(std::string_view name) { return links_->find(name)->netns; }
    size_t host_links(std::string_view name) { return links_->find(name)->rtnl.links()->size(); }
    const PodNetwork& pod(const std::string& uid, const std::string& node) {
        auto attached = pods_->attach(uid, node);
        EXPECT_TRUE(attached) << attached.error().text();
        return **attached;
    }

    const AddressPlan addresses_;
    std::unique_ptr<NodeLinks> links_;
    std::unique_ptr<PodNetworks> pods_;
};

TEST_P(NetworkLabTest, NodesReachEachOtherUnderTheirOwnAddresses) {
    EXPECT_EQ(peer_seen(host("node-1"), host("node-3"), addresses_.node(3)), "172.30.0.2");
    EXPECT_EQ(peer_seen(host("node-3"), host("router"), addresses_.router()), "172.30.0.4");
}

TEST_P(NetworkLabTest, PodsOfDifferentNodesSeeEachOthersOwnAddresses) {
    const PodNetwork& a = pod("a", "node-1");
    const PodNetwork& b = pod("b", "node-2");
    EXPECT_EQ(peer_seen(a.netns, b.netns, b.address), "10.244.1.2");
    EXPECT_EQ(peer_seen(b.netns, a.netns, a.address), "10.244.2.2");
}

TEST_P(NetworkLabTest, PodsOfOneNodeSeeEachOthersOwnAddresses) {
    const PodNetwork& a = pod("a", "node-1");
    const PodNetwork& b = pod("b", "node-1");
    EXPECT_EQ(peer_seen(a.netns, b.netns, b.address), "10.244.1.2");
}

TEST_P(NetworkLabTest, NodeReachesItsPodsAndOthersAsItself) {
    const PodNetwork& a = pod("a", "node-1");
    EXPECT_EQ(peer_seen(host("node-1"), a.netns, a.address), "172.30.0.2");
    EXPECT_EQ(peer_seen(host("node-2"), a.netns, a.address), "172.30.0.3");
    EXPECT_EQ(peer_seen(a.netns, host("node-1"), addresses_.node(1)), "10.244.1.2");
    EXPECT_EQ(peer_seen(a.netns, host("node-1"), addresses_.gateway(1)), "10.244.1.2");
}

TEST_P(NetworkLabTest, PodReachesTheOutsideWorldAsItsNode) {
    const PodNetwork& a = pod("a", "node-2");
    EXPECT_EQ(peer_seen(a.netns, host("internet"), addresses_.internet()), "172.30.0.3");
    EXPECT_EQ(peer_seen(host("client"), host("internet"), addresses_.internet()), "203.0.113.10");
    EXPECT_EQ(peer_seen(host("client"), host("node-1"), addresses_.node(1)), "203.0.113.10");
}

TEST_P(NetworkLabTest, OutsideWorldHasNoRouteToPods) {
    const PodNetwork& a = pod("a", "node-1");
    EXPECT_EQ(peer_seen(host("client"), a.netns, a.address), "connect: No route to host");
}

TEST_P(NetworkLabTest, DetachedPodIsUnreachableAndItsAddressIsFree) {
    const PodNetwork& a = pod("a", "node-1");
    const Ipv4 address = a.address;
    pods_->detach("a");
    pods_->detach("a");
    EXPECT_EQ(connect_from(host("node-2"), address, 80).error().text(),
              "connect: No route to host");
    EXPECT_EQ((*pods_->attach("b", "node-1", address))->address, address);
}

/// What a command prints in a namespace.
std::string shell_in(const Netns& netns, const std::string& command) {
    return netns.enter([&] { return Result<std::string>(test::shell(command)); }).value();
}

TEST_P(NetworkLabTest, KernelHoldsTheRoutesOfThePlan) {
    const PodNetwork& a = pod("a", "node-1");
    const std::string routes = shell_in(host("node-1"), "ip route");
    const auto has = [&](const std::string& route) {
        EXPECT_NE(routes.find(route), std::string::npos) << route << " in\n" << routes;
    };
    if (cni() == "ptp") {
        has("10.244.1.2 dev veth");
        has("unreachable 10.244.1.0/24 ");
    } else {
        has("10.244.1.0/24 dev cni0 proto static scope link src 172.30.0.2 \n");
        EXPECT_EQ(routes.find("10.244.1.2"), std::string::npos) << routes;
    }
    has(overlay() == "none" ? "10.244.2.0/24 via 172.30.0.3 dev eth0 "
                            : "10.244.2.0/24 via 10.244.2.0 dev vxlan.1 proto static src "
                              "172.30.0.2 onlink");
    EXPECT_EQ(shell_in(a.netns, "ip route"),
              "default via 10.244.1.1 dev eth0 proto static onlink \n");
    EXPECT_EQ(*a.netns.read_sysctl("net/ipv4/ip_unprivileged_port_start"), "0");
}

TEST_P(NetworkLabTest, EveryPacketOfAPodPassesItsNodesHooks) {
    const PodNetwork& a = pod("a", "node-1");
    const PodNetwork& b = pod("b", "node-1");
    shell_in(
        host("node-1"),
        "nft 'add table ip see; add chain ip see forward { type filter hook forward priority 0; "
        "}; add rule ip see forward ip protocol icmp counter'");
    EXPECT_NE(shell_in(a.netns, cat("ping -c1 -W2 ", b.address)).find(" 0% packet loss"),
              std::string::npos);
    const std::string seen = shell_in(host("node-1"), "nft list table ip see");
    EXPECT_NE(seen.find("counter packets 2 "), std::string::npos) << seen;
    if (cni() != "bridge") return;
    // With these, frames of bridged pods would pass the IP hooks a second time.
    const std::string settings =
        shell_in(host("node-1"), "cat /proc/sys/net/bridge/bridge-nf-call-*");
    EXPECT_EQ(settings.find('1'), std::string::npos) << settings;
}

TEST_P(NetworkLabTest, PacketsOfFullSizePassAndLargerOnesAreRefusedWithTheSize) {
    const PodNetwork& a = pod("a", "node-1");
    const PodNetwork& b = pod("b", "node-2");
    const int mtu = overlay() == "vxlan" ? 1450 : 1500;
    EXPECT_NE(shell_in(a.netns, cat("ping -c1 -W2 -M do -s ", mtu - 28, ' ', b.address))
                  .find(" 0% packet loss"),
              std::string::npos);
    EXPECT_NE(shell_in(a.netns, cat("ping -c1 -W0.2 -M do -s ", mtu - 27, ' ', b.address))
                  .find(cat("mtu=", mtu)),
              std::string::npos);
}

/// How many ICMP requests a namespace has received.
std::string pings_received(const Netns& netns) {
    return shell_in(netns, "nstat -asz IcmpInEchos | awk '/IcmpInEchos/ {print $2}'");
}

TEST_P(NetworkLabTest, PodCannotSendAsSomebodyElse) {
    const PodNetwork& a = pod("a", "node-1");
    const PodNetwork& neighbour = pod("b", "node-1");
    const PodNetwork& far = pod("c", "node-2");
    for (const Ipv4 other :
         {neighbour.address, far.address, addresses_.node(2), addresses_.client()}) {
        shell_in(a.netns, cat("ip address add ", other, "/32 dev eth0"));
        for (const PodNetwork* to : {&neighbour, &far}) {
            if (to->address == other) continue;
            shell_in(a.netns, cat("ping -c1 -W0.2 -I ", other, ' ', to->address));
        }
        shell_in(a.netns, cat("ip address del ", other, "/32 dev eth0"));
    }
    EXPECT_EQ(pings_received(neighbour.netns), "0\n");
    EXPECT_EQ(pings_received(far.netns), "0\n");
    shell_in(a.netns, cat("ping -c1 -W1 ", far.address));
    EXPECT_EQ(pings_received(far.netns), "1\n");
}

TEST_P(NetworkLabTest, PodCannotTakeWhatIsForItsNeighbour) {
    const PodNetwork& thief = pod("thief", "node-1");
    const PodNetwork& victim = pod("victim", "node-1");
    const PodNetwork& asker = pod("asker", "node-1");
    const std::string mac = mac_of(victim.address).to_string();
    shell_in(thief.netns, cat("ip link set eth0 down; ip link set eth0 address ", mac,
                              "; ip link set eth0 up; ip address add ", victim.address,
                              "/32 dev eth0; ip route replace default via 10.244.1.1 dev eth0 "
                              "onlink; ip neigh replace 10.244.1.1 lladdr 0a:58:0a:f4:01:01 dev "
                              "eth0; ping -c1 -W0.2 -I ",
                              victim.address, ' ', asker.address));
    EXPECT_EQ(peer_seen(asker.netns, victim.netns, victim.address), asker.address.to_string());
}

TEST_P(NetworkLabTest, OnlyTunnelsCarryPodsPacketsBetweenNodes) {
    const PodNetwork& a = pod("a", "node-1");
    const PodNetwork& b = pod("b", "node-2");
    shell_in(host("node-2"),
             "nft 'add table ip see; add chain ip see in { type filter hook prerouting priority "
             "-300; }; add rule ip see in iifname eth0 udp dport 4789 counter; add rule ip see in "
             "iifname eth0 ip saddr 10.244.0.0/16 counter'");
    EXPECT_NE(shell_in(a.netns, cat("ping -c1 -W2 ", b.address)).find(" 0% packet loss"),
              std::string::npos);
    const std::string seen = shell_in(host("node-2"), "nft list table ip see");
    const bool tunnel = overlay() == "vxlan";
    EXPECT_NE(seen.find(cat("dport 4789 counter packets ", tunnel ? 1 : 0)), std::string::npos)
        << seen;
    EXPECT_NE(seen.find(cat("10.244.0.0/16 counter packets ", tunnel ? 0 : 1)), std::string::npos)
        << seen;
}

/// Sends a datagram to port 4789 that holds a frame for the tunnel's end on a node.
void send_tunnelled(const Netns& from, Ipv4 source, Ipv4 node, Mac end) {
    std::string datagram("\x08\0\0\0\0\0\x01\0", 8);  // VXLAN: there is a VNI, and it is 1.
    datagram.append(reinterpret_cast<const char*>(end.bytes), sizeof end.bytes);
    datagram.append("\x0a\x58\x0a\xf4\x09\0\x08\0", 8);  // From some MAC, IPv4.
    datagram.append(20, '\0');
    const auto socket = from.enter([]() -> Result<UniqueFd> {
        return UniqueFd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    });
    const sockaddr_in me = socket_address(source, 0), to = socket_address(node, 4789);
    ASSERT_EQ(::bind(socket->get(), reinterpret_cast<const sockaddr*>(&me), sizeof me), 0);
    ASSERT_GT(::sendto(socket->get(), datagram.data(), datagram.size(), 0,
                       reinterpret_cast<const sockaddr*>(&to), sizeof to),
              0);
}

TEST_P(NetworkLabTest, OnlyNodesSpeakIntoTheTunnel) {
    if (overlay() == "none") return;
    const PodNetwork& there = pod("a", "node-2");
    const PodNetwork& elsewhere = pod("b", "node-1");
    const Ipv4 node = addresses_.node(2), forged = addresses_.node(1);
    const Mac end = mac_of(addresses_.node_pods(2).address);
    const auto frames = [&] {
        return shell_in(host("node-2"),
                        "ip -s -j link show vxlan.1 | grep -o '\"rx\":{[^,]*,[^,]*'");
    };
    const std::string before = frames();
    send_tunnelled(there.netns, there.address, node, end);
    send_tunnelled(there.netns, there.address, addresses_.gateway(2), end);
    send_tunnelled(elsewhere.netns, elsewhere.address, node, end);
    send_tunnelled(host("router"), addresses_.router(), node, end);
    send_tunnelled(host("client"), addresses_.client(), node, end);
    for (const Netns* netns : {&there.netns, &elsewhere.netns, &host("client")}) {
        shell_in(*netns, cat("ip address add ", forged, "/32 dev eth0"));
        send_tunnelled(*netns, forged, node, end);
    }
    EXPECT_EQ(frames(), before);
    send_tunnelled(host("node-1"), forged, node, end);
    EXPECT_NE(frames(), before);
}

TEST_P(NetworkLabTest, AddressThatComesAgainLeadsToTheNewPod) {
    const Ipv4 address = pod("a", "node-1").address;
    const PodNetwork& asker = pod("asker", "node-1");
    // Something holds the old namespace, and with it the old link.
    const auto held = pods_->find("a")->netns.duplicate();
    ASSERT_TRUE(held);
    pods_->detach("a");
    ASSERT_EQ((*pods_->attach("b", "node-1", address))->address, address);
    EXPECT_EQ(peer_seen(asker.netns, pods_->find("b")->netns, address), asker.address.to_string());
}

TEST_P(NetworkLabTest, NodeAddedLaterIsReachedLikeTheOthers) {
    const PodNetwork& old = pod("old", "node-1");
    const auto added = links_->add_node(4);
    ASSERT_TRUE(added) << added.error().text();
    EXPECT_EQ((*added)->name, "node-4");
    const PodNetwork& a = pod("a", "node-4");
    EXPECT_EQ(a.address.to_string(), "10.244.4.2");
    EXPECT_EQ(peer_seen(old.netns, a.netns, a.address), "10.244.1.2");
    EXPECT_EQ(peer_seen(a.netns, old.netns, old.address), "10.244.4.2");
    EXPECT_EQ(peer_seen(host("client"), host("node-4"), addresses_.node(4)), "203.0.113.10");
    EXPECT_EQ(peer_seen(a.netns, host("internet"), addresses_.internet()), "172.30.0.5");
    EXPECT_EQ(links_->add_node(4).error().code(), Errc::kExists);
}

TEST_P(NetworkLabTest, RemovedNodeLeavesNothingInTheOthersAndMayComeAgain) {
    const PodNetwork& old = pod("old", "node-1");
    pod("a", "node-2");
    const size_t ports = host_links("fabric");
    ASSERT_TRUE(links_->remove_node(2));
    ASSERT_TRUE(links_->remove_node(2));
    EXPECT_EQ(links_->node_numbers(), (std::vector<int>{1, 3}));
    EXPECT_EQ(host_links("fabric"), ports - 1);
    const std::string left = shell_in(host("node-1"), "ip route; ip neigh; bridge fdb");
    for (const char* trace : {"172.30.0.3", "10.244.2.", "0a:58:0a:f4:02:00"}) {
        EXPECT_EQ(left.find(trace), std::string::npos) << trace << " in\n" << left;
    }
    EXPECT_FALSE(pods_->attach("b", "node-2"));
    ASSERT_TRUE(links_->add_node(2));
    EXPECT_EQ(links_->node_numbers(), (std::vector<int>{1, 2, 3}));
    pods_->detach("a");
    const PodNetwork& b = pod("b", "node-2");
    EXPECT_EQ(peer_seen(old.netns, b.netns, b.address), "10.244.1.2");
}

TEST_P(NetworkLabTest, UnknownNodeIsNotFound) {
    const auto attached = pods_->attach("a", "node-9");
    ASSERT_FALSE(attached);
    EXPECT_EQ(attached.error().code(), Errc::kNotFound);
}

/// Pods that are made on the wiring's thread.
class PodWiringLabTest : public testing::Test {
protected:
    void SetUp() override {
        KIN_REQUIRE_LAB();  // Before there are threads.
        control_ = std::make_unique<Loop>("kin-control");
        wiring_ = std::make_unique<PodWiring>(*control_);
        auto links = NodeLinks::create({}, first_nodes(2));
        ASSERT_TRUE(links) << links.error().text();
        links_ = std::move(links).value();
        control_->call([&] { pods_ = std::make_unique<PodNetworks>(*links_, wiring_.get()); });
    }
    void TearDown() override {
        if (control_) control_->call([&] { pods_.reset(); });
    }
    /// Whether `ask`, on the control thread, leads to a call of what it is given.
    bool is_told(const std::function<void(PodNetworks::Attached)>& ask) {
        const auto told = std::make_shared<std::promise<bool>>();
        auto answer = told->get_future();
        control_->call([&] { ask([told](const auto& attached) { told->set_value(!!attached); }); });
        return answer.wait_for(std::chrono::seconds(10)) == std::future_status::ready &&
               answer.get();
    }
    bool come_and_go(const std::string& node) {
        const bool came = is_told([&](auto done) { pods_->attach_soon("pod", node, {}, done); });
        control_->call([&] { pods_->detach("pod"); });
        return came;
    }
    static ptrdiff_t descriptors() {
        return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
    }

    std::unique_ptr<Loop> control_;
    std::unique_ptr<PodWiring> wiring_;
    std::unique_ptr<NodeLinks> links_;
    std::unique_ptr<PodNetworks> pods_;
};

TEST_F(PodWiringLabTest, WhoAsksOnceMoreAfterDetachingIsTold) {
    EXPECT_TRUE(is_told([&](auto done) {
        pods_->attach_soon("a", "node-1", {}, [](const auto&) { FAIL() << "nobody waits here"; });
        pods_->detach("a");
        pods_->attach_soon("a", "node-1", {}, std::move(done));
    }));
    control_->call([&] { EXPECT_TRUE(pods_->find("a")); });
}

TEST_F(PodWiringLabTest, NothingOfANodeThatLeavesStaysOpen) {
    ASSERT_TRUE(come_and_go("node-1"));
    const ptrdiff_t before = descriptors();
    ASSERT_TRUE(come_and_go("node-2"));
    control_->call([&] { pods_->forget_node("node-2"); });
    ASSERT_TRUE(come_and_go("node-1"));  // Behind what was to be forgotten.
    EXPECT_EQ(descriptors(), before);
}

INSTANTIATE_TEST_SUITE_P(Ways, NetworkLabTest,
                         testing::Combine(testing::Values("ptp", "bridge"),
                                          testing::Values("none", "vxlan")),
                         [](const auto& test) {
                             return std::get<0>(test.param) + "_" + std::get<1>(test.param);
                         });

}  // namespace
}  // namespace kin::netns
