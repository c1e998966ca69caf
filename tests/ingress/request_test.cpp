#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/strings.h"
#include "ingress/body.h"
#include "ingress/request_head.h"
#include "ingress/response_head.h"

namespace kin::ingress {
namespace {

using testing::HasSubstr;
using testing::Not;

/// 0: accepted.
int status_of(std::string_view text) {
    const auto end = http::find_head_end(text, kHeadLimits);
    if (const auto* refusal = std::get_if<http::Refusal>(&end)) return refusal->status;
    if (std::get<size_t>(end) == 0) return -1;
    const auto request = read_request(text.substr(0, std::get<size_t>(end)));
    const auto* refusal = std::get_if<http::Refusal>(&request);
    return refusal ? refusal->status : 0;
}

struct Case {
    std::string name;
    std::string text;
    int status = 400;
};
std::string with(std::string_view fields) {
    return cat("POST / HTTP/1.1\r\nHost: a\r\n", fields, "\r\n");
}
std::string at(std::string_view target, std::string_view host = "a") {
    return cat("GET ", target, " HTTP/1.1\r\nHost: ", host, "\r\n\r\n");
}

class StrictnessTest : public testing::TestWithParam<Case> {};

TEST_P(StrictnessTest, JudgesTheHead) { EXPECT_EQ(status_of(GetParam().text), GetParam().status); }

INSTANTIATE_TEST_SUITE_P(
    Framing, StrictnessTest,
    testing::Values(
        Case{"LengthAndCoding", with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")},
        Case{"TwoLengths", with("Content-Length: 5\r\nContent-Length: 6\r\n")},
        Case{"TwoEqualLengths", with("Content-Length: 5\r\nContent-Length: 5\r\n")},
        Case{"LengthList", with("Content-Length: 5, 5\r\n")},
        Case{"LengthSigned", with("Content-Length: +5\r\n")},
        Case{"LengthNegative", with("Content-Length: -5\r\n")},
        Case{"LengthHex", with("Content-Length: 0x5\r\n")},
        Case{"LengthEmpty", with("Content-Length:\r\n")},
        Case{"LengthTooLarge", with("Content-Length: 99999999999999999999\r\n")},
        Case{"CodingIdentity", with("Transfer-Encoding: identity\r\n")},
        Case{"CodingList", with("Transfer-Encoding: gzip, chunked\r\n")},
        Case{"CodingTwice", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")},
        Case{"CodingObscured", with("Transfer-Encoding: \x0b"
                                    "chunked\r\n")},
        Case{"CodingEmpty", with("Transfer-Encoding:\r\n")},
        Case{"CodingOn10", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"},
        Case{"LengthOnGet", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n", 0},
        Case{"Chunked", with("Transfer-Encoding: chunked\r\n"), 0}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Lines, StrictnessTest,
    testing::Values(Case{"BareLf", "GET / HTTP/1.1\nHost: a\n\n"},
                    Case{"BareCr", with("A: b\rC: d\r\n")}, Case{"Folded", with("A: b\r\n c\r\n")},
                    Case{"BlankBeforeColon", with("Content-Length : 5\r\n")},
                    Case{"NoColon", with("A\r\n")}, Case{"EmptyName", with(": b\r\n")},
                    Case{"Nul", with(std::string_view("A: b\0c\r\n", 8))},
                    Case{"NulInName", with(std::string_view("A\0: bc\r\n", 8))},
                    Case{"Http09", "GET /\r\n\r\n"}, Case{"Http2", "PRI * HTTP/2.0\r\n\r\n", 505},
                    Case{"SmallHttp", "GET / http/1.1\r\nHost: a\r\n\r\n"},
                    Case{"TwoBlanks", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"},
                    Case{"LongTarget", at("/" + std::string(9000, 'a')), 414},
                    Case{"LongField", with("A: " + std::string(9000, 'a') + "\r\n"), 431},
                    Case{"ManyFields", with([] {
                             std::string fields;
                             for (int i = 0; i < 101; ++i) fields += "A: b\r\n";
                             return fields;
                         }()),
                         431},
                    Case{"LongHead", with([] {
                             std::string fields;
                             for (int i = 0; i < 50; ++i)
                                 fields += "A: " + std::string(1000, 'b') + "\r\n";
                             return fields;
                         }()),
                         431}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Targets, StrictnessTest,
    testing::Values(
        Case{"NoHost", "GET / HTTP/1.1\r\n\r\n"}, Case{"NoHostOn10", "GET / HTTP/1.0\r\n\r\n", 0},
        Case{"TwoHosts", with("Host: a\r\n")}, Case{"HostEmpty", at("/", "")},
        Case{"HostWithPath", at("/", "a/b")}, Case{"HostWithUser", at("/", "u@a")},
        Case{"HostWithBlank", at("/", "a b")}, Case{"HostWithComma", at("/", "a,b")},
        Case{"HostPort", at("/", "a:80"), 0}, Case{"HostBadPort", at("/", "a:8x")},
        Case{"HostHugePort", at("/", "a:70000")}, Case{"HostV6", at("/", "[::1]:80"), 0},
        Case{"HostBadV6", at("/", "[::1")}, Case{"Absolute", at("http://a/x"), 0},
        Case{"AbsoluteOther", at("http://b/x")}, Case{"AbsoluteNoPath", at("http://a"), 0},
        Case{"AbsoluteQuery", at("http://a?x")}, Case{"OtherScheme", at("ftp://a/x")},
        Case{"Backslash", at("/a\\b")}, Case{"Fragment", at("/a#b")}, Case{"BadEscape", at("/%zz")},
        Case{"HalfEscape", at("/%2")}, Case{"Zero", at("/%00")},
        Case{"OutOfTheRoot", at("/a/../../b")}, Case{"OutEscaped", at("/%2e%2e/b")},
        Case{"UpAndStay", at("/a/../b"), 0}, Case{"Asterisk", at("*")}, Case{"Relative", at("a/b")},
        Case{"Connect", "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", 405},
        Case{"Trace", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405},
        Case{"Expectation", with("Expect: 200-ok\r\n"), 417}),
    [](const auto& test) { return test.param.name; });

TEST(RequestTargetTest, DecodesThePathForMatchingAndKeepsItForPassing) {
    const std::string text = at("/a%20b//c/./d/../e%2Ff/?x=%20", "Shop.Example.com.:8080");
    const auto request = std::get<ProxyRequest>(read_request(text));
    EXPECT_EQ(request.target.path, "/a b/c/e/f/");
    EXPECT_EQ(request.target.raw, "/a%20b//c/./d/../e%2Ff/?x=%20");
    EXPECT_EQ(request.target.query, "x=%20");
    EXPECT_EQ(request.target.host_name, "Shop.Example.com");
    EXPECT_EQ(request.target.host_port, "8080");
}

TEST(RequestHeadTest, OnlyWhatIsTheEndpointsBusinessIsPassedOn) {
    const std::string text = with(
        "Connection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\nProxy: evil\r\n"
        "X_Forwarded_For: 1\r\nX-Real-IP: 9\r\nX-Forwarded-Proto: https\r\nForwarded: for=1\r\n"
        "Proxy-Connection: x\r\nUpgrade: websocket\r\nCookie: a=b\r\nContent-Length: 0\r\n"
        "Authorization: Basic eA==\r\n");
    const auto request = std::get<ProxyRequest>(read_request(text));
    EXPECT_FALSE(request.keep_alive);
    const std::string head = endpoint_head(request, "/", {"10.1.2.3", Door::kHttp, "id"});
    EXPECT_EQ(head,
              "POST / HTTP/1.1\r\nHost: a\r\nX-Request-ID: id\r\nX-Real-IP: 10.1.2.3\r\n"
              "X-Forwarded-For: 10.1.2.3\r\nX-Forwarded-Host: a\r\nX-Forwarded-Port: 80\r\n"
              "X-Forwarded-Proto: http\r\nX-Forwarded-Scheme: http\r\nX-Scheme: http\r\n"
              "Cookie: a=b\r\nAuthorization: Basic eA==\r\nContent-Length: 0\r\n\r\n");
}

/// What becomes of a chunked body, cut into pieces of `piece` bytes; "!" if it is broken.
std::string through(std::string_view chunked, Framing to, size_t piece) {
    Body body(Framing::kChunked, 0, to);
    std::string out, rest;
    for (size_t i = 0; i < chunked.size(); i += piece) {
        rest += chunked.substr(i, piece);
        std::string_view bytes = rest;
        if (body.pass(bytes, out) == Body::Step::kBroken) return "!";
        rest = std::string(bytes);
    }
    return body.done() ? out + "|" + rest : out;
}

TEST(BodyTest, ReadsChunksHoweverTheyAreCut) {
    const std::string_view text =
        "5;a=\"b\"\r\nhello\r\n00A\r\n0123456789\r\n0\r\nA: b\r\n\r\nnext";
    for (const size_t piece : {1u, 2u, 3u, 7u, 1000u})
        EXPECT_EQ(through(text, Framing::kUntilClose, piece), "hello0123456789|next") << piece;
    EXPECT_EQ(through(text, Framing::kChunked, 1000),
              "5\r\nhello\r\na\r\n0123456789\r\n0\r\nA: b\r\n\r\n|next");
}

TEST(BodyTest, RefusesChunksThatTwoReadersCouldReadDifferently) {
    for (const std::string_view text : {"\r\n",
                                        "g\r\n",
                                        "-1\r\n",
                                        "+1\r\n",
                                        "0x1\r\n",
                                        " 1\r\n",
                                        "1 \r\n",
                                        "1\n",
                                        "1\rx",
                                        "11111111111111111\r\n",
                                        "1\r\nab\r\n",
                                        "1\r\na\n",
                                        "1\r\na\r\r",
                                        "1;a\nb\r\n",
                                        "0\r\nA: b\n",
                                        "0\r\nA b\r\n",
                                        "0\r\n b\r\n",
                                        "0\r\nContent-Length: 5\r\n",
                                        "0\r\nTransfer-Encoding: chunked\r\n",
                                        "0\r\nHost: b\r\n",
                                        "0\n"})
        EXPECT_EQ(through(text, Framing::kChunked, 1), "!") << text;
    EXPECT_EQ(through("1;" + std::string(300, 'a') + "\r\n", Framing::kChunked, 1000), "!");
    EXPECT_EQ(through("0\r\nA: " + std::string(9000, 'a') + "\r\n", Framing::kChunked, 1000), "!");
}

TEST(BodyTest, ForgedTrailersAreLeftOut) {
    EXPECT_EQ(through("0\r\nX-Forwarded-For: 1\r\nX_Y: 2\r\nOk: 3\r\n\r\n", Framing::kChunked, 5),
              "0\r\nOk: 3\r\n\r\n|");
}

std::string refused(std::string_view text) {
    const auto read = read_response(text, false);
    const auto* why = std::get_if<std::string_view>(&read);
    return why ? std::string(*why) : "";
}

TEST(ResponseHeadTest, RefusesWhatIsUnclear) {
    for (const std::string_view text :
         {"hello\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n",
          "HTTP/1.1 700 OK\r\n\r\n", "HTTP/1.1 2000\r\n\r\n", "HTTP/1.1 200 OK\r\n A: b\r\n\r\n",
          "HTTP/1.1 200 OK\r\nA b\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
          "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"})
        EXPECT_NE(refused(text), "") << text;
    EXPECT_EQ(refused("HTTP/1.1 200\r\n\r\n"), "");
    EXPECT_EQ(refused("HTTP/1.1 200 \nA: b\n\n"), "");
}

TEST(ResponseHeadTest, TheConnectionsFieldsAreNotTheClients) {
    const std::string text =
        "HTTP/1.1 200 Fine\r\nServer: x\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\n"
        "Keep-Alive: timeout=5\r\nUpgrade: h2c\r\nTransfer-Encoding: chunked\r\nSet-Cookie: a\r\n"
        "Set-Cookie: b\r\n\r\n";
    const auto head = std::get<ResponseHead>(read_response(text, false));
    EXPECT_EQ(client_head(head, client_side(head, 1, true)),
              "HTTP/1.1 200 Fine\r\nServer: kin\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n"
              "Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n");
    ClientSide dated = client_side(head, 1, true);
    dated.date = "now";
    EXPECT_THAT(client_head(head, dated), HasSubstr("\r\nDate: now\r\n"));
    EXPECT_THAT(client_head(head, client_side(head, 0, true)),
                testing::AllOf(HasSubstr("Connection: close"), Not(HasSubstr("chunked"))));
}

TEST(ResponseHeadTest, TheProxySaysWhetherTlsIsAMust) {
    const std::string text =
        "HTTP/1.1 200 OK\r\nStrict-Transport-Security: max-age=1\r\nContent-Length: 0\r\n\r\n";
    const auto head = std::get<ResponseHead>(read_response(text, false));
    ClientSide side = client_side(head, 1, true);
    EXPECT_THAT(client_head(head, side), HasSubstr("\r\nStrict-Transport-Security: max-age=1\r\n"));
    side.tls = true;
    EXPECT_THAT(client_head(head, side),
                testing::AllOf(HasSubstr("\r\nStrict-Transport-Security: max-age=31536000; "
                                         "includeSubDomains\r\n"),
                               Not(HasSubstr("max-age=1\r\n"))));
}

}  // namespace
}  // namespace kin::ingress
