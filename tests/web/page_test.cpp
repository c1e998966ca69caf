#include "web/page.h"

#include <gmock/gmock.h>

#include <future>

#include "core/base/strings.h"
#include "page_files.h"
#include "tests/core/http/raw_client.h"
#include "tests/core/store/store_fixture.h"

namespace kin::web {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr int kSettleMs = 20'000;

/// A page over a store of its own, as a browser that has logged in sees it.
class PageTest : public testing::Test {
protected:
    void SetUp() override {
        create("namespaces",
               {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", "default"}}}});
        control_.call([&] {
            feed_ = std::make_unique<TopologyFeed>(
                client_, TopologyFeed::Options{{{"router", "172.30.0.1", "router"}},
                                               [](const Pod&) { return "veth1"; }});
        });
        ASSERT_TRUE(client_.start());
        Page::Options options;
        options.port = 0;
        options.secret = "secret";
        options.door = {.lab_words = "", .assets = files_.list()};
        options.stream.head = {{"lab", "demo"}};
        options.stream.tick = [this](uint64_t& change) {
            Json drops = Json::array();
            if (std::exchange(change, 3) == 0) drops.push_back({{"number", 3}});
            return Json{{"counts", counts_}, {"drops", std::move(drops)}};
        };
        options.api = [](http::Request& request, http::Responder& responder) {
            // What the API is told of who asks.
            const bool owner = request.peer.door == http::Peer::Door::kUnix;
            const bool speaks = request.headers.has("Cookie") ||
                                request.headers.has("Authorization") ||
                                request.headers.has("Impersonate-User");
            responder.send({200, "text/plain", cat(owner ? "owner" : "", speaks ? " speaks" : "")});
        };
        auto page = Page::start(streams_, control_, *feed_, std::move(options));
        ASSERT_TRUE(page);
        page_ = std::move(*page);
        log_in();
    }
    void TearDown() override {
        page_.reset();
        control_.call([&] { feed_.reset(); });
    }

    void create(std::string_view resource, const Json& object) {
        const Target target{
            find_resource(resource),
            {string_at(object, {"metadata", "namespace"}), string_at(object, {"metadata", "name"})},
            ""};
        const auto written = blocking_write(
            [&](WriteDone done) { registry_.create(target, object, {}, std::move(done)); });
        ASSERT_TRUE(written) << written.error().message;
    }
    void create_service(const std::string& name) {
        create("services", {{"apiVersion", "v1"},
                            {"kind", "Service"},
                            {"metadata", {{"name", name}, {"namespace", "default"}}},
                            {"spec", {{"ports", {{{"port", 80}}}}}}});
    }

    void patch(std::string_view resource, const ObjectKey& key, const Json& patch) {
        const auto written = blocking_write([&](WriteDone done) {
            registry_.patch({find_resource(resource), key, ""}, PatchType::kMerge, patch, {},
                            std::move(done));
        });
        ASSERT_TRUE(written) << written.error().message;
    }

    std::string ask(const std::string& head) {
        auto client = test::RawClient::to_port(page_->port());
        client.send(cat(head, "\r\nHost: 127.0.0.1:", page_->port(), "\r\n\r\n"));
        return client.read_response();
    }
    void log_in() {
        const std::string link = page_->new_link();
        const std::string said = ask(cat("GET ", link.substr(link.find("/login")), " HTTP/1.1"));
        const size_t cookie = said.find("kin-");
        const size_t key = said.find("content=\"") + 9;
        ASSERT_NE(cookie, std::string::npos) << said;
        own_ = cat("\r\nCookie: ", said.substr(cookie, said.find(';', cookie) - cookie),
                   "\r\nOrigin: http://127.0.0.1:", page_->port(),
                   "\r\nX-Kin-Page: ", said.substr(key, said.find('"', key) - key));
    }
    /// A stream that has just been opened.
    test::RawClient open_stream() {
        const std::string said =
            ask(cat("POST /kin/v1/ticket HTTP/1.1\r\nContent-Length: 0", own_));
        const size_t at = said.find("\"ticket\":\"") + 10;
        auto client = test::RawClient::to_port(page_->port());
        client.send(cat("GET /kin/v1/stream?ticket=", said.substr(at, said.find('"', at) - at),
                        " HTTP/1.1", own_, "\r\nHost: 127.0.0.1:", page_->port(),
                        "\r\nConnection: Upgrade\r\nUpgrade: websocket"
                        "\r\nSec-WebSocket-Version: 13"
                        "\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"));
        EXPECT_THAT(client.read_until("\r\n\r\n"), HasSubstr("101"));
        return client;
    }
    /// The next message, which is a text of less than 64 KiB.
    static Json next(test::RawClient& client) {
        const std::string head = client.read_exactly(2);
        if (head.size() < 2) return {};
        EXPECT_EQ(head[0], '\x81') << "a whole text";
        size_t size = static_cast<unsigned char>(head[1]);
        if (size == 126) {
            const std::string more = client.read_exactly(2);
            size = static_cast<unsigned char>(more[0]) * 256u + static_cast<unsigned char>(more[1]);
        }
        const auto json = parse_json(client.read_exactly(size));
        EXPECT_TRUE(json);
        return json ? *json : Json();
    }
    /// The next message of this type.
    static Json next(test::RawClient& client, std::string_view type) {
        for (;;) {
            Json message = next(client);
            if (message.is_null() || string_at(message, {"type"}) == type) return message;
        }
    }
    static std::vector<std::string> ids(const Json& things) {
        std::vector<std::string> out;
        for (const Json& thing : things) out.push_back(string_at(thing, {"id"}));
        return out;
    }

    test::PageFiles files_;
    std::unique_ptr<Store> store_ = test::open_store();
    Registry registry_{*store_, Registry::Options{}};
    Json counts_ = {{"service/default/a", {{"pod/default/x", 5}}}};
    Loop streams_{"kin-streams"};
    Loop control_{"kin-control"};
    Client client_{registry_, control_};
    std::unique_ptr<TopologyFeed> feed_;
    std::unique_ptr<Page> page_;
    std::string own_;
};

TEST_F(PageTest, StreamTellsTheWholeThenWhatChanges) {
    create_service("a");
    ASSERT_TRUE(client_.settle(kSettleMs));
    auto client = open_stream();
    const Json first = next(client, "snapshot");
    EXPECT_EQ(string_at(first, {"lab"}), "demo");
    EXPECT_THAT(ids(first["things"]), ElementsAre("host/router", "service/default/a"));
    create_service("b");
    const Json second = next(client, "delta");
    EXPECT_THAT(ids(second["set"]), ElementsAre("service/default/b"));
    const auto removed = blocking_write([&](WriteDone done) {
        registry_.remove({find_resource("services"), {"default", "a"}, ""}, {}, std::move(done));
    });
    ASSERT_TRUE(removed);
    EXPECT_THAT(next(client, "delta")["gone"], ElementsAre("service/default/a"));
}

TEST_F(PageTest, CountersComeWithATick) {
    auto client = open_stream();
    EXPECT_EQ(next(client, "tick")["counts"], counts_);
}

TEST_F(PageTest, WhoComesLaterGetsTheSame) {
    create_service("a");
    auto first = open_stream();
    EXPECT_FALSE(next(first, "snapshot").is_null());
    EXPECT_EQ(next(first, "tick")["counts"], counts_);
    auto second = open_stream();
    EXPECT_THAT(ids(next(second)["things"]), ElementsAre("host/router", "service/default/a"));
    const Json tick = next(second);
    EXPECT_EQ(tick["counts"], counts_) << "at once, though nothing has changed";
    EXPECT_EQ(tick["drops"], Json::array({{{"number", 3}}})) << "what was dropped before, too";
}

TEST_F(PageTest, WhatPoliciesDependOnIsAChangeThoughItIsNotDrawn) {
    const Json meta{{"name", "db"}, {"namespace", "default"}};
    Json policy{{"apiVersion", "networking.k8s.io/v1"},
                {"kind", "NetworkPolicy"},
                {"metadata", meta},
                {"spec", {{"podSelector", Json::object()}}}};
    create("networkpolicies.networking.k8s.io", policy);
    ASSERT_TRUE(client_.settle(kSettleMs));
    auto client = open_stream();
    next(client, "snapshot");
    patch("networkpolicies.networking.k8s.io", {"default", "db"},
          {{"spec", {{"ingress", {{{"ports", {{{"port", 5432}}}}}}}}}});
    EXPECT_THAT(ids(next(client, "delta")["set"]), ElementsAre("policy/default/db"));
    patch("namespaces", {"", "default"}, {{"metadata", {{"labels", {{"team", "a"}}}}}});
    EXPECT_THAT(ids(next(client, "delta")["set"]), ElementsAre("policy/default/db"))
        << "a namespaceSelector may mean it";
}

TEST_F(PageTest, EachPortHasSecretsOfItsOwn) {
    Page::Options options;
    options.secret = "secret";
    options.door = {.lab_words = "", .assets = files_.list()};
    options.stream.tick = [](uint64_t&) { return Json(); };
    const auto other = Page::start(streams_, control_, *feed_, std::move(options));
    ASSERT_TRUE(other);
    std::string own = own_;  // As whoever listens at this port while the lab is away could send it.
    const std::string from = cat(page_->port()), to = cat((*other)->port());
    for (size_t at = own.find(from); at != std::string::npos; at = own.find(from, at + to.size()))
        own.replace(at, from.size(), to);
    auto client = test::RawClient::to_port((*other)->port());
    client.send(cat("POST /kin/v1/ticket HTTP/1.1\r\nContent-Length: 0\r\nHost: 127.0.0.1:", to, own,
                    "\r\n\r\n"));
    EXPECT_THAT(client.read_response(), HasSubstr("401"));
}

TEST_F(PageTest, WhatIsLetInHasTheOwnersAuthorityAndNoOtherIdentity) {
    EXPECT_THAT(
        ask(cat("GET /api HTTP/1.1\r\nAuthorization: Bearer x\r\nImpersonate-User: y", own_)),
        HasSubstr("\r\n\r\nowner"));
    EXPECT_THAT(ask("GET /api HTTP/1.1"), HasSubstr("401"));
    EXPECT_THAT(ask("GET /kin/v1/stream HTTP/1.1"), HasSubstr("401"));
}

TEST_F(PageTest, StreamIsForWebSockets) {
    EXPECT_THAT(ask(cat("GET /kin/v1/stream HTTP/1.1", own_)), HasSubstr("400"));
}

TEST_F(PageTest, EndsWithStreamsOpen) {
    auto client = open_stream();
    EXPECT_FALSE(next(client, "snapshot").is_null());
    page_.reset();
    EXPECT_THAT(client.read_to_end(), testing::Not(HasSubstr("snapshot")));
}

}  // namespace
}  // namespace kin::web
