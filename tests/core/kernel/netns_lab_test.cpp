#include <gtest/gtest.h>

#include "core/base/strings.h"
#include "core/kernel/netns.h"
#include "tests/support/lab_namespace.h"

namespace kin::test {
namespace {

class NetnsLabTest : public testing::Test {
protected:
    void SetUp() override { KIN_REQUIRE_LAB(); }
};

uint64_t here() {
    const auto current = Netns::current();
    return current ? current->id().value() : 0;
}

TEST_F(NetnsLabTest, CreateMakesANewOneAndComesBack) {
    const uint64_t home = here();
    auto made = Netns::create();
    ASSERT_TRUE(made) << made.error().text();
    EXPECT_NE(made->id().value(), home);
    EXPECT_EQ(here(), home);
}

TEST_F(NetnsLabTest, EnterIsInsideAndComesBackAfterAnError) {
    const uint64_t home = here();
    auto made = Netns::create();
    ASSERT_TRUE(made);
    uint64_t inside = 0;
    const auto entered = made->enter([&]() -> Result<> {
        inside = here();
        return Error(Errc::kInvalid, "no");
    });
    EXPECT_FALSE(entered);
    EXPECT_EQ(inside, made->id().value());
    EXPECT_EQ(here(), home);
}

TEST_F(NetnsLabTest, SysctlsBelongToTheNamespace) {
    auto first = Netns::create();
    auto second = Netns::create();
    ASSERT_TRUE(first && second);
    ASSERT_TRUE(first->write_sysctls({{"net/ipv4/ip_forward", "1"}}));
    ASSERT_TRUE(second->write_sysctls({{"net/ipv4/ip_forward", "0"}}));
    EXPECT_EQ(first->read_sysctl("net/ipv4/ip_forward").value(), "1");
    EXPECT_EQ(second->read_sysctl("net/ipv4/ip_forward").value(), "0");
}

TEST_F(NetnsLabTest, UnknownSysctlNamesItsPath) {
    auto made = Netns::create();
    ASSERT_TRUE(made);
    const auto written = made->write_sysctls({{"net/ipv4/no_such", "1"}});
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code(), Errc::kNotFound);
    EXPECT_NE(written.error().text().find("net/ipv4/no_such"), std::string::npos);
}

}  // namespace
}  // namespace kin::test
