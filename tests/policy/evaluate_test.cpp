#include "policy/evaluate.h"

#include <gtest/gtest.h>

#include "core/base/strings.h"

namespace kin::policy {

namespace {
/// Namespaces shop and other; pods web (role=front-end) and db (role=database, port "pg" 5432).
class PolicyEvaluateTest : public testing::Test {
protected:
    PolicyEvaluateTest() {
        world_.namespaces = {{"shop", {{"team", "a"}}}, {"other", {{"team", "b"}}}};
        world_.nodes = {{"node-1", *Ipv4::parse("172.30.0.11")},
                        {"node-2", *Ipv4::parse("172.30.0.12")}};
        add_pod("shop", "web", "10.244.1.2", "node-1", {{"role", "front-end"}});
        add_pod("shop", "db", "10.244.2.2", "node-2", {{"role", "database"}});
        add_pod("other", "web", "10.244.1.3", "node-1", {{"role", "front-end"}});
        ContainerPort port;
        port.name = "pg";
        port.port = 5432;
        world_.pods.at(*Ipv4::parse("10.244.2.2")).ports = {port};
    }
    void add_pod(const char* ns, const char* name, const char* address, const char* node,
                 Labels labels) {
        PolicyPod pod;
        pod.key = {ns, name};
        pod.uid = cat(ns, name);
        pod.labels = std::move(labels);
        pod.node = node;
        pod.address = *Ipv4::parse(address);
        world_.pods.emplace(pod.address, pod);
    }
    void add_policy(const char* ns, const char* name, const char* spec) {
        const Json object = {{"metadata", {{"name", name}, {"namespace", ns}}},
                             {"spec", *parse_json(spec)}};
        auto policy = decode<NetworkPolicy>(std::make_shared<const Json>(object));
        world_.policies.insert_or_assign(policy.key(), policy);
    }
    Judgement judged(const char* from, const char* to, uint16_t port,
                     nft::L4 l4 = nft::L4::kTcp) const {
        return judge(world_, packet(from, to, port, l4));
    }
    static Packet packet(const char* from, const char* to, uint16_t port,
                         nft::L4 l4 = nft::L4::kTcp) {
        return {*Ipv4::parse(from), *Ipv4::parse(to), l4, port};
    }
    bool allowed(const char* from, const char* to, uint16_t port,
                 nft::L4 l4 = nft::L4::kTcp) const {
        return judged(from, to, port, l4).allowed();
    }

    World world_;
};

constexpr const char* kWeb = "10.244.1.2";
constexpr const char* kDb = "10.244.2.2";
constexpr const char* kStranger = "10.244.1.3";
constexpr const char* kOutside = "203.0.113.9";
}  // namespace

// A NetworkPolicyPeer, its namespace and pod selector: one item or two.
TEST_F(PolicyEvaluateTest, OneItemIsAConjunctionTwoAreADisjunction) {
    add_policy("shop", "p", R"({"podSelector": {"matchLabels": {"role": "database"}},
        "policyTypes": ["Ingress"], "ingress": [{"from": [
          {"namespaceSelector": {"matchLabels": {"team": "b"}},
           "podSelector": {"matchLabels": {"role": "front-end"}}}]}]})");
    EXPECT_TRUE(allowed(kStranger, kDb, 1));
    EXPECT_FALSE(allowed(kWeb, kDb, 1));
    add_policy("shop", "p", R"({"podSelector": {"matchLabels": {"role": "database"}},
        "policyTypes": ["Ingress"], "ingress": [{"from": [
          {"namespaceSelector": {"matchLabels": {"team": "b"}}},
          {"podSelector": {"matchLabels": {"role": "front-end"}}}]}]})");
    EXPECT_TRUE(allowed(kStranger, kDb, 1));
    EXPECT_TRUE(allowed(kWeb, kDb, 1));
}

TEST_F(PolicyEvaluateTest, AMissingListAllowsAllAnEmptyOneOfRulesNothing) {
    add_policy("shop", "p", R"({"podSelector": {}, "policyTypes": ["Ingress"], "ingress": []})");
    EXPECT_FALSE(allowed(kOutside, kDb, 1));
    add_policy("shop", "p", R"({"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{}]})");
    EXPECT_TRUE(allowed(kOutside, kDb, 1));
    EXPECT_TRUE(allowed(kOutside, kDb, 1, nft::L4::kIcmp));
    add_policy("shop", "p", R"({"podSelector": {}, "policyTypes": ["Ingress"],
        "ingress": [{"from": [], "ports": []}]})");
    EXPECT_TRUE(allowed(kOutside, kDb, 1));
}

TEST_F(PolicyEvaluateTest, BothEndsMustAllow) {
    add_policy("shop", "in", R"({"podSelector": {"matchLabels": {"role": "database"}},
        "policyTypes": ["Ingress"], "ingress": [{"from": [{"podSelector": {}}]}]})");
    EXPECT_TRUE(allowed(kWeb, kDb, 5432));
    add_policy("shop", "out", R"({"podSelector": {"matchLabels": {"role": "front-end"}},
        "policyTypes": ["Egress"]})");
    const Judgement judgement = judged(kWeb, kDb, 5432);
    EXPECT_FALSE(judgement.allowed());
    EXPECT_TRUE(judgement.ingress.allowed());
    EXPECT_FALSE(judgement.egress.allowed());
}

TEST_F(PolicyEvaluateTest, PoliciesAddUp) {
    add_policy("shop", "none", R"({"podSelector": {}, "policyTypes": ["Ingress"]})");
    EXPECT_FALSE(allowed(kWeb, kDb, 80));
    add_policy("shop", "some", R"({"podSelector": {}, "policyTypes": ["Ingress"],
        "ingress": [{"ports": [{"port": 80}]}]})");
    EXPECT_TRUE(allowed(kWeb, kDb, 80));
    EXPECT_FALSE(allowed(kWeb, kDb, 81));
    EXPECT_FALSE(allowed(kWeb, kDb, 80, nft::L4::kUdp));
}

TEST_F(PolicyEvaluateTest, ARangeEndsWithItsLastPort) {
    add_policy("shop", "p", R"({"podSelector": {}, "policyTypes": ["Ingress"],
        "ingress": [{"ports": [{"port": 100, "endPort": 102}]}]})");
    EXPECT_FALSE(allowed(kWeb, kDb, 99));
    EXPECT_TRUE(allowed(kWeb, kDb, 100));
    EXPECT_TRUE(allowed(kWeb, kDb, 102));
    EXPECT_FALSE(allowed(kWeb, kDb, 103));
}

TEST_F(PolicyEvaluateTest, ANamedPortIsTheDestinationPods) {
    add_policy("shop", "p", R"({"podSelector": {"matchLabels": {"role": "database"}},
        "policyTypes": ["Ingress"], "ingress": [{"ports": [{"port": "pg"}]}]})");
    EXPECT_TRUE(allowed(kWeb, kDb, 5432));
    EXPECT_FALSE(allowed(kWeb, kDb, 5433));
    EXPECT_FALSE(allowed(kWeb, kDb, 5432, nft::L4::kUdp));
    add_policy("shop", "q", R"({"podSelector": {"matchLabels": {"role": "front-end"}},
        "policyTypes": ["Egress"], "egress": [{"ports": [{"port": "pg"}]}]})");
    EXPECT_TRUE(allowed(kWeb, kDb, 5432));
    EXPECT_FALSE(allowed(kWeb, kStranger, 5432));
}

TEST_F(PolicyEvaluateTest, ABlockLeavesOutItsExceptions) {
    add_policy("shop", "p", R"({"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to":
        [{"ipBlock": {"cidr": "203.0.113.0/24", "except": ["203.0.113.8/30"]}}]}]})");
    EXPECT_FALSE(allowed(kWeb, "203.0.113.9", 80));
    EXPECT_TRUE(allowed(kWeb, "203.0.113.12", 80));
    EXPECT_FALSE(allowed(kWeb, kDb, 80));
}

TEST_F(PolicyEvaluateTest, APodReachesItselfAndANodeItsPods) {
    add_policy("shop", "p", R"({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})");
    EXPECT_TRUE(allowed(kDb, kDb, 80));
    EXPECT_TRUE(allowed("172.30.0.12", kDb, 80));
    EXPECT_FALSE(allowed("172.30.0.11", kDb, 80));
}

TEST_F(PolicyEvaluateTest, ADenialNamesWhoIsolatesAndWhatWasMissed) {
    add_policy("shop", "db", R"({"podSelector": {"matchLabels": {"role": "database"}},
        "policyTypes": ["Ingress"], "ingress": [
          {"from": [{"podSelector": {"matchLabels": {"app": "x", "role": "backend"}}}]},
          {"from": [{"podSelector": {"matchLabels": {"role": "frontend"}}}],
           "ports": [{"port": 5432}]}]})");
    const Packet asked = packet(kWeb, kDb, 5432);
    EXPECT_EQ(judge(world_, asked).to_string(world_, asked),
              "pod shop/web -> pod shop/db TCP 5432: denied\n"
              "  egress of pod shop/web: no policy isolates it\n"
              "  ingress of pod shop/db: isolated by shop/db, and nothing allows this; nearest: "
              "shop/db ingress rule 2 wants role=frontend, pod shop/web has role=front-end");
    const Packet away = packet(kStranger, kDb, 5432);
    EXPECT_NE(
        judge(world_, away)
            .ingress.nearest_miss.find("wants a pod of namespace shop, pod other/web is in other"),
        std::string::npos);
    world_.pods.at(*Ipv4::parse(kWeb)).labels = {{"role", "frontend"}};
    EXPECT_EQ(judged(kWeb, kDb, 80).ingress.nearest_miss,
              "shop/db ingress rule 2 wants TCP port 5432, this is TCP port 80");
}

}  // namespace kin::policy
