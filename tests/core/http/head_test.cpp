#include "core/http/head.h"

#include <gtest/gtest.h>

#include "core/http/message.h"

namespace kin::http {
namespace {

/// The status a head is refused with, 0 if it is taken.
int verdict(const std::string& text, const HeadLimits& limits = {}) {
    const auto end = find_head_end(text, limits);
    if (const auto* refusal = std::get_if<Refusal>(&end)) return refusal->status;
    if (std::get<size_t>(end) != text.size()) return -1;
    const auto head = parse_head(text, limits);
    if (const auto* refusal = std::get_if<Refusal>(&head)) return refusal->status;
    Request request;
    const auto refusal = fill_request(std::get<RequestHead>(head), request);
    return refusal ? refusal->status : 0;
}

struct Case {
    const char* name;
    const char* text;
    int expected;
};

class HeadTest : public testing::TestWithParam<Case> {};

TEST_P(HeadTest, GetsTheExpectedVerdict) {
    EXPECT_EQ(verdict(std::string(GetParam().text) + "\r\n\r\n"), GetParam().expected);
}

#define GET "GET / HTTP/1.1\r\n"
#define POST "POST / HTTP/1.1\r\nHost: kin\r\n"
// clang-format off
INSTANTIATE_TEST_SUITE_P(Heads, HeadTest, testing::Values(
    Case{"Plain",                   GET "Host: kin", 0},
    Case{"EmptyHost",               GET "Host:", 0},
    Case{"OldVersionWithoutHost",   "GET / HTTP/1.0", 0},
    Case{"UnknownMethod",           "BREW / HTTP/1.1\r\nHost: kin", 0},
    Case{"SecondQuestionMark",      "GET /a?b=c?d HTTP/1.1\r\nHost: kin", 0},
    Case{"AbsoluteForm",            "GET http://kin/api HTTP/1.1\r\nHost: kin", 0},
    Case{"BytesOver127InAValue",    GET "Host: kin\r\nX: \xc3\xa4", 0},
    Case{"NoHost",                  "GET / HTTP/1.1", 400},
    Case{"TwoHosts",                GET "Host: kin\r\nHost: kin", 400},
    Case{"AbsoluteFormElsewhere",   "GET http://other/api HTTP/1.1\r\nHost: kin", 400},
    Case{"NoVersion",               "GET /\r\nHost: kin", 400},
    Case{"LowerCaseVersion",        "GET / http/1.1\r\nHost: kin", 400},
    Case{"Http2",                   "PRI * HTTP/2.0", 505},
    Case{"BlankInTarget",           "GET /a b HTTP/1.1\r\nHost: kin", 400},
    Case{"TargetWithoutSlash",      "GET api HTTP/1.1\r\nHost: kin", 400},
    Case{"BrokenEscapeInPath",      "GET /%zz HTTP/1.1\r\nHost: kin", 400},
    Case{"BrokenEscapeInQuery",     "GET /?a=%1 HTTP/1.1\r\nHost: kin", 400},
    Case{"BlankBeforeColon",        GET "Host : kin", 400},
    Case{"NoColon",                 GET "Host kin", 400},
    Case{"EmptyName",               GET "Host: kin\r\n: x", 400},
    Case{"FoldedLine",              GET "Host: kin\r\nA: b\r\n c", 400},
    Case{"BareLineFeed",            GET "Host: kin\nA: b", 400},
    Case{"BareCarriageReturn",      GET "Host: kin\r\nA: b\rc", 400},
    Case{"ControlInValue",          GET "Host: kin\r\nA: b\x01", 400},
    Case{"Length",                  POST "Content-Length: 5", 0},
    Case{"Chunked",                 POST "Transfer-Encoding: chunked", 0},
    Case{"ChunkedInAnyCase",        POST "Transfer-Encoding: Chunked", 0},
    Case{"LengthAndChunked",        POST "Content-Length: 5\r\nTransfer-Encoding: chunked", 400},
    Case{"TwoEqualLengths",         POST "Content-Length: 5\r\nContent-Length: 5", 400},
    Case{"ListOfLengths",           POST "Content-Length: 5, 5", 400},
    Case{"SignedLength",            POST "Content-Length: +5", 400},
    Case{"HexLength",               POST "Content-Length: 0x5", 400},
    Case{"EmptyLength",             POST "Content-Length:", 400},
    Case{"HugeLength",              POST "Content-Length: 99999999999999999999", 400},
    Case{"OtherCoding",             POST "Transfer-Encoding: gzip, chunked", 501},
    Case{"TwoCodings",              POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 501},
    Case{"ChunkedInOldVersion",     "POST / HTTP/1.0\r\nTransfer-Encoding: chunked", 400},
    Case{"Expectation",             POST "Expect: 100-continue", 0},
    Case{"OtherExpectation",        POST "Expect: miracles", 417}),
    [](const auto& test) { return test.param.name; });
// clang-format on

TEST(HeadLimitsTest, LongHeadsAreRefused) {
    const std::string start = GET "Host: kin\r\n";
    EXPECT_EQ(verdict(start + "A: " + std::string(20'000, 'x') + "\r\n\r\n"), 431);
    EXPECT_EQ(verdict(start + std::string(70'000, 'x')), 431);
    EXPECT_EQ(verdict("GET /" + std::string(40'000, 'x') + " HTTP/1.1\r\nHost: kin\r\n\r\n"), 414);
    std::string many = start;
    for (int i = 0; i < 100; ++i) many += "A: b\r\n";
    EXPECT_EQ(verdict(many + "\r\n"), 431);
}

TEST(HeadFillTest, PathsAreSplitBeforeTheyAreDecoded) {
    const auto head = parse_head("GET //api/a%2Fb/%2e%2e/c?x=1 HTTP/1.1\r\nHost: kin\r\n\r\n", {});
    Request request;
    ASSERT_FALSE(fill_request(std::get<RequestHead>(head), request));
    EXPECT_EQ(request.path, (std::vector<std::string>{"api", "a/b", "..", "c"}));
    EXPECT_EQ(request.raw_path, "//api/a%2Fb/%2e%2e/c");
    EXPECT_EQ(request.query.get("x"), "1");
}

TEST(HeadFillTest, TheConnectionLivesOnUnlessSomebodySaysClose) {
    const auto keeps = [](const std::string& text) {
        return std::get<RequestHead>(parse_head(text + "\r\n\r\n", {})).keep_alive;
    };
    EXPECT_TRUE(keeps(GET "Host: kin"));
    EXPECT_FALSE(keeps(GET "Host: kin\r\nConnection: x, CLOSE"));
    EXPECT_FALSE(keeps("GET / HTTP/1.0"));
}

}  // namespace
}  // namespace kin::http
