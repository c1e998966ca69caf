#include "netns/images/nginx_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "netns/images/nginx_proxy.h"

namespace kin::images::nginx {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Result<Config> read(const std::string& text) {
    return read_config("nginx.conf", [&](const std::string& pattern) {
        std::vector<std::pair<std::string, std::string>> files;
        if (pattern == "nginx.conf") files.emplace_back(pattern, text);
        if (pattern == "/etc/nginx/conf.d/*.conf") {
            files.emplace_back("/etc/nginx/conf.d/a.conf",
                               "server { listen 8080; server_name a; }");
        }
        return files;
    });
}

HttpRequest request(const std::string& path, const std::string& host = "web") {
    HttpRequest out;
    out.method = "GET";
    out.target = out.path = path;
    out.headers = {{"Host", host}};
    out.peer_address = "10.244.1.7";
    out.local_port = 80;
    return out;
}

TEST(NginxConfigTest, WordsQuotesCommentsAndBlocksAreTakenApart) {
    const auto directives = parse_directives(
        "a b \"c d\" 'e;f'; # not this\nserver { listen 80; }\n return 200 \"x\\ty\\.z\";", "f");
    ASSERT_TRUE(directives.has_value());
    ASSERT_EQ(directives->size(), 3U);
    EXPECT_THAT((*directives)[0].args, ElementsAre("b", "c d", "e;f"));
    EXPECT_TRUE((*directives)[1].has_block);
    EXPECT_EQ((*directives)[1].block[0].name, "listen");
    EXPECT_EQ((*directives)[1].where, "f:2");
    EXPECT_THAT((*directives)[2].args, ElementsAre("200", "x\ty\\.z"));
}

TEST(NginxConfigTest, MistakesAreNamedWithFileAndLine) {
    const std::pair<const char*, const char*> cases[] = {
        {"server {\n listen 80;\n", "unexpected end of file, expecting \"}\" in nginx.conf:3"},
        {"}", "unexpected \"}\" in nginx.conf:1"},
        {"listen 80", "unexpected end of file, expecting \";\" or \"}\""},
        {"server { listen nowhere:x; }", "invalid port"},
        {"server { listen 443 ssl; }", "no \"ssl_certificate\" is defined"},
        {"server { location <= / { } }", "invalid location modifier"},
        {"server { location \"", "expecting a quote"},
    };
    for (const auto& [text, words] : cases) {
        const auto config = read(text);
        ASSERT_FALSE(config.has_value()) << text;
        EXPECT_THAT(config.error().text(), HasSubstr(words));
    }
}

TEST(NginxConfigTest, BlocksInBlocksWithoutEndAreRefused) {
    std::string text;
    for (int i = 0; i < 100000; ++i) text += "a{";
    EXPECT_FALSE(read(text).has_value());
}

TEST(NginxConfigTest, FilesAreIncludedAndServersFoundByPortAndName) {
    const auto config = read(
        "http { include /etc/nginx/conf.d/*.conf; server { listen 80; server_name b *.c.org; }\n"
        "server { listen 80 default_server; server_name _; return 404; } }");
    ASSERT_TRUE(config.has_value()) << config.error().text();
    ASSERT_EQ(config->servers.size(), 3U);
    const auto* const servers = config->servers.data();
    EXPECT_EQ(server_for(*config, 8080, "whatever"), servers);
    EXPECT_EQ(server_for(*config, 80, "B:80"), servers + 1);
    EXPECT_EQ(server_for(*config, 80, "x.c.org"), servers + 1);
    EXPECT_EQ(server_for(*config, 80, "other"), servers + 2);
    EXPECT_EQ(server_for(*config, 81, "b"), nullptr);
}

TEST(NginxConfigTest, LocationsGoByExactThenLongestThenExpression) {
    const auto config = read(
        "server { location / {} location /img/ {} location = /img/ {} location ^~ /raw/ {}\n"
        "location ~ \\.png$ {} location ~* \\.GIF$ {} location @named {} }");
    ASSERT_TRUE(config.has_value()) << config.error().text();
    const Server& server = config->servers[0];
    const auto index = [&](const std::string& path) {
        const Location* found = location_for(server, path);
        return found ? found - server.locations.data() : -1;
    };
    EXPECT_EQ(index("/x"), 0);
    EXPECT_EQ(index("/img/x"), 1);
    EXPECT_EQ(index("/img/"), 2);
    EXPECT_EQ(index("/raw/a.png"), 3);
    EXPECT_EQ(index("/img/a.png"), 4);
    EXPECT_EQ(index("/img/a.gif"), 5);
    EXPECT_NE(named_location(server, "@named"), nullptr);
}

TEST(NginxConfigTest, LocationsBeginWithWhatTheirServerSays) {
    const auto config = read(
        "server { location /a { } location /b { root /b; } location /c { return 204; }\n"
        "root /srv; error_page 404 /e.html; }");
    ASSERT_TRUE(config.has_value());
    const auto& locations = config->servers[0].locations;
    EXPECT_EQ(locations[0].rules.root, "/srv");
    EXPECT_EQ(locations[0].rules.error_pages.at(404), "/e.html");
    EXPECT_EQ(locations[1].rules.root, "/b");
    EXPECT_EQ(locations[2].rules.return_status, 204);
}

TEST(NginxConfigTest, WhatHasNoEffectIsNamedOnce) {
    const auto config = read("server { limit_req zone=a; gzip on; limit_req zone=b; }");
    ASSERT_TRUE(config.has_value());
    EXPECT_THAT(config->ignored, ElementsAre("limit_req"));
}

TEST(NginxConfigTest, VariablesAreThoseOfTheRequest) {
    const Server server;
    HttpRequest asked = request("/a", "Web.Shop:8080");
    asked.target = "/a?x=1";
    asked.query = "x=1";
    EXPECT_EQ(expand("$scheme://${host}$request_uri $remote_addr $arg_x $http_host", asked, server),
              "http://web.shop/a?x=1 10.244.1.7 1 Web.Shop:8080");
    EXPECT_EQ(expand("a$nothing.b$", asked, server), "a.b");
}

TEST(NginxProxyTest, AddressesAreTakenApart) {
    const auto forward = parse_upstream("http://api:8080/v1/");
    ASSERT_TRUE(forward.has_value());
    EXPECT_EQ(forward->host, "api");
    EXPECT_EQ(forward->port, "8080");
    EXPECT_EQ(forward->target, "/v1/");
    EXPECT_EQ(parse_upstream("http://api")->port, "80");
    EXPECT_EQ(parse_upstream("http://api")->target, "");
    EXPECT_FALSE(parse_upstream("ftp://api").has_value());
    EXPECT_FALSE(parse_upstream("http://").has_value());
}

TEST(NginxProxyTest, HeadersOfTheConnectionStayHere) {
    HttpRequest asked = request("/a");
    asked.headers.emplace_back("Connection", "keep-alive");
    asked.headers.emplace_back("X-A", "1");
    asked.body = "body";
    const std::string text =
        forwarded_text(asked, {"api", "80", "/a", {{"Host", "api"}, {"X-Real-IP", "10.0.0.1"}}});
    EXPECT_EQ(text,
              "GET /a HTTP/1.0\r\nHost: api\r\nX-Real-IP: 10.0.0.1\r\nX-A: 1\r\n"
              "Content-Length: 4\r\nConnection: close\r\n\r\nbody");
}

TEST(NginxProxyTest, AnswersAreTakenOver) {
    const auto answer =
        parse_answer("HTTP/1.1 404 No\r\nServer: x\r\nContent-Type: a/b\r\n\r\nhello");
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->status, 404);
    EXPECT_EQ(answer->headers, (HttpHeaders{{"Content-Type", "a/b"}}));
    EXPECT_EQ(answer->body, "hello");
    EXPECT_FALSE(parse_answer("SSH-2.0-x\r\n\r\n").has_value());
    EXPECT_FALSE(parse_answer("").has_value());
}

}  // namespace
}  // namespace kin::images::nginx
