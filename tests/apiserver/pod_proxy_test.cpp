#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apiserver/proxy_target.h"
#include "core/base/strings.h"

namespace kin::apiserver {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kBase = "/api/v1/namespaces/default/services/web/proxy";

http::Request request(std::string method, std::string behind, http::Headers headers = {}) {
    http::Request out;
    out.method = std::move(method);
    out.target = cat(kBase, behind);
    out.raw_path = out.target.substr(0, out.target.find('?'));
    out.headers = std::move(headers);
    return out;
}
const ProxyTarget kTarget{{"default", "web-0"}, 8080, "10.244.1.5:8080"};

TEST(PodProxyTest, PrefixIsWhatThePodDoesNotSee) {
    EXPECT_EQ(proxy_prefix(kBase), kBase);
    EXPECT_EQ(proxy_prefix(cat(kBase, "/a/b")), kBase);
    EXPECT_EQ(proxy_prefix(cat(kBase, "//proxy/")), kBase);
    EXPECT_EQ(proxy_prefix("/api/v1"), "/api/v1");
}

TEST(PodProxyTest, PodGetsItsOwnPathAsItWasWritten) {
    const auto first_line = [](const std::string& behind) {
        const std::string text = proxied_request(request("GET", behind), kTarget);
        return text.substr(0, text.find("\r\n"));
    };
    EXPECT_EQ(first_line("/"), "GET / HTTP/1.1");
    EXPECT_EQ(first_line("/a%2Fb/?q=1&x=%20"), "GET /a%2Fb/?q=1&x=%20 HTTP/1.1");
    EXPECT_EQ(first_line("//a"), "GET //a HTTP/1.1");
    EXPECT_EQ(first_line("?q=1"), "GET /?q=1 HTTP/1.1");
}

TEST(PodProxyTest, WhoTheClientIsHereIsNoneOfThePodsBusiness) {
    const std::string text = proxied_request(
        request("GET", "/",
                {{"Host", "kin"}, {"Authorization", "Bearer secret"}, {"Impersonate-User", "root"},
                 {"X-Kin-Page", "key"}, {"X-Remote-User", "x"}, {"X-Forwarded-For", "1.2.3.4"},
                 {"Connection", "keep-alive"}, {"Accept", "text/html"}, {"X-Mine", "1"}}),
        kTarget);
    EXPECT_THAT(text, HasSubstr("\r\nHost: 10.244.1.5:8080\r\n"));
    EXPECT_THAT(text, HasSubstr("\r\nAccept: text/html\r\nX-Mine: 1\r\n"));
    EXPECT_THAT(text, HasSubstr(cat("\r\nX-Forwarded-Uri: ", kBase, "/\r\n")));
    EXPECT_THAT(text, EndsWith("\r\nConnection: close\r\n\r\n"));
    for (const char* gone : {"secret", "Impersonate", "X-Kin-Page", "X-Remote", "1.2.3.4", "keep-alive"})
        EXPECT_THAT(text, Not(HasSubstr(gone)));
}

TEST(PodProxyTest, ABodyHasOneLengthAndAnotherProtocolIsAskedForOnward) {
    http::Request post = request("POST", "/", {{"Content-Length", "99"}, {"Transfer-Encoding", "chunked"}});
    post.body = "hello";
    const std::string text = proxied_request(post, kTarget);
    EXPECT_THAT(text, EndsWith("\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"));
    EXPECT_THAT(text, Not(HasSubstr("chunked")));
    EXPECT_THAT(proxied_request(request("GET", "/ws", {{"Connection", "Upgrade"}, {"Upgrade", "websocket"},
                                                       {"Sec-WebSocket-Key", "k"}}),
                                kTarget),
                EndsWith("Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"));
}

TEST(PodProxyTest, TheConnectionEndsWithTheAnswer) {
    EXPECT_EQ(proxied_answer("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n"
                             "Content-Length: 2\r\n\r\n", kBase),
              "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(proxied_answer("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                             "Upgrade: websocket\r\n\r\n", kBase),
              "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    EXPECT_EQ(proxied_answer("SSH-2.0-OpenSSH\r\n\r\n", kBase), "");
}

TEST(PodProxyTest, AWayToElsewhereInThePodLeadsThroughTheProxy) {
    const auto to = [](std::string_view location) {
        return proxied_answer(cat("HTTP/1.1 302 Found\r\nlocation: ", location, "\r\n\r\n"), kBase);
    };
    EXPECT_THAT(to("/login?x=1"), HasSubstr(cat("\r\nLocation: ", kBase, "/login?x=1\r\n")));
    for (const char* as_it_is : {"login", "//other/", "https://example.com/"})
        EXPECT_THAT(to(as_it_is), HasSubstr(cat("\r\nlocation: ", as_it_is, "\r\n")));
}

}  // namespace
}  // namespace kin::apiserver
