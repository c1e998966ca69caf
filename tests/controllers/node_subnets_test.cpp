#include "controllers/node_subnets.h"

#include <gtest/gtest.h>

namespace kin::controllers {
namespace {

const Cidr kPool = *Cidr::parse("10.244.0.0/16");

std::string subnet(const std::string& name, const std::vector<Cidr>& taken = {}) {
    const auto chosen = choose_subnet(name, kPool, taken);
    return chosen ? chosen->to_string() : "";
}

TEST(NodeSubnetsTest, ANodesNumberIsItsSubnets) {
    EXPECT_EQ(subnet("node-1"), "10.244.1.0/24");
    EXPECT_EQ(subnet("node-12"), "10.244.12.0/24");
}

TEST(NodeSubnetsTest, WithoutAUsableNumberTheFirstFreeOneIsTaken) {
    const std::vector<Cidr> taken = {*Cidr::parse("10.244.1.0/24")};
    EXPECT_EQ(subnet("worker", taken), "10.244.2.0/24");
    EXPECT_EQ(subnet("node-1", taken), "10.244.2.0/24");
    EXPECT_EQ(subnet("node-0"), "10.244.1.0/24");
    EXPECT_EQ(subnet("node-99999999999"), "10.244.1.0/24");
}

TEST(NodeSubnetsTest, AFullPoolGivesNone) { EXPECT_EQ(subnet("node-1", {kPool}), ""); }

}  // namespace
}  // namespace kin::controllers
