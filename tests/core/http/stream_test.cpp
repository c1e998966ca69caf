#include <gtest/gtest.h>

#include <future>
#include <optional>

#include "core/base/strings.h"
#include "core/http/server.h"
#include "core/loop/loop.h"
#include "raw_client.h"

namespace kin::http {
namespace {

using std::chrono::milliseconds;
using test::RawClient;

/// A server that hands every connection over to a loop.
class StreamTest : public testing::Test {
protected:
    void SetUp() override {
        auto server =
            Server::create({.workers = 1}, [this](Request& request, Responder& responder) {
                if (request.raw_path == "/stream") {
                    Response head(200, "application/json");
                    head.body.push_back("first\n");
                    loop_->post([this, writer = responder.stream(std::move(head))]() mutable {
                        writer_ = std::move(writer);
                        writer_->start(*loop_, limits_, [this](const std::string& why) {
                            writer_.reset();
                            closed_.set_value(why);
                        });
                        started_.set_value();
                    });
                } else if (request.raw_path == "/upgrade") {
                    Response head(101);
                    head.headers = {{"Connection", "Upgrade"}, {"Upgrade", "echo"}};
                    loop_->post([this, upgraded = responder.upgrade(std::move(head))]() mutable {
                        echo(std::move(upgraded));
                    });
                } else {
                    responder.send(Response(200, "", "plain"));
                }
            });
        ASSERT_TRUE(server);
        server_ = std::move(*server);
        port_ = *server_->listen_plain(0);
    }
    void TearDown() override {
        server_.reset();
        loop_->call([this] {
            writer_.reset();
            upgraded_.reset();
        });
        loop_.reset();
    }
    void echo(std::unique_ptr<Upgraded> upgraded) {
        upgraded_ = std::move(upgraded);
        upgraded_->start(*loop_, {.on_data =
                                      [this](std::string_view bytes) {
                                          if (bytes == "bye")
                                              return upgraded_->close_after_writing();
                                          upgraded_->write(bytes);
                                      },
                                  .on_drained = {},
                                  .on_closed =
                                      [this](const std::string& why) {
                                          upgraded_.reset();
                                          closed_.set_value(why);
                                      }});
    }
    RawClient open(std::string_view path, std::string_view version = "HTTP/1.1") {
        auto client = RawClient::to_port(port_);
        client.send(cat("GET ", path, " ", version, "\r\nHost: kin\r\n\r\n"));
        return client;
    }

    std::unique_ptr<Loop> loop_ = std::make_unique<Loop>("kin-streams");
    std::unique_ptr<Server> server_;
    std::unique_ptr<StreamWriter> writer_;  // These two belong to the loop's thread.
    std::unique_ptr<Upgraded> upgraded_;
    StreamWriter::Limits limits_;
    std::promise<void> started_;
    std::promise<std::string> closed_;
    uint16_t port_ = 0;
};

TEST_F(StreamTest, WhatIsWrittenInOneTurnIsOneChunk) {
    auto client = open("/stream");
    const std::string head = client.read_until("\r\n\r\n");
    EXPECT_TRUE(head.starts_with("HTTP/1.1 200 OK\r\n")) << head;
    EXPECT_NE(head.find("Transfer-Encoding: chunked\r\n"), std::string::npos) << head;
    EXPECT_EQ(client.read_exactly(11), "6\r\nfirst\n\r\n");
    started_.get_future().wait();
    loop_->call([&] {
        writer_->write("a\n");
        writer_->write(std::make_shared<const std::string>("b\n"));
    });
    EXPECT_EQ(client.read_exactly(9), "4\r\na\nb\n\r\n");
    loop_->call([&] {
        writer_->write("c\n");
        writer_->finish();
        writer_.reset();
    });
    EXPECT_EQ(client.read_to_end(), "2\r\nc\n\r\n0\r\n\r\n");
}

TEST_F(StreamTest, AnOldClientGetsTheBareBytes) {
    auto client = open("/stream", "HTTP/1.0");
    client.read_until("\r\n\r\n");
    started_.get_future().wait();
    loop_->call([&] {
        writer_->write("second");
        writer_->finish();
    });
    EXPECT_EQ(client.read_to_end(), "first\nsecond");
}

TEST_F(StreamTest, AStreamThatIsDroppedIsCutWithoutAnEnd) {
    auto client = open("/stream");
    client.read_until("first\n\r\n");
    started_.get_future().wait();
    loop_->call([&] { writer_.reset(); });
    EXPECT_TRUE(client.closed_by_peer());
}

TEST_F(StreamTest, AClientThatLeavesIsNoticed) {
    {
        auto client = open("/stream");
        client.read_until("first\n\r\n");
    }
    EXPECT_EQ(closed_.get_future().get(), "");
}

TEST_F(StreamTest, AClientThatReadsTooSlowlyIsCutOff) {
    limits_.max_queued_bytes = 1u << 20;
    auto client = open("/stream");
    started_.get_future().wait();
    auto closed = closed_.get_future();
    const auto event = std::make_shared<const std::string>(100'000, 'e');
    for (int i = 0; i < 1000 && closed.wait_for(milliseconds(0)) != std::future_status::ready; ++i)
        loop_->call([&] {
            if (writer_) writer_->write(event);
        });
    EXPECT_EQ(closed.get(), "the client reads too slowly");
}

TEST_F(StreamTest, AnUpgradedConnectionCarriesBytesBothWays) {
    std::optional<RawClient> held = RawClient::to_port(port_);
    RawClient& client = *held;
    client.send(
        "GET /upgrade HTTP/1.1\r\nHost: kin\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly");
    EXPECT_EQ(client.read_until("\r\n\r\n"),
              "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
    EXPECT_EQ(client.read_exactly(5), "early");
    const std::string large(3'000'000, 'x');
    std::thread sender([&] { client.send(large); });
    EXPECT_EQ(client.read_exactly(large.size()), large);
    sender.join();
    client.send("bye");
    EXPECT_TRUE(client.closed_by_peer());
    held.reset();
    EXPECT_EQ(closed_.get_future().get(), "");
}

TEST_F(StreamTest, TheLastWordsArriveAlthoughTheClientIsStillSending) {
    auto client = open("/upgrade");
    client.read_until("\r\n\r\n");
    loop_->call([&] { upgraded_->pause_reading(); });
    client.send(std::string(100'000, 'x'));
    loop_->call([&] {
        upgraded_->write("last words");
        upgraded_->close_after_writing();
    });
    EXPECT_EQ(client.read_exactly(10), "last words");
    // An end, not a reset, which would be read as an error.
    EXPECT_TRUE(client.closed_by_peer());
}

TEST_F(StreamTest, APeerThatLeavesIsNoticedWhileNobodyReads) {
    {
        auto client = open("/upgrade");
        client.read_until("\r\n\r\n");
        loop_->call([&] { upgraded_->pause_reading(); });
        client.send("unread");
    }
    EXPECT_EQ(closed_.get_future().get(), "the peer left");
}

TEST_F(StreamTest, APausedConnectionReadsNothingUntilItIsResumed) {
    auto client = open("/upgrade");
    client.read_until("\r\n\r\n");
    loop_->call([&] { upgraded_->pause_reading(); });
    client.send("later");
    loop_->call([] {});
    loop_->call([&] { EXPECT_EQ(upgraded_->queued_bytes(), 0u); });
    loop_->call([&] { upgraded_->resume_reading(); });
    EXPECT_EQ(client.read_exactly(5), "later");
}

TEST_F(StreamTest, RequestsBeforeAnUpgradeAreAnsweredFirst) {
    auto client = RawClient::to_port(port_);
    client.send(
        "GET /a HTTP/1.1\r\nHost: kin\r\n\r\n"
        "GET /upgrade HTTP/1.1\r\nHost: kin\r\n\r\nhello");
    EXPECT_TRUE(client.read_response().ends_with("plain"));
    EXPECT_TRUE(client.read_until("\r\n\r\n").starts_with("HTTP/1.1 101 "));
    EXPECT_EQ(client.read_exactly(5), "hello");
}

}  // namespace
}  // namespace kin::http
