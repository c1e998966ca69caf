#include "proxy/ruleset.h"

#include <gtest/gtest.h>

#include <random>

#include "core/base/strings.h"
#include "tests/proxy/services.h"

namespace kin::test {
namespace {

using proxy::Ruleset;
using proxy::ServicePort;

/// What the kernel would hold after `change`, held as a value.
void carry_out(const nft::Change& change, nft::Table& table) {
    for (const nft::ElementChange& elements : change.elements) {
        nft::Elements& held = table.find_set(elements.set.name)->elements;
        for (const nft::Range& range : elements.removed) EXPECT_EQ(held.erase(range), 1u);
        for (const auto& [range, element] : elements.added)
            EXPECT_TRUE(held.emplace(range, element).second);
    }
    for (const std::string& chain : change.removed_chains)
        std::erase_if(table.chains, [&](const auto& held) { return held.name == chain; });
    for (const nft::Chain& chain : change.added_chains) table.chains.push_back(chain);
}

void sort_chains(nft::Table& table) { std::ranges::sort(table.chains, {}, &nft::Chain::name); }

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
    const nft::Change change = ruleset.take_change();
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
    const nft::Change change = ruleset.take_change();
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
    std::mt19937 random(7);
    const auto draw = [&](uint32_t below) { return static_cast<uint32_t>(random() % below); };
    Ruleset ruleset;
    std::map<std::string, std::vector<ServicePort>> services;
    nft::Table kernel = proxy::skeleton(node_1());
    for (int turn = 0; turn < 300; ++turn) {
        for (uint32_t changes = draw(3) + 1; changes > 0; --changes) {
            const uint32_t number = draw(8);
            const std::string name = cat("ns/service-", number);
            std::vector<ServicePort>& ports = services[name];
            ports.clear();
            for (uint32_t port = 0; port < draw(3); ++port) {
                // Addresses and pods overlap between Services, so that elements are shared.
                ServicePort made{cat(name, ":p", port),
                                 ip("10.96.0.1").plus(number / 2),
                                 nft::L4::kTcp,
                                 static_cast<uint16_t>(80 + port),
                                 {}};
                for (uint32_t endpoint = 0; endpoint < draw(5); ++endpoint)
                    made.endpoints.push_back(
                        {ip("10.244.1.2").plus(endpoint + draw(2) * 10), 8080, "ns/pod"});
                ports.push_back(std::move(made));
            }
            ruleset.set(name, ports);
        }
        carry_out(ruleset.take_change(), kernel);
        Ruleset fresh;
        for (const auto& [name, ports] : services) fresh.set(name, ports);
        nft::Table expected = fresh.table(node_1());
        sort_chains(expected);
        sort_chains(kernel);
        ASSERT_EQ(nft::to_text(kernel), nft::to_text(expected)) << "turn " << turn;
    }
}

}  // namespace
}  // namespace kin::test
