#include "dns/zone_builder.h"

#include <gmock/gmock.h>

#include "core/base/strings.h"
#include "tests/dns/zones.h"

namespace kin::dns {
namespace {

const ZoneNode* find(const Zone& zone, std::string_view name) { return zone.find(*to_wire(name)); }

TEST(ZoneBuilderTest, WhatAServiceBroughtGoesWithIt) {
    ZoneBuilder builder{ZoneOptions{}};
    test::fill(builder);
    const auto before = builder.snapshot();
    builder.set_service({"shop", "web"}, {});
    const auto after = builder.snapshot();
    for (const char* name : {"web.shop.svc.cluster.local", "_tcp.web.shop.svc.cluster.local",
                             "_http._tcp.web.shop.svc.cluster.local", "20.0.96.10.in-addr.arpa"}) {
        EXPECT_TRUE(find(*before, name)) << name;
        EXPECT_FALSE(find(*after, name)) << name;
    }
    EXPECT_TRUE(find(*after, "db.shop.svc.cluster.local"));
    EXPECT_TRUE(find(*after, "shop.svc.cluster.local"));
}

TEST(ZoneBuilderTest, ANameThatTwoObjectsBringStaysUntilBothAreGone) {
    ZoneBuilder builder{ZoneOptions{}};
    test::fill(builder);
    builder.set_namespace("shop", false);
    // Its Services are still there.
    EXPECT_TRUE(find(*builder.snapshot(), "shop.svc.cluster.local"));
    EXPECT_FALSE(find(*builder.snapshot(), "shop.pod.cluster.local"));
    for (const char* name : {"web", "db", "nobody", "shop", "alias"}) {
        builder.set_service({"shop", name}, {});
    }
    EXPECT_FALSE(find(*builder.snapshot(), "shop.svc.cluster.local"));
}

TEST(ZoneBuilderTest, AChangeReplacesWhatWasThereAndLeavesOldSnapshotsAlone) {
    ZoneBuilder builder{ZoneOptions{}};
    test::fill(builder);
    const auto before = builder.snapshot();
    const Service moved = test::service("web", {{"clusterIP", "10.96.0.99"}});
    builder.set_service(moved.key(), records_of(moved, {}, {}));
    const auto after = builder.snapshot();
    EXPECT_TRUE(find(*before, "20.0.96.10.in-addr.arpa"));
    EXPECT_FALSE(find(*after, "20.0.96.10.in-addr.arpa"));
    EXPECT_TRUE(find(*after, "99.0.96.10.in-addr.arpa"));
    EXPECT_NE(find(*before, "web.shop.svc.cluster.local")->find(Type::kA)->bytes,
              find(*after, "web.shop.svc.cluster.local")->find(Type::kA)->bytes);
    EXPECT_EQ(find(*before, "db.shop.svc.cluster.local"),
              find(*after, "db.shop.svc.cluster.local"));
}

TEST(ZoneBuilderTest, EveryNameOfALargeZoneIsFoundUntilItGoes) {
    ZoneBuilder builder{ZoneOptions{}};
    const auto name_of = [](int number) { return cat("s", number, ".shop.svc.cluster.local"); };
    constexpr int kServices = 5000;
    for (int i = 0; i < kServices; ++i) {
        const Service each =
            test::service(cat("s", i), {{"clusterIP", cat("10.96.", i / 250, ".", 1 + i % 250)}});
        builder.set_service(each.key(), records_of(each, {}, {}));
    }
    const auto full = builder.snapshot();
    for (int i = 0; i < kServices; i += 2) builder.set_service({"shop", cat("s", i)}, {});
    const auto half = builder.snapshot();
    for (int i = 0; i < kServices; ++i) {
        ASSERT_TRUE(find(*full, name_of(i))) << i;
        ASSERT_EQ(find(*half, name_of(i)) != nullptr, i % 2 == 1) << i;
    }
}

TEST(ZoneBuilderTest, RecordsOutsideTheZonesAreLeftOut) {
    ZoneBuilder builder{ZoneOptions{}};
    const Service external = test::service("api", {{"clusterIP", "192.168.0.1"}});
    builder.set_service(external.key(), records_of(external, {}, {}));
    EXPECT_FALSE(find(*builder.snapshot(), "1.0.168.192.in-addr.arpa"));
    EXPECT_TRUE(find(*builder.snapshot(), "api.shop.svc.cluster.local"));
}

}  // namespace
}  // namespace kin::dns
