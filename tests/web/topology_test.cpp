#include "web/topology.h"

#include <gtest/gtest.h>

#include "core/api/yaml.h"

namespace kin::web {
namespace {

template <class T>
T decoded(std::string_view yaml) {
    return decode<T>(std::make_shared<const Json>(*parse_yaml(yaml)));
}

constexpr const char* kWeb = R"(
metadata: {name: web-0, namespace: shop, labels: {app: web}, uid: u1,
  ownerReferences: [{kind: ReplicaSet, name: web, controller: true}]}
spec: {nodeName: node-2, containers: [{name: nginx, image: nginx}]}
status: {phase: Running, podIP: 10.244.2.3, conditions: [{type: Ready, status: "True"}],
  containerStatuses: [{restartCount: 2}]}
)";

TEST(TopologyTest, PodSaysWhereItIsAndHow) {
    EXPECT_EQ(pod_json(decoded<Pod>(kWeb), "veth1"),
              *parse_json(R"({"id":"pod/shop/web-0","kind":"pod","ns":"shop","name":"web-0",
                "node":"node-2","link":"veth1","ip":"10.244.2.3","phase":"Running","status":"Running",
                "ready":true,"labels":{"app":"web"},"restarts":2,"owner":"ReplicaSet/web",
                "containers":[{"name":"nginx","image":"nginx"}]})"));
}

TEST(TopologyTest, PodThatNoNodeTakesSaysWhy) {
    const auto waits = [](const char* yaml) {
        return string_at(pod_json(decoded<Pod>(yaml), ""), {"waits"});
    };
    EXPECT_EQ(waits(R"(
status: {phase: Pending, conditions: [{type: PodScheduled, status: "False",
  reason: Unschedulable, message: "0/3 nodes are available"}]})"),
              "0/3 nodes are available");
    EXPECT_EQ(waits("status: {phase: Pending}"), "") << "the scheduler has not looked at it yet";
    EXPECT_EQ(waits(kWeb), "");
}

TEST(TopologyTest, NodeSaysHowItsPodsHangOnItAndHowItIsJoinedToOthers) {
    EXPECT_EQ(host_json(decoded<Node>(R"(
metadata: {name: node-2, labels: {kin.internal/cni: bridge, kin.internal/overlay: vxlan}}
spec: {podCIDR: 10.244.2.0/24}
status: {addresses: [{type: InternalIP, address: 172.30.0.3}],
  conditions: [{type: Ready, status: "True"}]})")),
              *parse_json(R"({"id":"host/node-2","kind":"host","ns":"","name":"node-2",
                "role":"node","ip":"172.30.0.3","pods":"10.244.2.0/24","gateway":"10.244.2.1",
                "ready":true,"cni":"bridge","overlay":"vxlan"})"));
}

TEST(TopologyTest, NodeWithoutLabelsAndAddressesSaysNothingOfThem) {
    const Json out = host_json(decoded<Node>("metadata: {name: node-9}"));
    for (const char* fact : {"gateway", "cni", "overlay"}) EXPECT_FALSE(out.contains(fact)) << fact;
}

struct StatusCase {
    const char* expected;
    const char* yaml;
};
class PodStatusTest : public testing::TestWithParam<StatusCase> {};
TEST_P(PodStatusTest, IsWhatKubectlShows) {
    EXPECT_EQ(pod_status(decoded<Pod>(GetParam().yaml)), GetParam().expected);
}
INSTANTIATE_TEST_SUITE_P(
    All, PodStatusTest,
    testing::Values(
        StatusCase{"Running", kWeb}, StatusCase{"Pending", "status: {phase: Pending}"},
        StatusCase{
            "Terminating",
            "{metadata: {deletionTimestamp: 2026-01-01T00:00:00Z}, status: {phase: Running}}"},
        StatusCase{"CrashLoopBackOff",
                   "status: {phase: Running, containerStatuses: "
                   "[{state: {waiting: {reason: CrashLoopBackOff}}}]}"},
        StatusCase{"Completed",
                   "status: {phase: Succeeded, containerStatuses: "
                   "[{state: {terminated: {reason: Completed, exitCode: 0}}}]}"},
        StatusCase{"Evicted", "status: {phase: Failed, reason: Evicted}"},
        StatusCase{"Init:1/2",
                   "status: {phase: Pending, initContainerStatuses: "
                   "[{state: {terminated: {exitCode: 0}}}, {state: {running: {}}}]}"},
        StatusCase{"Init:Error",
                   "status: {phase: Pending, initContainerStatuses: "
                   "[{state: {terminated: {exitCode: 1, reason: Error}}}]}"}));

TEST(TopologyTest, ServiceHasItsEndpointsByPod) {
    const auto service = decoded<Service>(R"(
metadata: {name: web, namespace: shop}
spec: {type: NodePort, clusterIP: 10.96.0.20, selector: {app: web},
  ports: [{name: http, port: 80, targetPort: web, nodePort: 30080, protocol: TCP}]})");
    const auto slice = decoded<EndpointSlice>(R"(
metadata: {name: web-1, namespace: shop, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
endpoints:
- {addresses: [10.244.2.3], conditions: {ready: true}, nodeName: node-2,
   targetRef: {kind: Pod, name: web-0, namespace: shop}}
- {addresses: [10.0.0.9], conditions: {ready: false}})");
    const Json out = service_json(service, {&slice});
    EXPECT_EQ(out["ports"], *parse_json(R"([{"name":"http","port":80,"protocol":"TCP",
                                            "target":"web","nodePort":30080}])"));
    EXPECT_EQ(out["endpoints"], *parse_json(R"([
        {"ip":"10.244.2.3","ready":true,"pod":"pod/shop/web-0","node":"node-2"},
        {"ip":"10.0.0.9","ready":false}])"));
}

TEST(TopologyTest, PolicyNamesThePodsItSelects) {
    const auto policy = decoded<NetworkPolicy>(R"(
metadata: {name: db, namespace: shop}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Egress]})");
    const auto web = decoded<Pod>(kWeb);
    const auto other = decoded<Pod>("metadata: {name: db-0, namespace: shop, labels: {app: db}}");
    const Json out = policy_json(policy, {&web, &other});
    EXPECT_EQ(out["pods"], Json::array({"pod/shop/web-0"}));
    EXPECT_EQ(out["ingress"], false);
    EXPECT_EQ(out["egress"], true);
}

TEST(TopologyTest, DeltaHoldsWhatChangedAndNothingElse) {
    Topology topology;
    Delta first;
    topology.put("pod/a/b", {{"id", "pod/a/b"}, {"ip", "1"}}, first);
    topology.put("pod/a/c", {{"id", "pod/a/c"}}, first);
    topology.put("pod/a/none", {}, first);
    EXPECT_EQ(first.text(),
              R"({"type":"delta","set":[{"id":"pod/a/b","ip":"1"},{"id":"pod/a/c"}],"gone":[]})");
    Delta second;
    topology.put("pod/a/b", {{"id", "pod/a/b"}, {"ip", "1"}}, second);
    EXPECT_TRUE(second.empty());
    topology.put("pod/a/b", {}, second);
    EXPECT_EQ(second.text(), R"({"type":"delta","set":[],"gone":["pod/a/b"]})");
}

TEST(TopologyTest, DeletedAndMadeAnewInOneTurnIsThere) {
    Topology topology;
    Delta before, delta;
    topology.put("pod/a/b", {{"id", "pod/a/b"}}, before);
    topology.put("pod/a/b", {}, delta);
    topology.put("pod/a/b", {{"id", "pod/a/b"}, {"ip", "2"}}, delta);
    Topology far_end;
    far_end.apply(before);
    far_end.apply(delta);
    EXPECT_EQ(far_end.things(), topology.things());
    EXPECT_EQ(far_end.snapshot({{"lab", "demo"}}),
              R"({"lab":"demo","type":"snapshot","things":[{"id":"pod/a/b","ip":"2"}]})");
}

}  // namespace
}  // namespace kin::web
