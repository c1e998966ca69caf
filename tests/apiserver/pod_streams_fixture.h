#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "apiserver/pod_streams.h"
#include "core/base/strings.h"
#include "core/http/server.h"
#include "fake_pods.h"
#include "websocket_frames.h"

namespace kin::test {

/// The API's door to the streams of pods that are plain processes. Paths: /web/exec?...
class PodStreamsTest : public testing::Test {
protected:
    void SetUp() override {
        store_ = *Store::open({.path = ":memory:"});
        put("web", R"({"kind":"Pod","apiVersion":"v1",
            "metadata":{"name":"web","namespace":"default","resourceVersion":""},
            "spec":{"nodeName":"node-1","containers":[{"name":"c"}]},
            "status":{"phase":"Running",
                      "containerStatuses":[{"name":"c","state":{"running":{}}}]}})");
        streams_ = std::make_unique<apiserver::PodStreams>(*store_, loop_, &pods_);
        server_ = *http::Server::create(
            {.workers = 2}, [this](http::Request& request, http::Responder& responder) {
                auto response = streams_->handle({"default", request.path[0]}, request.path[1],
                                                 request, responder);
                if (response) responder.send(std::move(*response));
            });
        port_ = *server_->listen_plain(0);
    }
    void TearDown() override {
        server_.reset();
        streams_.reset();
    }
    void put(const std::string& name, const std::string& body) {
        ASSERT_TRUE(store_->run([&](StoreTransaction& transaction) {
            transaction.put({"pods", {"default", name}, to_text(*parse_json(body)), {}});
        }));
    }
    RawClient connect() const { return RawClient::to_port(port_); }
    RawClient open(const std::string& target, const std::string& protocol = "v5.channel.k8s.io") {
        auto client = connect();
        client.send(handshake(target, cat("Sec-WebSocket-Protocol: ", protocol, "\r\n")));
        const std::string head = client.read_until("\r\n\r\n");
        EXPECT_TRUE(head.starts_with("HTTP/1.1 101 ")) << head;
        return client;
    }
    /// An upgrade to SPDY/3.1.
    RawClient open_spdy(const std::string& target, const std::string& protocol) {
        auto client = connect();
        client.send(cat("POST ", target,
                        " HTTP/1.1\r\nHost: kin\r\nContent-Length: 0\r\nConnection: Upgrade\r\n"
                        "Upgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v5.channel.k8s.io\r\n"
                        "X-Stream-Protocol-Version: ",
                        protocol, "\r\n\r\n"));
        const std::string head = client.read_until("\r\n\r\n");
        EXPECT_TRUE(head.starts_with("HTTP/1.1 101 ")) << head;
        EXPECT_NE(head.find(cat("X-Stream-Protocol-Version: ", protocol)), std::string::npos);
        return client;
    }
    std::string get(const std::string& target) {
        return connect().send(cat("GET ", target, " HTTP/1.0\r\n\r\n")).read_to_end();
    }

    FakePods pods_;
    Loop loop_{"kin-streams"};
    std::unique_ptr<Store> store_;
    std::unique_ptr<apiserver::PodStreams> streams_;
    std::unique_ptr<http::Server> server_;
    uint16_t port_ = 0;
};

}  // namespace kin::test
