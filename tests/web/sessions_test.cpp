#include "web/sessions.h"

#include <gtest/gtest.h>

namespace kin::web {
namespace {

Sessions::Clock::time_point now_is{std::chrono::hours(500'000)};
Sessions::Clock::time_point fake_now() { return now_is; }

class SessionsTest : public testing::Test {
protected:
    Sessions sessions_{"secret of the lab", fake_now};
    std::string cookie() { return *sessions_.cookie_for(sessions_.new_code()); }
};

TEST_F(SessionsTest, CodeOpensThePageOnce) {
    const std::string code = sessions_.new_code();
    const auto cookie = sessions_.cookie_for(code);
    ASSERT_TRUE(cookie);
    EXPECT_TRUE(sessions_.is_cookie(*cookie));
    EXPECT_FALSE(sessions_.cookie_for(code));
}

TEST_F(SessionsTest, GuessedCodeOpensNothing) {
    const std::string code = sessions_.new_code();
    EXPECT_FALSE(sessions_.cookie_for(""));
    EXPECT_FALSE(sessions_.cookie_for(code.substr(1)));
    EXPECT_FALSE(sessions_.cookie_for(code + "0"));
    EXPECT_TRUE(sessions_.cookie_for(code));
}

TEST_F(SessionsTest, CodeIsTooOldAfterAQuarterOfAnHour) {
    const std::string in_time = sessions_.new_code(), late = sessions_.new_code();
    now_is += Sessions::kCodeLife;
    EXPECT_TRUE(sessions_.cookie_for(in_time));
    now_is += std::chrono::seconds(1);
    EXPECT_FALSE(sessions_.cookie_for(late));
}

TEST_F(SessionsTest, OldCodesMakeWayForNewOnes) {
    const std::string first = sessions_.new_code();
    std::string last;
    for (int i = 0; i < 64; ++i) last = sessions_.new_code();
    EXPECT_FALSE(sessions_.cookie_for(first));
    EXPECT_TRUE(sessions_.cookie_for(last));
}

TEST_F(SessionsTest, CookieOutlivesARestartButNotAnotherSecret) {
    const std::string given = cookie();
    EXPECT_TRUE(Sessions("secret of the lab", fake_now).is_cookie(given));
    EXPECT_FALSE(Sessions("another secret", fake_now).is_cookie(given));
}

TEST_F(SessionsTest, CookieIsTooOldAfterADay) {
    const std::string given = cookie();
    now_is += Sessions::kCookieLife - std::chrono::seconds(1);
    EXPECT_TRUE(sessions_.is_cookie(given));
    now_is += std::chrono::seconds(1);
    EXPECT_FALSE(sessions_.is_cookie(given));
}

TEST_F(SessionsTest, ForgedCookieIsNone) {
    std::string later = cookie();
    later[0] = later[0] == '9' ? '8' : '9';  // It would be good for longer.
    std::string other_end = cookie();
    other_end.back() = other_end.back() == '0' ? '1' : '0';
    for (const std::string& forged :
         {later, other_end, std::string(), std::string("-"), std::string("99999999999--")}) {
        EXPECT_FALSE(sessions_.is_cookie(forged)) << forged;
    }
}

TEST_F(SessionsTest, KeyBelongsToItsCookie) {
    const std::string one = cookie(), other = cookie();
    EXPECT_TRUE(sessions_.is_key(one, sessions_.key_of(one)));
    EXPECT_FALSE(sessions_.is_key(one, sessions_.key_of(other)));
    EXPECT_FALSE(sessions_.is_key(one, ""));
    EXPECT_FALSE(sessions_.is_key(one, one));
}

TEST_F(SessionsTest, TicketIsGoodOnceForItsCookieAndForSeconds) {
    const std::string one = cookie(), other = cookie();
    const std::string ticket = sessions_.new_ticket(one);
    EXPECT_FALSE(sessions_.use_ticket(other, ticket));
    EXPECT_TRUE(sessions_.use_ticket(one, ticket));
    EXPECT_FALSE(sessions_.use_ticket(one, ticket));
    const std::string late = sessions_.new_ticket(one);
    now_is += Sessions::kTicketLife + std::chrono::seconds(1);
    EXPECT_FALSE(sessions_.use_ticket(one, late));
}

TEST_F(SessionsTest, CodeIsNoTicketAndTicketNoCode) {
    const std::string one = cookie();
    EXPECT_FALSE(sessions_.cookie_for(sessions_.new_ticket(one)));
    EXPECT_FALSE(sessions_.use_ticket(one, sessions_.new_code()));
}

}  // namespace
}  // namespace kin::web
