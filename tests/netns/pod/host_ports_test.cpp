#include "netns/pod/host_ports.h"

#include <gtest/gtest.h>

namespace kin::netns {
namespace {

const Ipv4 kPodIp{0x0AF40102};

PodSpec pod_with(const std::string& ports, bool host_network = false) {
    Json object = parse_json(R"({"metadata":{"name":"web","namespace":"shop","uid":"u"},
        "spec":{"containers":[{"name":"c","ports":)" +
                             ports + "}]}}")
                      .value();
    if (host_network) object["spec"]["hostNetwork"] = true;
    return decode_pod_spec(decode<Pod>(std::make_shared<const Json>(std::move(object))));
}

TEST(HostPortsTest, OnlyPortsWithAHostPortLeadIn) {
    const auto ports = host_ports_of(
        pod_with(R"([{"containerPort":80},{"containerPort":53,"hostPort":5353,"protocol":"UDP",
                     "hostIP":"172.30.0.2"}])"),
        kPodIp);
    ASSERT_EQ(ports.size(), 1U);
    EXPECT_EQ(ports[0].host_port, 5353);
    EXPECT_EQ(ports[0].pod_port, 53);
    EXPECT_EQ(ports[0].host_ip, "172.30.0.2");
}

TEST(HostPortsTest, OnTheNodesNetworkThereIsNothingToRewrite) {
    EXPECT_TRUE(
        host_ports_of(pod_with(R"([{"containerPort":80,"hostPort":80}])", true), kPodIp).empty());
}

TEST(HostPortsTest, SamePortOfOtherAddressesOrProtocolsStaysApart) {
    const std::string text = to_text(
        host_port_table({{Protocol::kTcp, "", 8080, kPodIp, 80, "shop/web"},
                         {Protocol::kUdp, "172.30.0.2", 8080, {0x0AF40103}, 81, "shop/dns"}}));
    EXPECT_NE(text.find("fib daddr type local tcp dport 8080 counter dnat to 10.244.1.2:80 "
                        "comment \"hostPort of shop/web\""),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("ip daddr 172.30.0.2 udp dport 8080 counter dnat to 10.244.1.3:81"),
              std::string::npos)
        << text;
}

}  // namespace
}  // namespace kin::netns
