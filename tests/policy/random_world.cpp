#include "tests/policy/random_world.h"

#include "core/base/strings.h"

namespace kin::policy {

namespace {
constexpr const char* kNamespaces[] = {"x", "y", "z"};
constexpr const char* kKeys[] = {"app", "tier"};
constexpr const char* kValues[] = {"a", "b", "c"};
constexpr const char* kPortNames[] = {"web", "db"};
constexpr uint16_t kPorts[] = {80, 81, 5432};
constexpr const char* kProtocols[] = {"TCP", "UDP", "SCTP"};

template <class T, size_t N>
const T& one_of(RandomWorld& random, const T (&choices)[N]) {
    return choices[random.below(N)];
}
}  // namespace

Ipv4 pod_address(uint32_t number) { return {0x0AF40002 + (number % 3 << 8) + number / 3}; }

Labels RandomWorld::labels() {
    Labels out;
    for (const char* key : kKeys)
        if (!one_in(4)) out[key] = one_of(*this, kValues);
    return out;
}

PolicyPod RandomWorld::pod(Ipv4 address) {
    PolicyPod out;
    out.key = {one_of(*this, kNamespaces), cat("p", address.value & 0xFFFF)};
    out.uid = cat(next_uid_++);
    out.labels = labels();
    out.node = cat("node-", 1 + (address.value >> 8) % 3);
    out.address = address;
    for (const char* name : kPortNames) {
        if (one_in(3)) continue;
        ContainerPort port;
        port.name = name;
        port.port = one_of(*this, kPorts);
        port.protocol = protocol_of(one_of(*this, kProtocols));
        out.ports.push_back(port);
    }
    return out;
}

Json RandomWorld::selector() {
    Json out = Json::object();
    if (one_in(3)) return out;
    if (!one_in(3)) out["matchLabels"][one_of(*this, kKeys)] = one_of(*this, kValues);
    if (one_in(2)) {
        static constexpr const char* kOperators[] = {"In", "NotIn", "Exists", "DoesNotExist"};
        const std::string chosen = one_of(*this, kOperators);
        Json expression = {{"key", one_of(*this, kKeys)}, {"operator", chosen}};
        if (chosen == "In" || chosen == "NotIn")
            expression["values"] = Json::array({one_of(*this, kValues), one_of(*this, kValues)});
        out["matchExpressions"] = Json::array({expression});
    }
    return out;
}

Json RandomWorld::peer() {
    Json out = Json::object();
    if (one_in(3)) {
        static constexpr const char* kBlocks[] = {"10.244.0.0/16",  "10.244.1.0/24",
                                                  "10.244.0.0/30",  "0.0.0.0/0",
                                                  "203.0.113.0/24", "10.244.2.3/32"};
        out["ipBlock"]["cidr"] = one_of(*this, kBlocks);
        if (one_in(2)) out["ipBlock"]["except"] = Json::array({"10.244.1.2/31", "203.0.113.8/29"});
        return out;
    }
    const bool namespaces = one_in(2);
    if (namespaces) out["namespaceSelector"] = selector();
    if (!namespaces || one_in(2)) out["podSelector"] = selector();
    return out;
}

Json RandomWorld::port() {
    Json out = {{"protocol", one_of(*this, kProtocols)}};
    switch (below(5)) {
        case 0:
            break;
        case 1:
            out["port"] = one_of(*this, kPortNames);
            break;
        case 2:
            out["port"] = 70 + below(12);
            out["endPort"] = 80 + below(2);
            break;
        default:
            out["port"] = one_of(*this, kPorts);
    }
    return out;
}

Json RandomWorld::rules(const char* peers) {
    Json out = Json::array();
    for (uint32_t count = below(3); count > 0; --count) {
        Json rule = Json::object();
        for (uint32_t n = below(3); n > 0; --n) rule[peers].push_back(peer());
        for (uint32_t n = below(3); n > 0; --n) rule["ports"].push_back(port());
        out.push_back(std::move(rule));
    }
    return out;
}

NetworkPolicy RandomWorld::network_policy(const std::string& name) {
    Json types = Json::array();
    if (!one_in(3)) types.push_back("Ingress");
    if (types.empty() || one_in(2)) types.push_back("Egress");
    Json object = {{"metadata", {{"name", name}, {"namespace", one_of(*this, kNamespaces)}}},
                   {"spec",
                    {{"podSelector", selector()},
                     {"policyTypes", types},
                     {"ingress", rules("from")},
                     {"egress", rules("to")}}}};
    return decode<NetworkPolicy>(std::make_shared<const Json>(std::move(object)));
}

World RandomWorld::world(int pods, int policies) {
    World out;
    for (const char* ns : kNamespaces) out.namespaces[ns] = labels();
    for (int node = 1; node <= 3; ++node)
        out.nodes[cat("node-", node)] = Ipv4{0xAC1E000A + static_cast<uint32_t>(node)};
    for (int i = 0; i < pods; ++i) {
        const Ipv4 address = pod_address(static_cast<uint32_t>(i));
        out.pods.emplace(address, pod(address));
    }
    for (int i = 0; i < policies; ++i) {
        NetworkPolicy policy = network_policy(cat("policy-", i));
        out.policies.emplace(policy.key(), std::move(policy));
    }
    return out;
}

Ipv4 RandomWorld::some_address(const World& world) {
    if (one_in(5)) return {0xCB007100 + below(16)};  // 203.0.113.0/28
    if (one_in(8)) return world.nodes.begin()->second;
    auto at = world.pods.begin();
    std::advance(at, below(static_cast<uint32_t>(world.pods.size())));
    return at->first;
}

Packet RandomWorld::packet(const World& world) {
    static constexpr nft::L4 kAll[] = {nft::L4::kTcp, nft::L4::kTcp, nft::L4::kUdp, nft::L4::kSctp,
                                       nft::L4::kIcmp};
    Packet out{some_address(world), some_address(world), one_of(*this, kAll), 0};
    if (out.l4 != nft::L4::kIcmp) out.port = one_in(3) ? 70 + below(15) : one_of(*this, kPorts);
    return out;
}

}  // namespace kin::policy
