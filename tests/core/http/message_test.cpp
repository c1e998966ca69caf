#include "core/http/message.h"

#include <gtest/gtest.h>

namespace kin::http {
namespace {

TEST(HttpMessageTest, HeaderNamesDoNotCareAboutCase) {
    Headers headers{{"Impersonate-Group", "a"}, {"impersonate-group", "b"}};
    EXPECT_EQ(headers.get("IMPERSONATE-GROUP"), "a");
    EXPECT_EQ(headers.all("Impersonate-Group"), (std::vector<std::string_view>{"a", "b"}));
    headers.set("Impersonate-GROUP", "c");
    EXPECT_EQ(headers.size(), 1u);
    EXPECT_FALSE(headers.has("Impersonate"));
}

TEST(HttpMessageTest, QueriesKeepRepeatedKeysAndReadPlusAsSpace) {
    const auto query = Query::parse("command=sh&command=-c&command=echo+a%2Bb%3D%3F&watch");
    ASSERT_TRUE(query);
    EXPECT_EQ(query->all("command"), (std::vector<std::string_view>{"sh", "-c", "echo a+b=?"}));
    EXPECT_TRUE(query->has("watch"));
    EXPECT_EQ(query->get("none"), "");
}

TEST(HttpMessageTest, QueryFlagsAreReadAsKubernetesDoes) {
    const auto query = Query::parse("a&b=true&c=1&d=false&e=0&f=False&g=");
    ASSERT_TRUE(query);
    for (const char* on : {"a", "b", "c", "g"}) EXPECT_TRUE(query->flag(on)) << on;
    for (const char* off : {"d", "e", "f", "missing"}) EXPECT_FALSE(query->flag(off)) << off;
}

TEST(HttpMessageTest, BrokenEscapesAreNoQuery) {
    for (const char* text : {"a=%", "a=%4", "a=%zz", "%=1"}) EXPECT_FALSE(Query::parse(text));
}

TEST(HttpMessageTest, EncodingAndDecodingAgree) {
    std::string all;
    for (int c = 0; c < 256; ++c) all.push_back(static_cast<char>(c));
    EXPECT_EQ(percent_decode(percent_encode(all)), all);
    EXPECT_EQ(percent_encode("a b/c"), "a%20b%2Fc");
}

TEST(HttpMessageTest, TheBearerTokenIsTakenFromAuthorization) {
    Request request;
    EXPECT_EQ(request.bearer_token(), "");
    request.headers.set("authorization", "bearer  abc ");
    EXPECT_EQ(request.bearer_token(), "abc");
    request.headers.set("authorization", "Basic abc");
    EXPECT_EQ(request.bearer_token(), "");
}

TEST(HttpMessageTest, UpgradesNeedBothFields) {
    Request request;
    request.headers = {{"Connection", "keep-alive, Upgrade"}};
    EXPECT_FALSE(request.wants_upgrade("websocket"));
    request.headers.add("Upgrade", "WebSocket");
    EXPECT_TRUE(request.wants_upgrade("websocket"));
    EXPECT_FALSE(request.wants_upgrade("SPDY/3.1"));
}

}  // namespace
}  // namespace kin::http
