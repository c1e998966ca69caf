#include "proxy/stale_flows.h"

#include <gtest/gtest.h>

#include "tests/proxy/services.h"

namespace kin::test {
namespace {

using proxy::StaleFlows;
using Scope = StaleFlows::Scope;

const Ipv4 kNode = ip("172.30.0.11");

Flow flow_to(const char* destination, uint16_t port, const char* replier, uint16_t replier_port) {
    return {nft::L4::kUdp, ip("10.244.1.9"), ip(destination), 40'000,
            port,          ip(replier),      replier_port,    1};
}

class StaleFlowsTest : public testing::Test {
protected:
    void set(const proxy::ServicePort& port) { flows_.set("kube-system/kube-dns", {&port, 1}); }
    bool stale(const Flow& flow, Scope scope = Scope::kTouched) {
        return flows_.is_stale(flow, kNode, scope);
    }
    StaleFlows flows_;
    const Flow to_a_ = flow_to("10.96.0.10", 53, "10.244.1.3", 53);
    const Flow to_nobody_ = flow_to("10.96.0.10", 53, "10.96.0.10", 53);
};

TEST_F(StaleFlowsTest, FlowToAnEndpointThatIsThereStays) {
    set(dns());
    EXPECT_FALSE(stale(to_a_));
    EXPECT_FALSE(stale(to_a_, Scope::kAll));
}

TEST_F(StaleFlowsTest, FlowToARemovedEndpointIsStale) {
    set(dns());
    flows_.clear();
    proxy::ServicePort port = dns();
    port.endpoints.erase(port.endpoints.begin());
    set(port);
    EXPECT_TRUE(flows_.any());
    EXPECT_TRUE(stale(to_a_));
    flows_.clear();
    EXPECT_FALSE(stale(to_a_)) << "nothing changed since";
    EXPECT_TRUE(stale(to_a_, Scope::kAll));
}

TEST_F(StaleFlowsTest, RefusedFlowIsStaleOnceThereIsAnEndpoint) {
    proxy::ServicePort port = dns();
    port.endpoints.clear();
    set(port);
    EXPECT_FALSE(stale(to_nobody_));
    EXPECT_TRUE(stale(to_a_)) << "from n to 0";
    set(dns());
    EXPECT_TRUE(stale(to_nobody_)) << "from 0 to n";
}

TEST_F(StaleFlowsTest, FlowsOfADeletedServiceAreStale) {
    set(dns());
    flows_.clear();
    flows_.set("kube-system/kube-dns", {});
    EXPECT_TRUE(stale(to_a_));
    EXPECT_FALSE(stale(to_nobody_));
    EXPECT_FALSE(stale(flow_to("10.96.0.99", 53, "10.244.1.3", 53)));
}

TEST_F(StaleFlowsTest, NodePortsCountOnTheNodesAddress) {
    proxy::ServicePort port = dns();
    port.node_port = 30'053;
    set(port);
    EXPECT_FALSE(stale(flow_to("172.30.0.11", 30'053, "10.244.1.3", 53)));
    EXPECT_TRUE(stale(flow_to("172.30.0.11", 30'053, "10.244.9.9", 53)));
    EXPECT_TRUE(stale(flow_to("172.30.0.11", 30'053, "172.30.0.11", 30'053)));
}

TEST_F(StaleFlowsTest, TcpAsksForNothing) {
    const proxy::ServicePort port = web();
    flows_.set("shop/web", {&port, 1});
    EXPECT_FALSE(flows_.any());
}

}  // namespace
}  // namespace kin::test
