#include "controllers/load_balancers.h"

#include <gtest/gtest.h>

#include "tests/support/addresses.h"

namespace kin::test {
namespace {

using controllers::choose_address;

const ObjectKey kWeb{"shop", "web"};
const ObjectKey kOther{"shop", "other"};

TEST(LoadBalancersTest, FirstFreeAddressIsGivenButNeitherTheNetworksNorTheLast) {
    const Cidr pool = cidr("172.30.200.0/30");
    std::map<Ipv4, ObjectKey> held;
    EXPECT_EQ(choose_address(pool, held, kWeb, {}), ip("172.30.200.1"));
    held[ip("172.30.200.1")] = kOther;
    EXPECT_EQ(choose_address(pool, held, kWeb, {}), ip("172.30.200.2"));
    held[ip("172.30.200.2")] = kOther;
    EXPECT_EQ(choose_address(pool, held, kWeb, {}), std::nullopt);
}

TEST(LoadBalancersTest, WishIsGrantedIfItIsFreeAndOfThePool) {
    const Cidr pool = cidr("172.30.200.0/24");
    const std::map<Ipv4, ObjectKey> held{{ip("172.30.200.7"), kOther}, {ip("172.30.200.8"), kWeb}};
    EXPECT_EQ(choose_address(pool, held, kWeb, ip("172.30.200.9")), ip("172.30.200.9"));
    EXPECT_EQ(choose_address(pool, held, kWeb, ip("172.30.200.8")), ip("172.30.200.8"));
    EXPECT_EQ(choose_address(pool, held, kWeb, ip("172.30.200.7")), std::nullopt);
    EXPECT_EQ(choose_address(pool, held, kWeb, ip("10.0.0.1")), std::nullopt);
    EXPECT_EQ(choose_address(pool, held, kWeb, ip("172.30.200.255")), std::nullopt);
}

}  // namespace
}  // namespace kin::test
