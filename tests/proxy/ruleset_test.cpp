#include "proxy/ruleset.h"

#include <gtest/gtest.h>

#include <random>

#include "core/base/strings.h"
#include "tests/proxy/services.h"

namespace kin::test {
namespace {

using proxy::Ruleset;
using proxy::ServicePort;

/// What the kernel would hold after `change`, held as a value; it refuses what the kernel refuses.
void carry_out(const nft::Change& change, nft::Table& table) {
    for (const nft::Chain& chain : change.added_chains) {
        EXPECT_EQ(table.find_chain(chain.name), nullptr) << chain.name;
        table.chains.push_back(chain);
    }
    for (const nft::SetShape& shape : change.added_sets) {
        EXPECT_EQ(table.find_set(shape.name), nullptr) << shape.name;
        table.sets.push_back({shape, {}});
    }
    for (const nft::ElementChange& elements : change.elements) {
        nft::Elements& held = table.find_set(elements.set.name)->elements;
        for (const nft::Range& range : elements.removed) EXPECT_EQ(held.erase(range), 1u);
        for (const auto& [range, element] : elements.added)
            EXPECT_TRUE(held.emplace(range, element).second);
    }
    for (const nft::Chain& rewritten : change.rewritten_chains)
        for (nft::Chain& chain : table.chains)
            if (chain.name == rewritten.name) chain = rewritten;
    for (const std::string& set : change.removed_sets)
        EXPECT_EQ(std::erase_if(table.sets, [&](auto& held) { return held.shape.name == set; }),
                  1u);
    for (const std::string& chain : change.removed_chains)
        EXPECT_EQ(std::erase_if(table.chains, [&](auto& held) { return held.name == chain; }), 1u);
}

void sort(nft::Table& table) {
    std::ranges::sort(table.chains, {}, &nft::Chain::name);
    std::ranges::sort(table.sets, {}, [](const nft::Set& set) { return set.shape.name; });
}

/// Whatever a Service can be, at random; addresses and pods overlap, so that elements are shared.
class RandomServices {
public:
    explicit RandomServices(uint32_t seed) : random_(seed) {}

    uint32_t draw(uint32_t below) { return static_cast<uint32_t>(random_() % below); }

    std::vector<ServicePort> service(const std::string& name, uint32_t number) {
        std::vector<ServicePort> ports;
        for (uint32_t port = draw(3); port > 0; --port) {
            ServicePort made{cat(name, ":p", port), ip("10.96.0.1").plus(number / 2), nft::L4::kTcp,
                             static_cast<uint16_t>(80 + port), endpoints()};
            if (draw(2) == 0) made.node_port = static_cast<uint16_t>(30'000 + draw(4));
            if (draw(3) == 0) made.external_ips.push_back(ip("198.51.100.1").plus(draw(2)));
            if (draw(3) == 0) made.balanced_ips.push_back(ip("172.30.200.1").plus(draw(2)));
            if (draw(2) == 0) made.restricted = true;
            if (draw(2) == 0) made.source_ranges.push_back(cidr("203.0.113.0/24"));
            if (draw(3) == 0) made.internal = proxy::TrafficPolicy::kLocal;
            if (draw(3) == 0) made.external = proxy::TrafficPolicy::kLocal;
            if (draw(3) == 0) made.affinity_s = draw(3) * 60;
            for (const char* node : {"node-1", "node-2"})
                if (draw(2) == 0) made.local[node] = endpoints();
            std::erase_if(made.local, [](const auto& local) { return local.second.empty(); });
            ports.push_back(std::move(made));
        }
        return ports;
    }

private:
    std::vector<proxy::Endpoint> endpoints() {
        std::vector<proxy::Endpoint> made;
        for (uint32_t number = draw(5); number > 0; --number)
            made.push_back({ip("10.244.1.2").plus(number + draw(2) * 10), 8080, "ns/pod"});
        return made;
    }

    std::mt19937 random_;
};

TEST(RulesetTest, UnchangedServiceIsNoChange) {
    Ruleset ruleset;
    const ServicePort port = web();
    ruleset.set("shop/web", {&port, 1});
    EXPECT_FALSE(ruleset.take_change().empty());
    ruleset.set("shop/web", {&port, 1});
    EXPECT_TRUE(ruleset.take_change().empty());
    EXPECT_TRUE(ruleset.take_change().empty());
}

TEST(RulesetTest, OneMovedEndpointTouchesOnlyItself) {
    Ruleset ruleset;
    ServicePort port = web();
    const ServicePort other = dns();
    ruleset.set("shop/web", {&port, 1});
    ruleset.set("kube-system/kube-dns", {&other, 1});
    ruleset.take_change();
    port.endpoints[1] = {ip("10.244.3.7"), 8080, "shop/web-2"};
    ruleset.set("shop/web", {&port, 1});
    const nft::Change change = ruleset.take_change().on("node-1");
    EXPECT_EQ(change.element_count(), 4u);  // One endpoint and one hairpin entry, out and in.
    EXPECT_TRUE(change.added_chains.empty());
    EXPECT_TRUE(change.removed_chains.empty());
}

TEST(RulesetTest, LastEndpointGoneMovesTheServiceToThoseWithout) {
    Ruleset ruleset;
    ServicePort port = web();
    ruleset.set("shop/web", {&port, 1});
    ruleset.take_change();
    port.endpoints.clear();
    ruleset.set("shop/web", {&port, 1});
    const nft::Change change = ruleset.take_change().on("node-1");
    EXPECT_EQ(change.removed_chains, std::vector<std::string>{"lb-2"});
    const nft::Table table = ruleset.table(node_1());
    EXPECT_EQ(table.find_set("no-endpoint-services")->elements.size(), 1u);
    EXPECT_TRUE(table.find_set("endpoints")->elements.empty());
    EXPECT_TRUE(table.find_set("hairpin-connections")->elements.empty());
}

TEST(RulesetTest, SharedElementStaysUntilTheLastOwnerGoes) {
    Ruleset ruleset;
    ServicePort first = web();
    ServicePort second = web();
    second.name = "shop/other:http";
    second.cluster_ip = ip("10.96.0.21");
    ruleset.set("shop/web", {&first, 1});
    ruleset.set("shop/other", {&second, 1});
    ruleset.take_change();
    const auto hairpins = [&] {
        return ruleset.table(node_1()).find_set("hairpin-connections")->elements.size();
    };
    ruleset.set("shop/web", {});
    EXPECT_EQ(hairpins(), 2u);
    ruleset.set("shop/other", {});
    EXPECT_EQ(hairpins(), 0u);
}

TEST(RulesetTest, TwoServicesWithOneAddressDoNotStopTheTable) {
    Ruleset ruleset;
    ServicePort first = web();
    ServicePort second = none();
    second.cluster_ip = first.cluster_ip;
    first.name = "b/first";
    second.name = "a/second";
    second.endpoints = {{ip("10.244.9.9"), 1, "a/pod"}};
    ruleset.set("b/first", {&first, 1});
    ruleset.set("a/second", {&second, 1});
    const auto standing = [&] {
        return ruleset.table(node_1()).find_set("service-ips")->elements.begin()->second.comment;
    };
    EXPECT_EQ(standing(), "a/second");
    ruleset.set("a/second", {});
    EXPECT_EQ(standing(), "b/first");
}

TEST(RulesetTest, ChangesInAnyOrderLeadToTheTableAsIfFromNothing) {
    RandomServices random(7);
    Ruleset ruleset;
    std::map<std::string, std::vector<ServicePort>> services;
    std::map<std::string, std::pair<proxy::Network, nft::Table>> nodes;
    for (const char* name : {"node-1", "node-2", "node-3"}) {
        proxy::Network network = node_1();
        network.node = name;
        nodes[name] = {network, proxy::skeleton(network)};
    }
    for (int turn = 0; turn < 150; ++turn) {
        for (uint32_t changes = random.draw(3) + 1; changes > 0; --changes) {
            const uint32_t number = random.draw(8);
            const std::string name = cat("ns/service-", number);
            services[name] = random.service(name, number);
            ruleset.set(name, services[name]);
        }
        const proxy::RulesetChange change = ruleset.take_change();
        Ruleset fresh;
        for (const auto& [name, ports] : services) fresh.set(name, ports);
        for (auto& [name, node] : nodes) {
            auto& [network, kernel] = node;
            carry_out(change.on(name), kernel);
            nft::Table expected = fresh.table(network);
            sort(expected);
            sort(kernel);
            ASSERT_EQ(nft::to_text(kernel), nft::to_text(expected)) << name << ", turn " << turn;
        }
    }
}

}  // namespace
}  // namespace kin::test
