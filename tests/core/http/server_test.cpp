#include "core/http/server.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <atomic>
#include <future>

#include "core/base/strings.h"
#include "raw_client.h"

namespace kin::http {
namespace {

using std::chrono::milliseconds;
using test::RawClient;

/// A server whose handler answers with what it was asked.
class ServerTest : public testing::Test {
protected:
    void start(Server::Options options = {}) {
        options.workers = options.workers == 8 ? 2 : options.workers;
        auto server = Server::create(options, [this](Request& request, Responder& responder) {
            if (handler_) return handler_(request, responder);
            responder.send(Response(200, "text/plain",
                                    cat(request.method, ' ', request.target, ' ',
                                        request.body.size(), ' ', request.body.substr(0, 20))));
        });
        ASSERT_TRUE(server) << server.error().text();
        server_ = std::move(*server);
        auto port = server_->listen_plain(0);
        ASSERT_TRUE(port) << port.error().text();
        port_ = *port;
    }
    RawClient connect() const { return RawClient::to_port(port_); }
    static std::string get(std::string_view path) {
        return cat("GET ", path, " HTTP/1.1\r\nHost: kin\r\n\r\n");
    }

    std::function<void(Request&, Responder&)> handler_;
    std::unique_ptr<Server> server_;
    uint16_t port_ = 0;
};

TEST_F(ServerTest, OneConnectionServesManyRequests) {
    start();
    auto client = connect();
    for (int i = 0; i < 200; ++i) {
        const std::string response = client.send(get(cat("/", i))).read_response();
        ASSERT_TRUE(response.starts_with("HTTP/1.1 200 OK\r\n")) << response;
        ASSERT_TRUE(response.ends_with(cat("\r\n\r\nGET /", i, " 0 "))) << response;
    }
}

TEST_F(ServerTest, PipelinedRequestsAreAnsweredInOrder) {
    start();
    auto client = connect();
    std::string all;
    for (int i = 0; i < 50; ++i) all += get(cat("/", i));
    client.send(all);
    for (int i = 0; i < 50; ++i)
        ASSERT_TRUE(client.read_response().ends_with(cat("GET /", i, " 0 ")));
}

TEST_F(ServerTest, BodiesArriveWholeWithLengthAndChunked) {
    start();
    auto client = connect();
    const std::string body(100'000, 'b');
    const std::string put = "PUT / HTTP/1.1\r\nHost: kin\r\n";
    client.send(cat(put, "Content-Length: 100000\r\n\r\n", body.substr(0, 70'000)));
    client.send(body.substr(70'000));
    EXPECT_TRUE(client.read_response().ends_with("PUT / 100000 bbbbbbbbbbbbbbbbbbbb"));
    client.send(cat(put, "Transfer-Encoding: chunked\r\n\r\n186A0\r\n", body, "\r\n0\r\n\r\n"));
    EXPECT_TRUE(client.read_response().ends_with("PUT / 100000 bbbbbbbbbbbbbbbbbbbb"));
    client.send("DELETE / HTTP/1.1\r\nHost: kin\r\n\r\n");
    EXPECT_TRUE(client.read_response().ends_with("DELETE / 0 "));
}

TEST_F(ServerTest, AClientThatWaitsForLeaveToSendItsBodyGetsIt) {
    start();
    auto client = connect();
    client.send("PUT / HTTP/1.1\r\nHost: kin\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("ok");
    EXPECT_TRUE(client.read_response().ends_with("PUT / 2 ok"));
}

TEST_F(ServerTest, OversizeBodiesAreRefusedWithoutBeingRead) {
    start({.body_limit_bytes = 1000});
    auto client = connect();
    client.send("PUT / HTTP/1.1\r\nHost: kin\r\nContent-Length: 1001\r\n\r\n");
    EXPECT_TRUE(client.read_response().starts_with("HTTP/1.1 413 "));
    EXPECT_TRUE(connect()
                    .send("PUT / HTTP/1.1\r\nHost: kin\r\nTransfer-Encoding: chunked\r\n\r\n")
                    .send(cat("3e9\r\n", std::string(1001, 'x')))
                    .read_response()
                    .starts_with("HTTP/1.1 413 "));
    // Even if the client sends it all first, it sees the answer instead of a reset.
    EXPECT_TRUE(connect()
                    .send("PUT / HTTP/1.1\r\nHost: kin\r\nContent-Length: 3000000\r\n\r\n")
                    .send(std::string(3'000'000, 'x'))
                    .read_response()
                    .starts_with("HTTP/1.1 413 "));
}

TEST_F(ServerTest, BrokenRequestsAreRefusedInTheOwnersWords) {
    start({.refusal = [](int status, std::string_view why) {
        return Response(status, "application/json", cat("{\"why\":\"", why, "\"}"));
    }});
    auto client = connect();
    const std::string response = client.send("GET / HTTP/1.1\r\n\r\n").read_response();
    EXPECT_TRUE(response.starts_with("HTTP/1.1 400 Bad Request\r\n")) << response;
    EXPECT_TRUE(response.ends_with("{\"why\":\"Host is missing\"}")) << response;
    client.shut_down_sending();
    EXPECT_TRUE(client.closed_by_peer());
}

TEST_F(ServerTest, AnExceptionInAHandlerIsA500AndTheConnectionLivesOn) {
    handler_ = [](Request& request, Responder& responder) {
        if (request.target == "/throw") throw std::runtime_error("bad");
        if (request.target == "/silent") return;
        responder.send(Response(200));
    };
    start();
    auto client = connect();
    EXPECT_TRUE(client.send(get("/throw")).read_response().starts_with("HTTP/1.1 500 "));
    EXPECT_TRUE(client.send(get("/silent")).read_response().starts_with("HTTP/1.1 500 "));
    EXPECT_TRUE(client.send(get("/")).read_response().starts_with("HTTP/1.1 200 "));
}

TEST_F(ServerTest, ResponsesCarryTheirFieldsAndSharedBodies) {
    const auto shared = std::make_shared<const std::string>(500'000, 's');
    handler_ = [&](Request&, Responder& responder) {
        Response response(201, "application/json");
        response.headers = {
            {"Warning", "299 - \"a\""}, {"Warning", "299 - \"b\""}, {"Injected", "x\r\nEvil: 1"}};
        response.body = {Bytes("["), Bytes(shared), Bytes(","), Bytes(shared), Bytes("]")};
        responder.send(std::move(response));
    };
    start();
    auto client = connect();
    const std::string response = client.send(get("/")).read_response();
    const std::string head = response.substr(0, response.find("\r\n\r\n") + 2);
    EXPECT_NE(head.find("Warning: 299 - \"a\"\r\n"), std::string::npos) << head;
    EXPECT_NE(head.find("Warning: 299 - \"b\"\r\n"), std::string::npos) << head;
    EXPECT_EQ(head.find("Evil"), std::string::npos) << head;
    EXPECT_NE(head.find("Content-Type: application/json"), std::string::npos) << head;
    EXPECT_EQ(response.substr(head.size() + 2), cat("[", *shared, ",", *shared, "]"));
}

TEST_F(ServerTest, HeadIsAnsweredWithoutTheBody) {
    start();
    auto client = connect();
    client.send("HEAD /x HTTP/1.1\r\nHost: kin\r\n\r\n" + get("/y"));
    EXPECT_NE(client.read_until("\r\n\r\n").find("Content-Length: 10"), std::string::npos);
    EXPECT_TRUE(client.read_response().ends_with("GET /y 0 "));
}

TEST_F(ServerTest, ConnectionCloseIsHonoured) {
    start();
    auto client = connect();
    client.send("GET / HTTP/1.1\r\nHost: kin\r\nConnection: close\r\n\r\n");
    const std::string response = client.read_response();
    EXPECT_NE(response.find("Connection: close\r\n"), std::string::npos) << response;
    EXPECT_TRUE(client.closed_by_peer());
    EXPECT_TRUE(connect().send("GET / HTTP/1.0\r\n\r\n").read_to_end().ends_with("GET / 0 "));
}

TEST_F(ServerTest, AThousandIdleConnectionsLeaveTwoWorkersFree) {
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur < 2500) GTEST_SKIP() << "RLIMIT_NOFILE is " << files.rlim_cur;
    start();
    std::vector<RawClient> idle;
    for (int i = 0; i < 1000; ++i) {
        idle.push_back(connect());
        // A third is idle, a third stops in the middle of a head, a third in a body.
        if (i % 3 == 1) idle.back().send("GET / HTTP/1.1\r\nHo");
        if (i % 3 == 2)
            idle.back().send("PUT / HTTP/1.1\r\nHost: kin\r\nContent-Length: 9\r\n\r\nx");
    }
    auto client = connect();
    for (int i = 0; i < 100; ++i)
        ASSERT_TRUE(client.send(get("/")).read_response().starts_with("HTTP/1.1 200 "));
    EXPECT_EQ(server_->connection_count(), 1001u);
    EXPECT_TRUE(idle[1].send("st: kin\r\n\r\n").read_response().starts_with("HTTP/1.1 200 "));
}

TEST_F(ServerTest, SlowReadersHoldNoWorker) {
    const auto large = std::make_shared<const std::string>(20u << 20, 'l');
    handler_ = [&](Request& request, Responder& responder) {
        responder.send(Response(200, "", request.target == "/large" ? Bytes(large) : Bytes("ok")));
    };
    start({.workers = 1});
    std::vector<RawClient> slow;
    for (int i = 0; i < 5; ++i) {
        slow.push_back(connect());
        slow.back().send(get("/large"));
    }
    EXPECT_TRUE(connect().send(get("/")).read_response().ends_with("ok"));
    EXPECT_TRUE(slow[0].read_response().size() > large->size());
}

TEST_F(ServerTest, SlowHeadsAndIdleConnectionsAreClosed) {
    start({.idle_timeout = milliseconds(100), .head_timeout = milliseconds(50)});
    auto idle = connect();
    auto slow = connect();
    slow.send("GET / HTTP/1.1\r\n");
    EXPECT_TRUE(slow.closed_by_peer());
    EXPECT_TRUE(idle.closed_by_peer());
}

TEST_F(ServerTest, BeyondTheLimitClientsAreTurnedAway) {
    start({.max_connections = 1});
    auto first = connect();
    ASSERT_TRUE(first.send(get("/")).read_response().starts_with("HTTP/1.1 200 "));
    EXPECT_TRUE(connect().closed_by_peer());
    EXPECT_TRUE(first.send(get("/")).read_response().starts_with("HTTP/1.1 200 "));
}

TEST_F(ServerTest, ATakenPortMovesOnToTheNextFreeOne) {
    start();
    const auto next = server_->listen_plain(port_);
    ASSERT_TRUE(next) << next.error().text();
    EXPECT_GT(*next, port_);
    EXPECT_TRUE(RawClient::to_port(*next).send(get("/")).read_response().starts_with("HTTP/1.1 2"));
}

TEST_F(ServerTest, TheUnixSocketIsPrivateAndNamesItsUser) {
    std::promise<Peer> peer;
    handler_ = [&](Request& request, Responder& responder) {
        peer.set_value(request.peer);
        responder.send(Response(200));
    };
    start();
    const test::TemporaryFolder folder;
    const std::string path = folder.file("kin.sock");
    ASSERT_TRUE(server_->listen_unix(path));
    struct stat found {};
    ASSERT_EQ(::stat(path.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777, 0600u);
    RawClient::to_socket(path).send(get("/")).read_response();
    const Peer seen = peer.get_future().get();
    EXPECT_EQ(seen.door, Peer::Door::kUnix);
    EXPECT_EQ(seen.uid, ::getuid());
}

TEST_F(ServerTest, ALeftOverSocketFileIsReplacedAndALiveOneIsNot) {
    start();
    const test::TemporaryFolder folder;
    const std::string path = folder.file("kin.sock");
    ASSERT_TRUE(server_->listen_unix(path));
    const auto second = server_->listen_unix(path);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), Errc::kExists);
    start();  // The first server ends; its file stays.
    ASSERT_EQ(::access(path.c_str(), F_OK), 0);
    ASSERT_TRUE(server_->listen_unix(path));
    EXPECT_TRUE(
        RawClient::to_socket(path).send(get("/")).read_response().starts_with("HTTP/1.1 2"));
}

TEST_F(ServerTest, ManyClientsAtOnceAllGetTheirAnswers) {
    start({.workers = 4});
    std::atomic<int> good = 0;
    std::vector<std::thread> clients;
    for (int i = 0; i < 16; ++i) {
        clients.emplace_back([&, i] {
            auto client = connect();
            for (int k = 0; k < 100; ++k)
                good += client.send(get(cat("/", i, "/", k)))
                            .read_response()
                            .ends_with(cat("GET /", i, "/", k, " 0 "));
        });
    }
    for (std::thread& client : clients) client.join();
    EXPECT_EQ(good, 1600);
}

}  // namespace
}  // namespace kin::http
