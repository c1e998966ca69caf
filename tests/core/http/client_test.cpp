#include "core/http/client.h"

#include <gtest/gtest.h>

#include "core/base/strings.h"
#include "core/http/server.h"
#include "core/loop/loop.h"
#include "raw_client.h"

namespace kin::http {
namespace {

class ClientTest : public testing::Test {
protected:
    void SetUp() override {
        auto server = Server::create({.workers = 1}, [this](Request& request,
                                                            Responder& responder) {
            if (request.raw_path == "/stream") {
                loop_.post([this, writer = responder.stream(Response(200))]() mutable {
                    writer_ = std::move(writer);
                    writer_->start(loop_, {}, [this](const std::string&) { writer_.reset(); });
                    for (const char* line : {"one\n", "two\n", "three\n"}) writer_->write(line);
                    if (finishes_) writer_->finish();
                });
                return;
            }
            Response response(request.raw_path == "/missing" ? 404 : 200, "text/x");
            response.headers.add("X-Seen", std::string(request.headers.get("X-Sent")));
            response.body.push_back(cat(request.method, ' ', request.target, ' ', request.body));
            responder.send(std::move(response));
        });
        ASSERT_TRUE(server);
        server_ = std::move(*server);
        ASSERT_TRUE(server_->listen_unix(path_));
    }
    void TearDown() override {
        server_.reset();
        loop_.call([this] { writer_.reset(); });
    }

    const test::TemporaryFolder folder_;
    const std::string path_ = folder_.file("kin.sock");
    Loop loop_{"kin-streams"};
    std::unique_ptr<StreamWriter> writer_;
    std::unique_ptr<Server> server_;
    bool finishes_ = true;
};

TEST_F(ClientTest, RequestsCarryMethodTargetFieldsAndBody) {
    const Client client(path_);
    for (const char* method : {"GET", "POST", "PUT", "PATCH", "DELETE"}) {
        const std::string body = std::string(method) == "GET" ? "" : "body";
        const auto answer = client.send(method, "/a?b=c%20d&e=f?g", {{"X-Sent", "a value"}}, body);
        ASSERT_TRUE(answer) << answer.error().text();
        EXPECT_EQ(answer->status, 200);
        EXPECT_EQ(answer->headers.get("x-seen"), "a value");
        EXPECT_EQ(answer->body, cat(method, " /a?b=c%20d&e=f?g ", body));
    }
    EXPECT_EQ(client.send("GET", "/missing")->status, 404);
}

TEST_F(ClientTest, AStreamArrivesAsItIsWritten) {
    std::string seen;
    const auto answer = Client(path_).stream("GET", "/stream", {}, "", [&](std::string_view bytes) {
        seen += bytes;
        return true;
    });
    ASSERT_TRUE(answer) << answer.error().text();
    EXPECT_EQ(seen, "one\ntwo\nthree\n");
}

TEST_F(ClientTest, AStreamCanBeLeft) {
    finishes_ = false;
    const auto answer =
        Client(path_).stream("GET", "/stream", {}, "", [](std::string_view) { return false; });
    ASSERT_TRUE(answer) << answer.error().text();
    EXPECT_EQ(answer->status, 200);
}

TEST_F(ClientTest, AStreamThatIsRefusedComesBackWithItsReason) {
    const auto answer =
        Client(path_).stream("GET", "/missing", {}, "", [](std::string_view) { return true; });
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 404);
    EXPECT_EQ(answer->body, "GET /missing ");
}

TEST_F(ClientTest, WithoutAServerItIsNotFound) {
    const auto answer = Client(folder_.file("nobody.sock")).send("GET", "/");
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code(), Errc::kNotFound);
}

}  // namespace
}  // namespace kin::http
