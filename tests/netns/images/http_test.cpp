#include "netns/images/http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/strings.h"

namespace kin::images {
namespace {

using State = HttpParse::State;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

TEST(HttpParseTest, ARequestIsTakenApart) {
    const auto parse =
        parse_http("GET /a%20b?msg=x+y&z=%41 HTTP/1.1\r\nHost: web\r\nX-One:  1 \r\n\r\nrest");
    ASSERT_EQ(parse.state, State::kRequest);
    EXPECT_EQ(parse.request.method, "GET");
    EXPECT_EQ(parse.request.path, "/a b");
    EXPECT_EQ(parse.request.target, "/a%20b?msg=x+y&z=%41");
    EXPECT_EQ(parse.request.parameter("msg"), "x y");
    EXPECT_EQ(parse.request.parameter("z"), "A");
    EXPECT_EQ(parse.request.parameter("none"), std::nullopt);
    EXPECT_EQ(parse.request.header("x-one"), "1");
    EXPECT_TRUE(parse.request.keep_alive);
    EXPECT_EQ(parse.consumed, std::string_view("GET /a%20b?msg=x+y&z=%41 HTTP/1.1\r\nHost: web\r\n"
                                               "X-One:  1 \r\n\r\n")
                                  .size());
}

TEST(HttpParseTest, EveryPrefixOfARequestIsIncomplete) {
    const std::string whole = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
    for (size_t length = 0; length < whole.size(); ++length) {
        EXPECT_EQ(parse_http(whole.substr(0, length)).state, State::kIncomplete) << length;
    }
    const auto parse = parse_http(whole);
    ASSERT_EQ(parse.state, State::kRequest);
    EXPECT_EQ(parse.request.body, "abc");
    EXPECT_EQ(parse.consumed, whole.size());
}

TEST(HttpParseTest, ChunkedBodiesArePutTogether) {
    const std::string whole =
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3;x=1\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\n";
    for (size_t length = 0; length < whole.size(); ++length) {
        EXPECT_EQ(parse_http(whole.substr(0, length)).state, State::kIncomplete) << length;
    }
    const auto parse = parse_http(whole + "GET");
    ASSERT_EQ(parse.state, State::kRequest);
    EXPECT_EQ(parse.request.body, "abc0123456789");
    EXPECT_EQ(parse.consumed, whole.size());
}

struct Refused {
    const char* name;
    std::string bytes;
    int status;
};
void PrintTo(const Refused& refused, std::ostream* out) { *out << refused.name; }

class HttpRefusalTest : public testing::TestWithParam<Refused> {};

TEST_P(HttpRefusalTest, GivesTheStatus) {
    const auto parse = parse_http(GetParam().bytes);
    ASSERT_EQ(parse.state, State::kInvalid);
    EXPECT_EQ(parse.error_status, GetParam().status);
}

const std::string kHost = "GET / HTTP/1.1\r\nHost: a\r\n";
INSTANTIATE_TEST_SUITE_P(
    Refusals, HttpRefusalTest,
    testing::Values(
        Refused{"NoVersion", "GET /\r\n\r\n", 400},
        Refused{"OtherProtocol", "GET / SPDY/1\r\n\r\n", 400},
        Refused{"Http2", "PRI * HTTP/2.0\r\n\r\n", 505},
        Refused{"NoHost", "GET / HTTP/1.1\r\n\r\n", 400},
        Refused{"TwoHosts", kHost + "Host: b\r\n\r\n", 400},
        Refused{"BadEscape", "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        Refused{"NulInPath", "GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        Refused{"BlankBeforeColon", kHost + "A : b\r\n\r\n", 400},
        Refused{"FoldedHeader", kHost + "A: b\r\n c\r\n\r\n", 400},
        Refused{"BareCarriageReturn", kHost + "A: b\rc\r\n\r\n", 400},
        Refused{"TwoLengths", kHost + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
        Refused{"LengthAndChunked",
                kHost + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        Refused{"SignedLength", kHost + "Content-Length: +1\r\n\r\n", 400},
        Refused{"HugeBody", kHost + "Content-Length: 99999999\r\n\r\n", 413},
        Refused{"OtherCoding", kHost + "Transfer-Encoding: gzip\r\n\r\n", 501},
        Refused{"BadChunk", kHost + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400},
        Refused{"HugeChunk", kHost + "Transfer-Encoding: chunked\r\n\r\nfffffff\r\n", 400},
        Refused{"LongTarget", "GET /" + std::string(20000, 'a'), 414},
        Refused{"LongHeaders", kHost + "A: " + std::string(20000, 'a'), 431}),
    [](const auto& test) { return test.param.name; });

TEST(HttpParseTest, TooManyHeadersAreRefused) {
    std::string bytes = kHost;
    for (int i = 0; i < 100; ++i) bytes += "A: b\r\n";
    EXPECT_EQ(parse_http(bytes + "\r\n").error_status, 431);
}

TEST(HttpParseTest, ConnectionsStayOpenAsTheVersionSays) {
    EXPECT_FALSE(parse_http("GET / HTTP/1.0\r\n\r\n").request.keep_alive);
    EXPECT_TRUE(parse_http("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").request.keep_alive);
    EXPECT_FALSE(parse_http(kHost + "Connection: close\r\n\r\n").request.keep_alive);
}

TEST(HttpSerializeTest, HeadHasTheLengthButNoBody) {
    HttpRequest request;
    request.method = "HEAD";
    const std::string bytes = serialize(HttpResponse::text("hello"), request, "nginx/1.2");
    EXPECT_THAT(bytes, HasSubstr("Content-Length: 5\r\n"));
    EXPECT_THAT(bytes, HasSubstr("Server: nginx/1.2\r\n"));
    EXPECT_THAT(bytes, EndsWith("\r\n\r\n"));
}

TEST(HttpSerializeTest, NotModifiedHasNoLength) {
    HttpResponse response;
    response.status = 304;
    EXPECT_THAT(serialize(response, HttpRequest{}, ""), Not(HasSubstr("Content-Length")));
}

TEST(HttpDateTest, IsAsTheStandardWritesIt) {
    EXPECT_EQ(http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
}

/// Neither a crash nor a body beyond what came, whatever is changed.
TEST(HttpParseTest, MutatedRequestsAreAnsweredSomehow) {
    const std::string seed = kHost + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    uint32_t random = 1;
    for (int round = 0; round < 20000; ++round) {
        std::string bytes = seed;
        for (int i = 0; i < 3; ++i) {
            random = random * 1664525 + 1013904223;
            bytes[(random >> 8) % bytes.size()] = static_cast<char>(random >> 24);
        }
        const auto parse = parse_http(bytes);
        EXPECT_LE(parse.consumed, bytes.size());
        EXPECT_LE(parse.request.body.size(), bytes.size());
    }
}

}  // namespace
}  // namespace kin::images
