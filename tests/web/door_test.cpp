#include "web/door.h"

#include <gmock/gmock.h>

#include "core/base/json.h"
#include "core/base/strings.h"
#include "page_files.h"

namespace kin::web {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr uint16_t kPort = 7070;
constexpr const char* kHost = "127.0.0.1:7070";
constexpr const char* kOrigin = "http://127.0.0.1:7070";

http::Request make_request(const std::string& method, const std::string& target,
                           http::Headers headers) {
    http::Request request;
    request.method = method;
    request.target = target;
    const size_t question = target.find('?');
    request.raw_path = target.substr(0, question);
    for (const auto piece : split(request.raw_path, '/'))
        if (!piece.empty()) request.path.emplace_back(piece);
    if (question != std::string::npos)
        request.query = *http::Query::parse(target.substr(question + 1));
    request.headers = std::move(headers);
    return request;
}

std::string body_of(const http::Response& response) {
    std::string out;
    for (const http::Bytes& piece : response.body) out += piece.view();
    return out;
}

class DoorTest : public testing::Test {
protected:
    DoorTest() { door_.set_port(kPort); }

    /// What the browser of a person who has logged in has.
    std::string cookie_ = *sessions_.cookie_for(sessions_.new_code());
    std::string key_ = sessions_.key_of(cookie_);

    http::Headers own(std::initializer_list<std::pair<std::string, std::string>> more = {}) {
        http::Headers headers{{"Host", kHost},
                              {"Cookie", cat("other=1; kin-7070=", cookie_)},
                              {"Origin", kOrigin},
                              {"Sec-Fetch-Site", "same-origin"},
                              {"X-Kin-Page", key_}};
        for (const auto& [name, value] : more) headers.set(name, value);
        return headers;
    }
    http::Headers socket(std::initializer_list<std::pair<std::string, std::string>> more = {}) {
        http::Headers headers = own({{"Connection", "Upgrade"}, {"Upgrade", "websocket"}});
        headers.set("X-Kin-Page", "");  // A WebSocket cannot carry it.
        for (const auto& [name, value] : more) headers.set(name, value);
        return headers;
    }
    /// The status of the answer; 0 if the request is let in.
    int status(const std::string& method, const std::string& target, http::Headers headers) {
        const auto answer = door_.answer(make_request(method, target, std::move(headers)));
        return answer ? answer->status : 0;
    }
    http::Response answer(const std::string& target, http::Headers headers) {
        return door_.answer(make_request("GET", target, std::move(headers))).value();
    }
    std::string with_ticket(const std::string& target) {
        return cat(target, "?ticket=", sessions_.new_ticket(cookie_));
    }

    static inline Sessions sessions_{"secret"};
    test::PageFiles files_;
    Door door_{{.lab_words = " --lab class", .assets = files_.list()},
               sessions_,
               [](http::Request&, http::Responder&) {}};
};

TEST_F(DoorTest, LetsThePageIn) {
    EXPECT_EQ(status("GET", "/api/v1/pods", own()), 0);
    EXPECT_EQ(status("POST", "/api/v1/namespaces/default/pods", own()), 0);
    EXPECT_EQ(status("GET", "/kin/v1/network?host=node-1", own()), 0);
    http::Headers reading = own();  // Browsers send no Origin with a GET to where a page is from.
    reading = {{"Host", kHost}, {"Cookie", cat("kin-7070=", cookie_)}, {"X-Kin-Page", key_}};
    EXPECT_EQ(status("GET", "/api/v1/pods", reading), 0);
    EXPECT_EQ(status("GET", "/api/v1/pods",
                     own({{"Host", "localhost:7070"}, {"Origin", "http://localhost:7070"}})),
              0);
}

TEST_F(DoorTest, ForgedHostGetsNothing) {
    for (const char* host : {"", "127.0.0.1", "127.0.0.1:7071", "evil.example:7070", "0.0.0.0:7070",
                             "127.0.0.1:7070.evil.example", "127.0.0.1.evil.example:7070"}) {
        for (const char* target : {"/", "/login?code=1", "/assets/main-ABC.js", "/api/v1/pods"})
            EXPECT_EQ(status("GET", target, own({{"Host", host}})), 421) << host << target;
    }
}

TEST_F(DoorTest, ForgedOriginGetsNothing) {
    for (const char* origin :
         {"http://evil.example", "null", "https://127.0.0.1:7070", "http://127.0.0.1:8080",
          "http://127.0.0.1", "http://localhost:7070", ""}) {
        EXPECT_EQ(status("GET", "/api/v1/pods", own({{"Origin", origin}})), 403) << origin;
        EXPECT_EQ(status("POST", "/kin/v1/ticket", own({{"Origin", origin}})), 403) << origin;
        EXPECT_EQ(status("GET", with_ticket("/kin/v1/stream"), socket({{"Origin", origin}})), 403)
            << origin;
    }
    for (const char* site : {"cross-site", "same-site", "none"})
        EXPECT_EQ(status("GET", "/api/v1/pods", own({{"Sec-Fetch-Site", site}})), 403) << site;
}

TEST_F(DoorTest, ASecondOriginIsNoBetter) {
    http::Headers two = own();
    two.add("Origin", "http://evil.example");
    EXPECT_EQ(status("POST", "/kin/v1/ticket", two), 403);
    http::Headers sites = own();
    sites.add("Sec-Fetch-Site", "cross-site");
    EXPECT_EQ(status("GET", "/api/v1/pods", sites), 403);
}

TEST_F(DoorTest, WhatChangesSomethingAndWebSocketsNeedAnOrigin) {
    http::Headers without{
        {"Host", kHost}, {"Cookie", cat("kin-7070=", cookie_)}, {"X-Kin-Page", key_}};
    for (const char* method : {"POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
        EXPECT_EQ(status(method, "/api/v1/namespaces/x", without), 403) << method;
    without.add("Connection", "Upgrade");
    without.add("Upgrade", "websocket");
    EXPECT_EQ(status("GET", with_ticket("/kin/v1/stream"), without), 403);
}

TEST_F(DoorTest, ForgedCookieGetsNothing) {
    std::string forged = cookie_;
    forged.back() = forged.back() == '0' ? '1' : '0';
    for (const std::string& cookie : {std::string(), forged, std::string("kin")}) {
        const std::string line = cat("kin-7070=", cookie);
        EXPECT_EQ(status("GET", "/", own({{"Cookie", line}})), 401);
        EXPECT_EQ(status("GET", "/api/v1/pods", own({{"Cookie", line}})), 401);
        EXPECT_EQ(status("GET", with_ticket("/kin/v1/stream"), socket({{"Cookie", line}})), 401);
    }
    EXPECT_EQ(status("GET", "/api/v1/pods", own({{"Cookie", cat("kin-7071=", cookie_)}})), 401)
        << "the cookie of a lab on another port";
}

TEST_F(DoorTest, ACookieThatAnotherPortHasSetDoesNotShutThePageOut) {
    const std::string both = cat("kin-7070=tossed; kin-7070=", cookie_);
    EXPECT_EQ(status("GET", "/api/v1/pods", own({{"Cookie", both}})), 0);
    EXPECT_EQ(status("GET", "/", own({{"Cookie", both}})), 200);
}

TEST_F(DoorTest, CookieAloneGetsNothing) {
    EXPECT_EQ(status("GET", "/api/v1/pods", own({{"X-Kin-Page", ""}})), 403);
    EXPECT_EQ(status("GET", "/api/v1/pods", own({{"X-Kin-Page", "1"}})), 403);
    EXPECT_EQ(status("POST", "/kin/v1/ticket", own({{"X-Kin-Page", "1"}})), 403);
}

TEST_F(DoorTest, WebSocketNeedsATicketAndATicketServesOne) {
    const std::string target = with_ticket("/kin/v1/stream");
    EXPECT_EQ(status("GET", "/kin/v1/stream", socket()), 403);
    EXPECT_EQ(status("GET", "/kin/v1/stream", socket({{"X-Kin-Page", key_}})), 403);
    EXPECT_EQ(status("GET", "/kin/v1/stream?ticket=1", socket()), 403);
    EXPECT_EQ(status("GET", target, socket()), 0);
    EXPECT_EQ(status("GET", target, socket()), 403);
    EXPECT_EQ(status("GET", with_ticket("/api/v1/pods"), own({{"X-Kin-Page", ""}})), 403)
        << "a ticket is for WebSockets only";
}

TEST_F(DoorTest, TicketIsGivenToThePage) {
    const auto given = door_.answer(make_request("POST", "/kin/v1/ticket", own()));
    ASSERT_TRUE(given);
    const auto json = parse_json(body_of(*given));
    ASSERT_TRUE(json);
    EXPECT_EQ(status("GET", cat("/kin/v1/stream?ticket=", string_at(*json, {"ticket"})), socket()),
              0);
}

TEST_F(DoorTest, LoginGivesACookieThatScriptsCannotReadAndAKey) {
    const auto page = answer(cat("/login?code=", sessions_.new_code()), {{"Host", kHost}});
    ASSERT_EQ(page.status, 200);
    const std::string set(page.headers.get("Set-Cookie"));
    EXPECT_THAT(set, testing::MatchesRegex("kin-7070=[0-9a-f-]+; Path=/; Max-Age=86400; "
                                           "HttpOnly; SameSite=Strict"));
    const std::string cookie = set.substr(9, set.find(';') - 9);
    EXPECT_TRUE(sessions_.is_cookie(cookie));
    EXPECT_EQ(body_of(page), cat("<meta content=\"", sessions_.key_of(cookie), "\">"));
    EXPECT_EQ(page.headers.get("Cache-Control"), "no-store");
}

TEST_F(DoorTest, LookingAtALinkDoesNotUseItUp) {
    const std::string target = cat("/login?code=", sessions_.new_code());
    EXPECT_EQ(status("HEAD", target, {{"Host", kHost}}), 401);
    EXPECT_EQ(status("GET", target, {{"Host", kHost}}), 200);
}

TEST_F(DoorTest, StaleOrForeignLinkSaysWhatToDo) {
    for (const char* target : {"/", "/login", "/login?code=used"}) {
        const auto said = answer(target, {{"Host", kHost}});
        EXPECT_EQ(said.status, 401) << target;
        EXPECT_EQ(body_of(said), "run <b>kin ui --lab class</b>") << target;
        EXPECT_FALSE(said.headers.has("Set-Cookie")) << target;
    }
}

TEST_F(DoorTest, EveryAnswerForbidsWhatThePageDoesNotNeed) {
    for (const char* target :
         {"/", "/login?code=x", "/assets/main-ABC.js", "/assets/none.js", "/api/v1/pods"}) {
        const auto said = answer(target, {{"Host", kHost}});
        const std::string policy(said.headers.get("Content-Security-Policy"));
        EXPECT_THAT(policy, HasSubstr("default-src 'none'"));
        EXPECT_THAT(policy, HasSubstr("require-trusted-types-for 'script'"));
        EXPECT_THAT(policy, HasSubstr("frame-ancestors 'none'"));
        EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
        EXPECT_EQ(said.headers.get("X-Content-Type-Options"), "nosniff");
        EXPECT_EQ(said.headers.get("Referrer-Policy"), "no-referrer");
    }
}

TEST_F(DoorTest, AssetsComeAsTheBrowserTakesThem) {
    const auto plain = answer("/assets/main-ABC.js", {{"Host", kHost}});
    EXPECT_EQ(body_of(plain), "start();");
    EXPECT_FALSE(plain.headers.has("Content-Encoding"));
    EXPECT_THAT(std::string(plain.headers.get("Cache-Control")), HasSubstr("immutable"));
    const auto packed =
        answer("/assets/main-ABC.js", {{"Host", kHost}, {"Accept-Encoding", "gzip, br"}});
    EXPECT_EQ(packed.headers.get("Content-Encoding"), "br");
    EXPECT_EQ(body_of(packed), "as brotli");
    const auto same =
        answer("/assets/main-ABC.js", {{"Host", kHost}, {"If-None-Match", "\"hash\""}});
    EXPECT_EQ(same.status, 304);
    EXPECT_THAT(body_of(same), IsEmpty());
    EXPECT_EQ(answer("/", own()).headers.get("Cache-Control"), "no-cache");
}

TEST_F(DoorTest, FilesAreNoFolders) {
    for (const char* target :
         {"/assets/", "/assets/../index.html", "/assets//main-ABC.js", "/assets/%2e%2e/index.html"})
        EXPECT_EQ(status("GET", target, {{"Host", kHost}}), 404) << target;
    EXPECT_EQ(status("GET", "/closed.html", {{"Host", kHost}}), 401);
}

}  // namespace
}  // namespace kin::web
