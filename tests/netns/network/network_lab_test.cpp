#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

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

/// Connects from a namespace; waits up to 3 s.
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
    if (::poll(&wait, 1, 3000) != 1) return Error(Errc::kSystem, "connect: no answer");
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

class NetworkLabTest : public testing::Test {
protected:
    void SetUp() override {
        KIN_REQUIRE_LAB();
        auto links = NodeLinks::create(addresses_, first_nodes(3));
        ASSERT_TRUE(links) << links.error().text();
        links_ = std::move(links).value();
        pods_ = std::make_unique<PodNetworks>(*links_);
    }
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

TEST_F(NetworkLabTest, NodesReachEachOtherUnderTheirOwnAddresses) {
    EXPECT_EQ(peer_seen(host("node-1"), host("node-3"), addresses_.node(3)), "172.30.0.2");
    EXPECT_EQ(peer_seen(host("node-3"), host("router"), addresses_.router()), "172.30.0.4");
}

TEST_F(NetworkLabTest, PodsOfDifferentNodesSeeEachOthersOwnAddresses) {
    const PodNetwork& a = pod("a", "node-1");
    const PodNetwork& b = pod("b", "node-2");
    EXPECT_EQ(peer_seen(a.netns, b.netns, b.address), "10.244.1.2");
    EXPECT_EQ(peer_seen(b.netns, a.netns, a.address), "10.244.2.2");
}

TEST_F(NetworkLabTest, PodsOfOneNodeSeeEachOthersOwnAddresses) {
    const PodNetwork& a = pod("a", "node-1");
    const PodNetwork& b = pod("b", "node-1");
    EXPECT_EQ(peer_seen(a.netns, b.netns, b.address), "10.244.1.2");
}

TEST_F(NetworkLabTest, NodeReachesItsPodsAndOthersAsItself) {
    const PodNetwork& a = pod("a", "node-1");
    EXPECT_EQ(peer_seen(host("node-1"), a.netns, a.address), "172.30.0.2");
    EXPECT_EQ(peer_seen(host("node-2"), a.netns, a.address), "172.30.0.3");
    EXPECT_EQ(peer_seen(a.netns, host("node-1"), addresses_.node(1)), "10.244.1.2");
    EXPECT_EQ(peer_seen(a.netns, host("node-1"), addresses_.gateway(1)), "10.244.1.2");
}

TEST_F(NetworkLabTest, PodReachesTheOutsideWorldAsItsNode) {
    const PodNetwork& a = pod("a", "node-2");
    EXPECT_EQ(peer_seen(a.netns, host("internet"), addresses_.internet()), "172.30.0.3");
    EXPECT_EQ(peer_seen(host("client"), host("internet"), addresses_.internet()), "203.0.113.10");
    EXPECT_EQ(peer_seen(host("client"), host("node-1"), addresses_.node(1)), "203.0.113.10");
}

TEST_F(NetworkLabTest, OutsideWorldHasNoRouteToPods) {
    const PodNetwork& a = pod("a", "node-1");
    EXPECT_EQ(peer_seen(host("client"), a.netns, a.address), "connect: No route to host");
}

TEST_F(NetworkLabTest, DetachedPodIsUnreachableAtOnceAndItsAddressIsFree) {
    const PodNetwork& a = pod("a", "node-1");
    const Ipv4 address = a.address;
    pods_->detach("a");
    pods_->detach("a");
    EXPECT_EQ(connect_from(host("node-2"), address, 80).error().text(),
              "connect: No route to host");
    EXPECT_EQ((*pods_->attach("b", "node-1", address))->address, address);
}

TEST_F(NetworkLabTest, KernelHoldsTheRoutesOfThePlan) {
    const PodNetwork& a = pod("a", "node-1");
    KernelNode* node = links_->find("node-1");
    const auto routes = node->rtnl.routes();
    ASSERT_TRUE(routes) << routes.error().text();
    std::string text;
    for (const Route& route : *routes) text += route.to_string() + '\n';
    EXPECT_NE(text.find(cat("10.244.1.2/32 dev ", a.link, " src 172.30.0.2\n")), std::string::npos)
        << text;
    EXPECT_NE(text.find("10.244.2.0/24 via 172.30.0.3 dev 2\n"), std::string::npos) << text;
    EXPECT_NE(text.find("unreachable 10.244.1.0/24\n"), std::string::npos) << text;
    EXPECT_EQ(*a.netns.read_sysctl("net/ipv4/ip_unprivileged_port_start"), "0");
}

TEST_F(NetworkLabTest, NodeAddedLaterIsReachedLikeTheOthers) {
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

TEST_F(NetworkLabTest, RemovedNodeLeavesNothingInTheOthersAndMayComeAgain) {
    const PodNetwork& old = pod("old", "node-1");
    pod("a", "node-2");
    const size_t ports = host_links("fabric");
    ASSERT_TRUE(links_->remove_node(2));
    ASSERT_TRUE(links_->remove_node(2));
    EXPECT_EQ(links_->node_numbers(), (std::vector<int>{1, 3}));
    EXPECT_EQ(host_links("fabric"), ports - 1);
    for (const Neighbour& neighbour : *links_->find("node-1")->rtnl.neighbours()) {
        EXPECT_NE(neighbour.address, addresses_.node(2));
    }
    EXPECT_FALSE(pods_->attach("b", "node-2"));
    ASSERT_TRUE(links_->add_node(2));
    EXPECT_EQ(links_->node_numbers(), (std::vector<int>{1, 2, 3}));
    pods_->detach("a");
    const PodNetwork& b = pod("b", "node-2");
    EXPECT_EQ(peer_seen(old.netns, b.netns, b.address), "10.244.1.2");
}

TEST_F(NetworkLabTest, UnknownNodeIsNotFound) {
    const auto attached = pods_->attach("a", "node-9");
    ASSERT_FALSE(attached);
    EXPECT_EQ(attached.error().code(), Errc::kNotFound);
}

}  // namespace
}  // namespace kin::netns
