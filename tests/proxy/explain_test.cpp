#include "proxy/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/proxy/services.h"
#include "tests/support/golden.h"

namespace kin::test {
namespace {

using testing::HasSubstr;

proxy::ServicePort everything() {
    proxy::ServicePort port = web();
    port.node_port = 30'080;
    port.balanced_ips = {ip("172.30.200.1")};
    port.restricted = true;
    port.source_ranges = {cidr("203.0.113.0/24")};
    return port;
}

TEST(ExplainTest, ServiceReadsAsSentencesWithTheKernelsCounts) {
    const proxy::ServicePort port = everything();
    const nft::Key key(port.cluster_ip, port.l4, uint32_t{port.port});
    proxy::Counts counts;
    counts["service-ips"] = {{nft::Range(key), "shop/web:http", 42, 2520}};
    counts["endpoints"] = {{nft::Range(key.with(0)), "shop/web-0", 30, 1800},
                           {nft::Range(key.with(1)), "shop/web-1", 1, 60}};
    expect_golden("proxy/explain.txt", proxy::explain(node_1(), {&port, 1}, counts));
}

TEST(ExplainTest, AColumnStaysAColumnBehindALongName) {
    proxy::ServicePort port = web();
    port.endpoints[0].pod = "default/web-678b8c8999-pxblz";
    EXPECT_THAT(proxy::explain(node_1(), {&port, 1}, {}),
                HasSubstr("default/web-678b8c8999-pxblz  0 connections"));
}

TEST(ExplainTest, RefusedAndDroppedAreToldApart) {
    proxy::ServicePort port = none();
    EXPECT_THAT(proxy::explain(node_1(), {&port, 1}, {}), HasSubstr("rejected at once"));
    port = everything();
    port.external = proxy::TrafficPolicy::kLocal;
    port.local["node-2"] = port.endpoints;
    EXPECT_THAT(proxy::explain(node_1(), {&port, 1}, {}), HasSubstr("dropped on this node"));
    EXPECT_THAT(proxy::explain(node_1(), {}, {}), HasSubstr("headless"));
}

TEST(ExplainTest, OtherModesUseTheirRealNames) {
    // These two are the same in every cluster, as anybody's iptables-save shows.
    const proxy::ServicePort kubernetes{"default/kubernetes:https",
                                        ip("10.96.0.1"),
                                        nft::L4::kTcp,
                                        443,
                                        {{ip("172.30.0.2"), 6443, "api"}}};
    EXPECT_THAT(proxy::explain_iptables(node_1(), {&kubernetes, 1}),
                HasSubstr("-j KUBE-SVC-NPX46M4PTMTKRN6Y"));
    const proxy::ServicePort names = dns();
    EXPECT_THAT(proxy::explain_iptables(node_1(), {&names, 1}),
                HasSubstr("-j KUBE-SVC-TCOU7JCQXEZGVUNU"));
    const proxy::ServicePort port = everything();
    expect_golden("proxy/explain_iptables.txt", proxy::explain_iptables(node_1(), {&port, 1}));
    expect_golden("proxy/explain_ipvs.txt", proxy::explain_ipvs(node_1(), {&port, 1}));
}

}  // namespace
}  // namespace kin::test
