#include "web/slots.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace kin::web {
namespace {

Json service(const std::string& name) {
    return {{"id", "service/shop/" + name}, {"kind", "service"}, {"ns", "shop"}, {"name", name}};
}
Json pod(const std::string& name, const std::string& node) {
    return {{"id", "pod/shop/" + name},
            {"kind", "pod"},
            {"ns", "shop"},
            {"name", name},
            {"node", node}};
}

TEST(SlotsTest, ThingKeepsItsPlaceAndANewOneTakesTheFirstThatIsFree) {
    Slots slots;
    for (int at = 0; at < 3; ++at) EXPECT_EQ(slots.place(service(std::string(1, 'a' + at))), at);
    slots.leave("service/shop/a");
    EXPECT_EQ(slots.place(service("c")), 2);
    EXPECT_EQ(slots.place(service("d")), 0);
    EXPECT_EQ(slots.place(service("e")), 3);
}

TEST(SlotsTest, PlacesAtTheEndThatNobodyHasAreNoneAnyMore) {
    Slots slots;
    for (const char* name : {"a", "b", "c"}) slots.place(service(name));
    slots.leave("service/shop/b");
    slots.leave("service/shop/c");
    slots.leave("service/shop/c");
    EXPECT_EQ(slots.place(service("d")), 1);
    EXPECT_EQ(slots.place(service("e")), 2);
}

TEST(SlotsTest, PodsStandWithThoseOfTheirNodeAndOfTheirKind) {
    Slots slots;
    EXPECT_EQ(slots.place(pod("a", "node-1")), 0);
    EXPECT_EQ(slots.place(pod("b", "node-2")), 0);
    Json system = pod("dns", "node-1");
    system["ns"] = "kube-system";
    EXPECT_EQ(slots.place(system), 0);
    Json proxy = pod("proxy", "node-1");
    proxy["hostNetwork"] = true;
    EXPECT_EQ(slots.place(proxy), -1);
    EXPECT_EQ(slots.place({{"id", "host/node-1"}, {"kind", "host"}}), -1);
}

TEST(SlotsTest, PodThatGetsANodeLeavesThoseThatWait) {
    Slots slots;
    EXPECT_EQ(slots.place(pod("new", "")), -1) << "it has a node in a moment";
    Json stuck = pod("a", ""), other = pod("b", "");
    stuck["waits"] = other["waits"] = "0/3 nodes are available";
    EXPECT_EQ(slots.place(stuck), 0);
    EXPECT_EQ(slots.place(other), 1);
    EXPECT_EQ(slots.place(pod("a", "node-1")), 0);
    EXPECT_EQ(slots.place(other), 1);
    stuck["id"] = "pod/shop/c";
    EXPECT_EQ(slots.place(stuck), 0);
}

TEST(SlotsTest, OnlyThoseWhoAreThereKeepTheirPlaces) {
    Slots slots;
    for (const char* name : {"a", "b", "c"}) slots.place(service(name));
    slots.keep_only({"service/shop/b"});
    EXPECT_EQ(slots.place(service("b")), 1);
    EXPECT_EQ(slots.place(service("x")), 0);
}

TEST(SlotsTest, SystemComesLastAndNumbersAreCounted) {
    Json system = service("aaa");
    system["ns"] = "kube-system";
    std::vector<Json> things{system, service("web-10"), service("web-2")};
    std::ranges::sort(things, {}, place_key);
    EXPECT_EQ(things, (std::vector<Json>{service("web-2"), service("web-10"), system}));
}

}  // namespace
}  // namespace kin::web
