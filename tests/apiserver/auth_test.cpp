#include "apiserver/auth.h"

#include <gtest/gtest.h>

#include "core/base/strings.h"

namespace kin::apiserver {
namespace {

WallTime now{std::chrono::seconds(1'800'000'000)};
WallTime test_clock() { return now; }

http::Request with_token(const std::string& token) {
    http::Request request;
    request.peer.door = http::Peer::Door::kTls;
    request.headers.add("Authorization", cat("Bearer ", token));
    return request;
}

class AuthTest : public testing::Test {
protected:
    std::string name_of(const std::string& token) const {
        const auto user = tokens_.authenticate(with_token(token));
        return user ? user->name : "nobody";
    }
    std::string token(ServiceAccountToken what) const {
        what.account = {"shop", "web"};
        return tokens_.service_account_token(what);
    }
    const Authenticator tokens_{"secret", test_clock};
};

TEST_F(AuthTest, ATokenSaysWhichServiceAccountAsks) {
    const auto user = tokens_.authenticate(with_token(token({})));
    ASSERT_TRUE(user);
    EXPECT_EQ(user->name, "system:serviceaccount:shop:web");
    EXPECT_TRUE(user->in_group("system:serviceaccounts:shop"));
    EXPECT_FALSE(user->is_admin());
}

TEST_F(AuthTest, OnlyAdminsActAsSomebodyElse) {
    const User admin{"kubernetes-admin", {"system:masters"}};
    http::Request request;
    EXPECT_EQ(acting_user(admin, request)->name, "kubernetes-admin");
    request.headers.add("Impersonate-User", "system:serviceaccount:shop:web");
    const auto account = acting_user(admin, request);
    ASSERT_TRUE(account);
    EXPECT_FALSE(account->is_admin());
    EXPECT_TRUE(account->in_group("system:serviceaccounts:shop"));
    EXPECT_TRUE(account->in_group("system:authenticated"));
    request.headers.add("Impersonate-Group", "system:masters");
    EXPECT_TRUE(acting_user(admin, request)->is_admin());
    const auto refused = acting_user({"bob", {"system:authenticated"}}, request);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, 403);
    http::Request groups;
    groups.headers.add("Impersonate-Group", "system:masters");
    EXPECT_FALSE(acting_user(admin, groups));
}

TEST_F(AuthTest, ATokenIsNobodysWhenItsTimeIsOver) {
    const WallTime start = now;
    ServiceAccountToken what;
    what.seconds = 600;
    const std::string made = token(what);
    now = start + std::chrono::seconds(599);
    EXPECT_EQ(name_of(made), "system:serviceaccount:shop:web");
    now = start + std::chrono::seconds(600);
    EXPECT_EQ(name_of(made), "nobody");
    now = start;
}

TEST_F(AuthTest, AChangedOrForeignTokenIsNobodys) {
    std::string made = token({});
    EXPECT_EQ(name_of(made.substr(0, made.size() - 2)), "nobody");
    made[made.find('.') + 3] ^= 1;
    EXPECT_EQ(name_of(made), "nobody");
    EXPECT_EQ(name_of("a.b.c"), "nobody");
    EXPECT_EQ(name_of(""), "nobody");
    EXPECT_EQ(name_of(Authenticator("other", test_clock).service_account_token({})), "nobody");
}

TEST_F(AuthTest, ATokenForOthersIsNotTakenHere) {
    ServiceAccountToken what;
    what.audiences = {"vault"};
    EXPECT_EQ(name_of(token(what)), "nobody");
}

TEST_F(AuthTest, ThePodsOwnTokenLivesAYear) {
    EXPECT_EQ(granted_seconds(3607), 365 * 24 * 3600);
    EXPECT_EQ(granted_seconds(3600), 3600);
}

}  // namespace
}  // namespace kin::apiserver
