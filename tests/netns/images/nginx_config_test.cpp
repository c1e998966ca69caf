#include "netns/images/nginx_config.h"

#include <gtest/gtest.h>

#include "core/base/strings.h"

namespace kin::images {
namespace {

constexpr std::string_view kWhoAsks = R"(
# Tells clients their address.
server {
    listen 80;
    listen [::]:80;
    location /ip {
        return 200 "$remote_addr\n";
    }
    location / {
        root /usr/share/nginx/html;
        index index.html;
    }
}
server {
    listen 8080;
    server_name other.example www.other.example;
    location = /exact { return 204; }
    location /old/ { return 301 http://$host/new/; }
    location /files/ { alias /srv/; add_header X-From "${server_port}"; }
}
)";

NginxConfig config_of(std::string_view text) {
    NginxConfig config;
    const auto added = config.add_file("default.conf", text);
    EXPECT_TRUE(added) << added.error().text();
    return config;
}

HttpRequest request(const std::string& path, uint16_t port = 80, const std::string& host = "web") {
    HttpRequest out;
    out.method = "GET";
    out.path = out.target = path;
    out.local_port = port;
    out.peer_address = "203.0.113.10";
    out.headers = {{"Host", host}, {"User-Agent", "curl"}};
    return out;
}

/// "200 body", "301 -> http://...", or for a file "file ROOT PATH".
std::string answer(const NginxConfig& config, const HttpRequest& asked) {
    const HttpResponse response =
        nginx_answer(config, asked, [](const std::string& root, const HttpRequest& below) {
            return HttpResponse::text(cat("file ", root, ' ', below.path));
        });
    for (const auto& [name, value] : response.headers) {
        if (name == "Location") return cat(response.status, " -> ", value);
    }
    return cat(response.status, response.body.empty() ? "" : " ", response.body);
}

TEST(NginxConfigTest, ReturnSaysATextWithVariables) {
    const NginxConfig config = config_of(kWhoAsks);
    EXPECT_EQ(answer(config, request("/ip")), "200 203.0.113.10\n");
    EXPECT_EQ(answer(config, request("/exact", 8080)), "204");
    EXPECT_EQ(answer(config, request("/old/x", 8080, "www.other.example:8080")),
              "301 -> http://www.other.example/new/");
}

TEST(NginxConfigTest, FilesAreServedBelowRootAndAlias) {
    const NginxConfig config = config_of(kWhoAsks);
    EXPECT_EQ(answer(config, request("/a/b.html")), "200 file /usr/share/nginx/html /a/b.html");
    EXPECT_EQ(answer(config, request("/files/b.html", 8080)), "200 file /srv/ /b.html");
    EXPECT_EQ(answer(config, request("/exactly", 8080)), "200 file /usr/share/nginx/html /exactly");
}

TEST(NginxConfigTest, ServersListenWhereTheySay) {
    EXPECT_EQ(config_of(kWhoAsks).ports(), (std::vector<uint16_t>{80, 8080}));
    EXPECT_EQ(config_of("server { }").ports(), std::vector<uint16_t>{80});
    EXPECT_EQ(config_of("server { listen 127.0.0.1:81 default_server; }").ports(),
              std::vector<uint16_t>{81});
    EXPECT_EQ(default_nginx_config(8080).ports(), std::vector<uint16_t>{8080});
}

TEST(NginxConfigTest, HostChoosesAmongTheServersOfOnePort) {
    const NginxConfig config = config_of(R"(
        server { server_name a; return 200 first; }
        server { server_name b; return 200 second; })");
    EXPECT_EQ(answer(config, request("/", 80, "b")), "200 second");
    EXPECT_EQ(answer(config, request("/", 80, "c")), "200 first");
    EXPECT_EQ(answer(config, request("/", 81)).substr(0, 3), "404");
}

TEST(NginxConfigTest, TheLongestPrefixWinsWhateverTheOrder) {
    const NginxConfig config = config_of(R"(server {
        location / { return 200 all; }
        location /a/b { return 200 long; }
        location /a { return 200 short; } })");
    EXPECT_EQ(answer(config, request("/a/b/c")), "200 long");
    EXPECT_EQ(answer(config, request("/a/c")), "200 short");
    EXPECT_EQ(answer(config, request("/x")), "200 all");
}

TEST(NginxConfigTest, WhatIsNotActedOnIsNamedWithItsLine) {
    const NginxConfig config = config_of(
        "server {\n listen 80;\n access_log off;\n location / {\n"
        "  proxy_pass http://other;\n }\n}\n");
    ASSERT_EQ(config.warnings.size(), 1u);
    EXPECT_EQ(config.warnings[0],
              "\"proxy_pass http://other\" is not acted on in this lab, in default.conf:5");
}

TEST(NginxConfigTest, TlsPortsHaveACertificateAndTheirOwnRequests) {
    const NginxConfig config = config_of(R"(server {
        listen 80;
        listen 443 ssl;
        ssl_certificate /tls/tls.crt;
        ssl_certificate_key /tls/tls.key;
        location / { return 200 "$scheme"; } })");
    EXPECT_EQ(config.ports(), std::vector<uint16_t>{80});
    ASSERT_EQ(config.tls_ports().count(443), 1u);
    EXPECT_EQ(config.tls_ports().at(443)->certificate, "/tls/tls.crt");
    EXPECT_EQ(config.tls_ports().at(443)->key, "/tls/tls.key");
    HttpRequest asked = request("/", 443);
    EXPECT_EQ(answer(config, asked).substr(0, 3), "404");
    asked.tls = true;
    EXPECT_EQ(answer(config, asked), "200 https");
}

TEST(NginxConfigTest, MistakesAreRefusedInNginxWords) {
    const std::pair<const char*, const char*> cases[] = {
        {"server {\n listen 80\n}\n", "invalid"},
        {"server {\n", "unexpected end of file, expecting \"}\" in default.conf:2"},
        {"}\n", "unexpected \"}\" in default.conf:1"},
        {"server { listen x; }", "invalid parameter in \"listen\" directive in default.conf:1"},
        {"server { return; }", "invalid number of arguments in \"return\""},
        {"worker_processes 1", "unexpected end of file, expecting \";\" or \"}\""},
        {"server {\n listen 443 ssl;\n}", "no \"ssl_certificate\" is defined"},
        {"server { return 200 \"open; }", "unexpected end of file"},
    };
    for (const auto& [text, words] : cases) {
        NginxConfig config;
        const auto added = config.add_file("default.conf", text);
        if (std::string_view(words) == "invalid") {
            EXPECT_FALSE(added) << text;
            continue;
        }
        ASSERT_FALSE(added) << text;
        EXPECT_NE(added.error().text().find(words), std::string::npos) << added.error().text();
    }
}

TEST(NginxConfigTest, VariablesOfHeadersAndUnknownOnes) {
    const HttpRequest asked = request("/x");
    EXPECT_EQ(expand_nginx("$http_user_agent $uri$nothing!", asked), "curl /x!");
    EXPECT_EQ(expand_nginx("costs 5$ or $$", asked), "costs 5$ or $$");
    EXPECT_EQ(expand_nginx("${request_method}s", asked), "GETs");
}

}  // namespace
}  // namespace kin::images
