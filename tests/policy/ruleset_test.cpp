#include "policy/ruleset.h"

#include <gtest/gtest.h>

#include "core/base/strings.h"
#include "core/kernel/nft_trace.h"
#include "tests/policy/random_world.h"

namespace kin::policy {

namespace {
/// What the tables of the nodes on its way do to a packet.
bool passes(const World& world, const std::map<std::string, nft::Table>& tables,
            const Packet& packet) {
    const auto from = world.pods.find(packet.source);
    const auto to = world.pods.find(packet.destination);
    nft::Packet raw;
    raw.source = packet.source;
    raw.destination = packet.destination;
    raw.l4 = packet.l4;
    raw.destination_port = packet.port;
    const auto accepted = [&](const std::string& node, nft::Hook hook) {
        const nft::Table* const table = &tables.at(node);
        return nft::trace({&table, 1}, hook, raw).outcome == nft::Fate::Outcome::kAccepted;
    };
    std::string last;
    if (from != world.pods.end()) {
        last = from->second.node;
        const auto own = world.nodes.find(last);
        const bool received = own->second == packet.destination;
        if (!accepted(last, received ? nft::Hook::kInput : nft::Hook::kForward)) return false;
    }
    if (to == world.pods.end() || to->second.node == last) return true;
    // What a node sends itself is not forwarded.
    if (world.nodes.at(to->second.node) == packet.source) return true;
    return accepted(to->second.node, nft::Hook::kForward);
}

std::map<std::string, nft::Table> tables_of(const World& world) {
    std::map<std::string, nft::Table> out;
    for (const auto& [node, address] : world.nodes) out[node] = compile(world, node);
    return out;
}

std::string explain(const World& world, const Packet& packet) {
    std::string out = judge(world, packet).to_string(world, packet);
    for (const auto& [key, policy] : world.policies) out += "\n" + policy.object->dump();
    return out;
}

/// A ruleset that has been told all of a world.
Ruleset ruleset_of(const World& world) {
    Ruleset out;
    for (const auto& [name, labels] : world.namespaces) out.set_namespace(name, labels);
    for (const auto& [name, address] : world.nodes) out.set_node(name, address);
    for (const auto& [key, policy] : world.policies) out.set_policy(key, policy);
    for (const auto& [address, pod] : world.pods) out.set_pod(pod);
    return out;
}

nft::Table sorted(nft::Table table) {
    const auto by_name = [](const auto& a, const auto& b) { return a.name < b.name; };
    std::sort(table.chains.begin(), table.chains.end(), by_name);
    std::sort(table.sets.begin(), table.sets.end(),
              [](const auto& a, const auto& b) { return a.shape.name < b.shape.name; });
    return table;
}

/// A table as a change leaves it, as the kernel would carry it out.
void carry_out(const nft::Change& change, nft::Table& table) {
    for (const nft::Chain& chain : change.added_chains) table.chains.push_back(chain);
    for (const nft::SetShape& shape : change.added_sets) table.sets.push_back({shape, {}});
    for (const nft::Chain& chain : change.rewritten_chains) {
        for (nft::Chain& held : table.chains)
            if (held.name == chain.name) held = chain;
    }
    for (const nft::ElementChange& elements : change.elements) {
        nft::Set* set = table.find_set(elements.set.name);
        ASSERT_NE(set, nullptr) << elements.set.name;
        for (const nft::Range& range : elements.removed)
            ASSERT_EQ(set->elements.erase(range), 1U) << elements.set.name;
        for (const auto& [range, element] : elements.added)
            ASSERT_TRUE(set->elements.emplace(range, element).second) << elements.set.name;
    }
    for (const std::string& name : change.removed_chains)
        std::erase_if(table.chains, [&](const auto& chain) { return chain.name == name; });
    for (const std::string& name : change.removed_sets)
        std::erase_if(table.sets, [&](const auto& set) { return set.shape.name == name; });
}
}  // namespace

TEST(PolicyTableTest, TheTableSaysWhatThePoliciesMean) {
    for (uint32_t seed = 0; seed < 400; ++seed) {
        RandomWorld random(seed);
        const World world = random.world(9, 1 + static_cast<int>(random.below(6)));
        const auto tables = tables_of(world);
        for (int i = 0; i < 40; ++i) {
            const Packet packet = random.packet(world);
            ASSERT_EQ(passes(world, tables, packet), judge(world, packet).allowed())
                << "seed " << seed << '\n'
                << explain(world, packet);
        }
    }
}

TEST(PolicyRulesetTest, ChangesLeadToWhatTheWorldAsksForFromNothing) {
    for (uint32_t seed = 0; seed < 60; ++seed) {
        RandomWorld random(1000 + seed);
        World world = random.world(9, 4);
        Ruleset ruleset = ruleset_of(world);
        std::map<std::string, nft::Table> kernel;
        for (const auto& [node, address] : world.nodes) kernel[node] = skeleton();
        for (int step = 0; step < 25; ++step) {
            for (auto& [node, change] : ruleset.take_changes()) carry_out(change, kernel[node]);
            for (const auto& [node, address] : world.nodes) {
                const nft::Table wanted = sorted(compile(ruleset.world(), node));
                ASSERT_EQ(to_text(sorted(ruleset.table(node))), to_text(wanted)) << "seed " << seed;
                ASSERT_EQ(to_text(sorted(kernel[node])), to_text(wanted))
                    << "seed " << seed << " step " << step;
            }
            const Ipv4 address = pod_address(random.below(9));
            switch (random.below(5)) {
                case 0:
                    ruleset.set_namespace(random.one_in(2) ? "x" : "y", random.labels());
                    break;
                case 1: {
                    NetworkPolicy policy = random.network_policy(cat("policy-", random.below(6)));
                    ruleset.set_policy(policy.key(), policy);
                    break;
                }
                case 2:
                    if (!ruleset.world().policies.empty())
                        ruleset.set_policy(ObjectKey(ruleset.world().policies.begin()->first), {});
                    break;
                case 3: {
                    const auto known = ruleset.world().pods.find(address);
                    if (known != ruleset.world().pods.end())
                        ruleset.remove_pod(address, std::string(known->second.uid));
                    break;
                }
                default: {
                    PolicyPod pod = random.pod(address);
                    const auto known = ruleset.world().pods.find(address);
                    if (known != ruleset.world().pods.end() && random.one_in(2)) {
                        pod.key = known->second.key;  // The same pod with other labels.
                        pod.uid = known->second.uid;
                        pod.ports = known->second.ports;
                    }
                    ruleset.set_pod(std::move(pod));
                }
            }
        }
    }
}

TEST(PolicyRulesetTest, PodsOfTheSamePoliciesShareAChain) {
    RandomWorld random(7);
    World world = random.world(9, 0);
    for (auto& [address, pod] : world.pods) pod.key.ns = "x";
    const Json everybody = {
        {"metadata", {{"name", "deny"}, {"namespace", "x"}}},
        {"spec", {{"podSelector", Json::object()}, {"policyTypes", {"Ingress"}}}}};
    const auto policy = decode<NetworkPolicy>(std::make_shared<const Json>(everybody));
    world.policies.emplace(policy.key(), policy);
    const nft::Table table = compile(world, "node-1");
    EXPECT_EQ(table.chains.size(), skeleton().chains.size() + 1);
    EXPECT_EQ(table.find_set(kIngressPods)->elements.size(), 3U);
    ASSERT_NE(table.find_chain("ingress-x/deny"), nullptr);
}

}  // namespace kin::policy
