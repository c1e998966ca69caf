#include "netns/router/published_plan.h"

#include <gtest/gtest.h>

#include "core/base/strings.h"
#include "tests/support/addresses.h"

namespace kin::netns {
namespace {

using test::ip;

ServicePort port(const std::string& name, uint16_t number, uint16_t node_port,
                 Protocol protocol = Protocol::kTcp) {
    ServicePort out;
    out.name = name;
    out.port = number;
    out.node_port = node_port;
    out.protocol = protocol;
    return out;
}

Service service(const std::string& type, std::vector<ServicePort> ports,
                std::vector<std::string> addresses = {}) {
    Service out;
    out.meta.key = {"shop", "web"};
    out.type = type;
    out.ports = std::move(ports);
    out.load_balancer_ips = std::move(addresses);
    return out;
}

/// A line for each: "NodePort http/TCP 172.30.0.2:30080 -> 30080".
std::string words(const Service& of) {
    std::string out;
    for (const Publication& what : publications_of(of, ip("172.30.0.2"))) {
        out += cat(what.type, ' ', what.port, '/', name_of(what.protocol), ' ', what.target, ':',
                   what.target_port, " -> ", what.wished, '\n');
    }
    return out;
}

TEST(PublishedPlanTest, ClusterIpPublishesNothing) {
    EXPECT_EQ(words(service("ClusterIP", {port("http", 80, 0)})), "");
    EXPECT_EQ(words(service("ExternalName", {port("http", 80, 30080)})), "");
}

TEST(PublishedPlanTest, NodePortsKeepTheirNumberAndLeadToTheNode) {
    EXPECT_EQ(words(service("NodePort", {port("http", 80, 30080), port("https", 443, 30443)})),
              "NodePort http/TCP 172.30.0.2:30080 -> 30080\n"
              "NodePort https/TCP 172.30.0.2:30443 -> 30443\n");
}

TEST(PublishedPlanTest, UdpIsPublishedAndSctpIsNot) {
    EXPECT_EQ(words(service("NodePort", {port("dns", 53, 30053, Protocol::kUdp),
                                         port("tel", 5060, 30060, Protocol::kSctp)})),
              "NodePort dns/UDP 172.30.0.2:30053 -> 30053\n");
}

TEST(PublishedPlanTest, LoadBalancersLowPortsMoveUpAndTheirNodePortsAreThereToo) {
    EXPECT_EQ(words(service("LoadBalancer", {port("http", 80, 30080), port("alt", 1024, 30081)},
                            {"172.30.200.1"})),
              "NodePort http/TCP 172.30.0.2:30080 -> 30080\n"
              "LoadBalancer http/TCP 172.30.200.1:80 -> 8080\n"
              "NodePort alt/TCP 172.30.0.2:30081 -> 30081\n"
              "LoadBalancer alt/TCP 172.30.200.1:1024 -> 1024\n");
}

TEST(PublishedPlanTest, LoadBalancerIsPublishedOncePerAddressAndNotBeforeItHasOne) {
    EXPECT_EQ(words(service("LoadBalancer", {port("", 443, 0)})), "");
    EXPECT_EQ(words(service("LoadBalancer", {port("", 443, 0)},
                            {"172.30.200.1", "no address", "172.30.200.2"})),
              "LoadBalancer /TCP 172.30.200.1:443 -> 8443\n"
              "LoadBalancer /TCP 172.30.200.2:443 -> 8443\n");
}

TEST(PublishedPlanTest, ADoorOnTheHostOutlivesAChangeOfTheNodeItLeadsTo) {
    const Service both = service("LoadBalancer", {port("", 80, 30080)}, {"172.30.200.1"});
    const auto by_one = publications_of(both, ip("172.30.0.2"));
    const auto by_two = publications_of(both, ip("172.30.0.3"));
    EXPECT_NE(by_one[0], by_two[0]);
    EXPECT_EQ(by_one[0].door(), by_two[0].door());
    EXPECT_EQ(by_one[1].door(), by_one[1]);
}

}  // namespace
}  // namespace kin::netns
