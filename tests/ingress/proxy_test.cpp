#include <gmock/gmock.h>

#include "core/base/strings.h"
#include "proxy_fixture.h"

namespace kin::ingress::test {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST_F(ProxyTest, PassesARequestAndItsResponse) {
    Backend backend(echo);
    route({location("/", {backend.endpoint()})});
    const std::string answer = ask(get("/a%20b?c=d",
                                       "Accept: */*\r\nX-Forwarded-For: 6.6.6.6\r\n"
                                       "Connection: X-Mine\r\nX-Mine: 1\r\n"));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(answer, HasSubstr("GET /a%20b?c=d HTTP/1.1\r\nHost: shop\r\n"));
    EXPECT_THAT(answer, HasSubstr("\r\nX-Forwarded-For: 127.0.0.1\r\n"));
    EXPECT_THAT(answer, HasSubstr("\r\nX-Original-Forwarded-For: 6.6.6.6\r\n"));
    EXPECT_THAT(answer, HasSubstr("\r\nX-Real-IP: 127.0.0.1\r\n"));
    EXPECT_THAT(answer, HasSubstr("\r\nX-Forwarded-Proto: http\r\n"));
    EXPECT_THAT(answer, HasSubstr("\r\nX-Forwarded-Host: shop\r\n"));
    EXPECT_THAT(answer, HasSubstr("\r\nX-Forwarded-Port: 80\r\n"));
    EXPECT_THAT(answer, HasSubstr("\r\nX-Request-ID: "));
    EXPECT_THAT(answer, HasSubstr("\r\nAccept: */*\r\n"));
    EXPECT_THAT(answer, Not(HasSubstr("X-Mine")));
}

TEST_F(ProxyTest, AnswersPipelinedRequestsInOrderOnOneConnection) {
    Backend backend(echo);
    route({location("/", {backend.endpoint()})});
    Wire wire = client();
    std::string requests;
    for (int i = 0; i < 200; ++i)
        requests += i % 3 == 1 ? cat("POST /", i,
                                     " HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\n\r\nhello")
                               : get(cat("/", i));
    wire.send(requests);
    for (int i = 0; i < 200; ++i)
        ASSERT_THAT(wire.read_message(), HasSubstr(cat(i % 3 == 1 ? "POST /" : "GET /", i, " ")));
    EXPECT_EQ(backend.accepted(), 1);
}

std::string dechunked(const std::string& body) {
    std::string content;
    for (size_t at = 0; at < body.size();) {
        const size_t line = body.find("\r\n", at);
        const size_t size = std::stoul(body.substr(at, line - at), nullptr, 16);
        if (size == 0) break;
        content += body.substr(line + 2, size);
        at = line + 2 + size + 2;
    }
    return content;
}

TEST_F(ProxyTest, StreamsChunkedBodiesWithTrailersBothWays) {
    Backend backend([](Wire& wire) {
        while (true) {
            const std::string message = wire.read_message();
            if (message.empty()) return;
            const std::string body = message.substr(message.find("\r\n\r\n") + 4);
            wire.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            for (const char c : body) wire.send(cat("1\r\n", c, "\r\n"));
            wire.send("0\r\nX-Sum: 42\r\n\r\n");
        }
    });
    route({location("/", {backend.endpoint()})});
    Wire wire = client();
    for (int round = 0; round < 2; ++round) {
        wire.send("POST / HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhe");
        wire.send("llo\r\n6\r\n world\r\n0\r\nX-Trailer: yes\r\n\r\n");
        const std::string answer = wire.read_message();
        EXPECT_THAT(answer, EndsWith("0\r\nX-Sum: 42\r\n\r\n"));
        const std::string content = dechunked(answer.substr(answer.find("\r\n\r\n") + 4));
        EXPECT_EQ(dechunked(content), "hello world");
        EXPECT_THAT(content, Not(HasSubstr("x=y")));
        EXPECT_THAT(content, EndsWith("0\r\nX-Trailer: yes\r\n\r\n"));
    }
}

TEST_F(ProxyTest, TellsAClientThatWaitsToGoOn) {
    Backend backend(echo);
    route({location("/", {backend.endpoint()})});
    Wire wire = client();
    wire.send("PUT / HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(wire.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    wire.send("hello");
    EXPECT_THAT(wire.read_message(), AllOf(EndsWith("hello"), Not(HasSubstr("Expect"))));
}

TEST_F(ProxyTest, RefusesABodyThatIsTooLargeBeforeItIsSent) {
    Backend backend(echo);
    LocationOptions options;
    options.max_body_bytes = 10;
    route({location("/", {backend.endpoint()}, options)});
    Wire wire = client();
    wire.send("PUT / HTTP/1.1\r\nHost: shop\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_THAT(wire.read_message(), StartsWith("HTTP/1.1 413 Request Entity Too Large\r\n"));
    EXPECT_THAT(ask("PUT / HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "6\r\n123456\r\n6\r\n123456\r\n0\r\n\r\n"),
                StartsWith("HTTP/1.1 413 "));
}

TEST_F(ProxyTest, KnowsResponsesWithoutABody) {
    Backend backend([](Wire& wire) {
        while (true) {
            const std::string head = wire.read_head();
            if (head.empty()) return;
            if (head.starts_with("HEAD"))
                wire.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
            else if (head.find("/304") != std::string::npos)
                wire.send("HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n");
            else if (head.find("/hints") != std::string::npos)
                wire.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + response("hinted"));
            else
                wire.send("HTTP/1.1 204 No Content\r\n\r\n");
        }
    });
    route({location("/", {backend.endpoint()})});
    Wire wire = client();
    wire.send("HEAD / HTTP/1.1\r\nHost: shop\r\n\r\n" + get("/304") + get("/204") + get("/hints"));
    EXPECT_THAT(wire.read_head(), HasSubstr("Content-Length: 1000"));
    EXPECT_THAT(wire.read_head(), StartsWith("HTTP/1.1 304 "));
    EXPECT_THAT(wire.read_head(), StartsWith("HTTP/1.1 204 "));
    EXPECT_THAT(wire.read_head(), StartsWith("HTTP/1.1 103 Early Hints\r\nLink: </a>"));
    EXPECT_THAT(wire.read_message(), EndsWith("hinted"));
    EXPECT_EQ(backend.accepted(), 1);
}

TEST_F(ProxyTest, SpeaksHttp10WithOldClientsAndOldEndpoints) {
    Backend backend([](Wire& wire) {
        const std::string head = wire.read_head();
        if (head.find("/chunked") != std::string::npos)
            wire.send(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
        else
            wire.send("HTTP/1.0 200 OK\n\nuntil the end");  // As by a shell script.
    });
    route({location("/", {backend.endpoint()})});
    Wire old = client();
    old.send("GET /chunked HTTP/1.0\r\n\r\n");
    EXPECT_THAT(old.read_to_end(),
                AllOf(EndsWith("\r\n\r\nhello"), HasSubstr("Connection: close")));
    Wire young = client();
    young.send(get("/"));
    EXPECT_THAT(young.read_message(), AllOf(HasSubstr("Transfer-Encoding: chunked"),
                                            EndsWith("d\r\nuntil the end\r\n0\r\n\r\n")));
    young.send(get("/again"));  // The client's connection lives on.
    EXPECT_THAT(young.read_message(), EndsWith("0\r\n\r\n"));
    Wire kept = client();
    kept.send("GET /no-length HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_THAT(kept.read_to_end(), EndsWith("until the end"));
}

TEST_F(ProxyTest, JoinsBothSidesOfAnUpgrade) {
    Backend backend([](Wire& wire) {
        const std::string head = wire.read_head();
        EXPECT_THAT(head, HasSubstr("Upgrade: websocket\r\n"));
        EXPECT_THAT(head, HasSubstr("Connection: Upgrade\r\n"));
        wire.send(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\nfirst");
        while (true) {
            const std::string line = wire.read_until("\n");
            if (line.empty()) break;
            wire.send("echo " + line);
        }
        wire.send("last");
    });
    route({location("/", {backend.endpoint()})});
    Wire wire = client();
    wire.send(get("/ws", "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n") + "early\n");
    EXPECT_THAT(wire.read_head(), AllOf(StartsWith("HTTP/1.1 101 "), HasSubstr("Sec-WebSocket")));
    EXPECT_EQ(wire.read_exactly(16), "firstecho early\n");
    for (int i = 0; i < 100; ++i) {
        wire.send("hello\n");
        ASSERT_EQ(wire.read_until("\n"), "echo hello\n");
    }
    wire.shut_down_sending();
    EXPECT_EQ(wire.read_to_end(), "last");
}

TEST_F(ProxyTest, AnUpgradeThatTheEndpointDeclinesIsAnOrdinaryRequest) {
    Backend backend(echo);
    route({location("/", {backend.endpoint()})});
    Wire wire = client();
    for (int i = 0; i < 2; ++i) {
        wire.send(get("/", "Connection: Upgrade\r\nUpgrade: websocket\r\n"));
        EXPECT_THAT(wire.read_message(), StartsWith("HTTP/1.1 200 "));
    }
    wire.send(get("/",
                  "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                  "HTTP2-Settings: AAMAAABkAAQAAP__\r\n"));
    EXPECT_THAT(wire.read_message(), AllOf(Not(HasSubstr("h2c")), Not(HasSubstr("HTTP2"))));
}

TEST_F(ProxyTest, RedirectsAndRewritesAsTheOptionsSay) {
    Backend backend(echo);
    const auto with = [&](std::string path, auto set) {
        LocationOptions options;
        set(options);
        return location(std::move(path), {backend.endpoint()}, options);
    };
    Location regex = with("/v(\\d)/(.*)", [](auto& o) { o.rewrite_target = "/$2?version=$1"; });
    regex.type = Location::Type::kRegex;
    regex.pattern = std::make_shared<const re2::RE2>("(?i)^/v(\\d)/(.*)");
    route({regex, with("/moved", [](auto& o) { o.redirect = "https://elsewhere/x"; }),
           with("/host", [](auto& o) { o.redirect = "https://elsewhere$request_uri"; }),
           with("/api", [](auto& o) { o.rewrite_target = "/"; }),
           with("/forced", [](auto& o) { o.force_ssl_redirect = true; }),
           with("/", [](auto& o) { o.app_root = "/app"; })});
    control_.call([&] { proxy_->set_published({8080, 8443}); });
    EXPECT_THAT(ask(get("/api/x?q=1")), HasSubstr("GET /?q=1 HTTP/1.1\r\n"));
    EXPECT_THAT(ask(get("/v2/a%20b?q=1")), HasSubstr("GET /a%20b?version=2&q=1 HTTP/1.1\r\n"));
    EXPECT_THAT(ask(get("/moved")), AllOf(StartsWith("HTTP/1.1 301 Moved Permanently\r\n"),
                                          HasSubstr("\r\nLocation: https://elsewhere/x\r\n")));
    EXPECT_THAT(ask(get("/host/x?q=1")),
                HasSubstr("\r\nLocation: https://elsewhere/host/x?q=1\r\n"));
    EXPECT_THAT(ask(get("/")), AllOf(StartsWith("HTTP/1.1 302 Found\r\n"),
                                     HasSubstr("\r\nLocation: http://shop/app\r\n")));
    EXPECT_THAT(ask(get("/forced?a=b")), AllOf(StartsWith("HTTP/1.1 308 Permanent Redirect\r\n"),
                                               HasSubstr("Location: https://shop/forced?a=b\r\n")));
    EXPECT_THAT(ask("GET /forced HTTP/1.1\r\nHost: shop:8080\r\n\r\n"),
                HasSubstr("Location: https://shop:8443/forced\r\n"));
}

TEST_F(ProxyTest, WritesALineOfLogForEachRequest) {
    Backend backend(named("hello"));
    route({location("/", {nobody(), backend.endpoint()})});
    ask(get("/a", "User-Agent: cu\"rl\r\nX-Request-ID: 123\r\n"));
    ask(get("/b", "User-Agent: cu\"rl\r\nX-Request-ID: 123\r\n"));
    const auto lines = log_lines(2);
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_THAT(lines[0] + lines[1], HasSubstr(" \"GET /a HTTP/1.1\" 200 5 \"-\" \"cu\\x22rl\" "));
    EXPECT_THAT(lines[0] + lines[1], HasSubstr("[shop-web-80] [] 127.0.0.1:"));
    EXPECT_THAT(lines[0], StartsWith("127.0.0.1 - - ["));
    EXPECT_THAT(lines[0], EndsWith(" 123"));
    EXPECT_THAT(lines[0] + lines[1], HasSubstr(" 502, 200 123"));
}

TEST_F(ProxyTest, ShowsItsHealthAndItsCounters) {
    Backend backend(echo);
    route({location("/", {backend.endpoint()})});
    ask(get("/"));
    Wire wire = Wire::to_port(status_port_);
    wire.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(wire.read_message(), EndsWith("\r\n\r\nok"));
    EXPECT_THAT(wire.read_message(),
                HasSubstr("nginx_ingress_controller_requests{namespace=\"shop\",ingress=\"web\","
                          "path=\"/\",service=\"web\",method=\"GET\",status=\"200\"} 1\n"));
}

TEST_F(ProxyTest, ManyClientsAtOnceEachGetTheirOwn) {
    Backend a(echo), b(echo), c(echo);
    route({location("/", {a.endpoint(), b.endpoint(), c.endpoint(), nobody()})});
    std::vector<std::thread> clients;
    std::atomic<int> right = 0;
    for (int id = 0; id < 16; ++id) {
        clients.emplace_back([&, id] {
            Wire wire = client();
            for (int i = 0; i < 50; ++i) {
                const std::string mine = cat("client-", id, "-", i);
                const std::string body(static_cast<size_t>(i) * 997, 'x');
                wire.send(cat("POST /", mine, " HTTP/1.1\r\nHost: shop\r\nContent-Length: ",
                              body.size(), "\r\n\r\n", body));
                const std::string answer = wire.read_message();
                right += answer.find("POST /" + mine + " ") != std::string::npos &&
                         answer.ends_with("\r\n\r\n" + body);
            }
        });
    }
    for (std::thread& one : clients) one.join();
    EXPECT_EQ(right, 16 * 50);
}

}  // namespace
}  // namespace kin::ingress::test
