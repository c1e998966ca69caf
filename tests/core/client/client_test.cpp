#include "core/client/client.h"

#include <future>

#include "core/client/service_slices.h"
#include "tests/core/store/store_fixture.h"

namespace kin {
namespace {

constexpr int kSettleMs = 20'000;

Json config_map(const std::string& name, const std::string& value) {
    return {{"apiVersion", "v1"},
            {"kind", "ConfigMap"},
            {"metadata", {{"name", name}, {"namespace", "default"}}},
            {"data", {{"key", value}}}};
}

class ClientTest : public testing::Test {
protected:
    void SetUp() override {
        create({{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", "default"}}}},
               "namespaces");
    }
    /// What a user would do, not through the client.
    void create(const Json& object, std::string_view resource = "configmaps") {
        const Target target{
            find_resource(resource),
            {string_at(object, {"metadata", "namespace"}), string_at(object, {"metadata", "name"})},
            ""};
        const auto written = blocking_write(
            [&](WriteDone done) { registry_.create(target, object, {}, std::move(done)); });
        ASSERT_TRUE(written) << written.error().message;
    }
    void settle() {
        std::string why;
        ASSERT_TRUE(client_->settle(kSettleMs, &why)) << why;
    }

    std::unique_ptr<Store> store_ = test::open_store();
    Registry registry_{*store_, Registry::Options{}};
    Loop loop_{"kin-test"};
    std::unique_ptr<Client> client_ = std::make_unique<Client>(registry_, loop_);
};

TEST_F(ClientTest, CachesShowWhatIsStoredAndObserversHearOfChanges) {
    std::vector<std::string> heard;
    auto& cache = client_->cache<ConfigMap>();
    cache.on_change([&](const CacheChange<ConfigMap>& change) {
        heard.push_back(
            cat(change.before ? "had " : "", change.now ? "has " : "", change.either().key()));
    });
    create(config_map("a", "1"));
    ASSERT_TRUE(client_->start());
    create(config_map("b", "1"));
    settle();
    loop_.call([&] {
        EXPECT_EQ(heard, (std::vector<std::string>{"has default/a", "has default/b"}));
        ASSERT_NE(cache.find({"default", "b"}), nullptr);
        EXPECT_EQ(string_at(*cache.find({"default", "b"})->object, {"data", "key"}), "1");
        EXPECT_EQ(&client_->cache<ConfigMap>(), &cache);
    });
}

TEST_F(ClientTest, AnAnswerComesWhenTheCachesShowTheWrite) {
    auto& cache = client_->cache<ConfigMap>();
    ASSERT_TRUE(client_->start());
    std::promise<bool> shown;
    loop_.post([&] {
        client_->create("configmaps", config_map("a", "1"), [&](const Answer<Written>& answer) {
            shown.set_value(answer && loop_.on_thread() && cache.find({"default", "a"}));
        });
        EXPECT_EQ(client_->pending_writes(), 1u);
    });
    EXPECT_TRUE(shown.get_future().get());
    settle();
    loop_.call([&] { EXPECT_EQ(client_->pending_writes(), 0u); });
}

TEST_F(ClientTest, WritesThatFailTellWhy) {
    ASSERT_TRUE(client_->start());
    std::promise<int> code;
    loop_.post([&] {
        client_->patch("configmaps", {"default", "none"}, {{"data", {{"key", "2"}}}},
                       [&](const Answer<Written>& answer) {
                           code.set_value(answer ? 200 : answer.error().code);
                       });
    });
    EXPECT_EQ(code.get_future().get(), 404);
}

TEST_F(ClientTest, PatchesAndDeletionsAreWritten) {
    create(config_map("a", "1"));
    create(config_map("b", "1"));
    ASSERT_TRUE(client_->start());
    loop_.call([&] {
        client_->patch("configmaps", {"default", "a"}, {{"data", {{"key", "2"}}}});
        client_->remove("configmaps", {"default", "b"});
    });
    settle();
    loop_.call([&] {
        const auto patched = client_->get("configmaps", {"default", "a"});
        ASSERT_TRUE(patched);
        EXPECT_EQ(string_at(*patched, {"data", "key"}), "2");
        EXPECT_FALSE(client_->get("configmaps", {"default", "b"}));
    });
}

TEST_F(ClientTest, MetadataOfAllKindsIsHeardAfterTheCaches) {
    std::vector<std::string> heard;
    client_->watch_metadata([&](const Kind& kind, const Metadata* before, const Metadata* now) {
        heard.push_back(cat(before ? "had " : "", now ? "has " : "", kind.kind, ' ',
                            (now ? now : before)->key));
    });
    client_->cache<ConfigMap>().on_change(
        [&](const CacheChange<ConfigMap>&) { heard.push_back("cache"); });
    ASSERT_TRUE(client_->start());
    create(config_map("a", "1"));
    settle();
    loop_.call([&] {
        client_->remove("configmaps", {"default", "a"});
        EXPECT_EQ(heard, (std::vector<std::string>{"has Namespace default", "cache",
                                                   "has ConfigMap default/a"}));
        heard.clear();
    });
    settle();
    loop_.call([&] {
        EXPECT_EQ(heard, (std::vector<std::string>{"cache", "had ConfigMap default/a"}));
    });
}

Json slice(const std::string& name, const std::string& service) {
    return {{"apiVersion", "discovery.k8s.io/v1"},
            {"kind", "EndpointSlice"},
            {"metadata",
             {{"name", name},
              {"namespace", "default"},
              {"labels", {{"kubernetes.io/service-name", service}}}}},
            {"addressType", "IPv4"},
            {"endpoints", Json::array()},
            {"ports", Json::array()}};
}

TEST_F(ClientTest, SlicesAreFoundByTheirService) {
    std::vector<std::string> heard;
    std::optional<ServiceSlices> slices;
    loop_.call([&] {
        slices.emplace(*client_, [&](const ObjectKey& service) { heard.push_back(service.name); });
    });
    const auto names_of = [&](const char* service) {
        std::vector<std::string> names;
        for (const EndpointSlice* found : slices->of({"default", service})) {
            names.push_back(found->key().name);
        }
        return names;
    };
    create(slice("two", "web"), EndpointSlice::kResource);
    create(slice("one", "web"), EndpointSlice::kResource);
    ASSERT_TRUE(client_->start());
    settle();
    loop_.call([&] {
        EXPECT_EQ(names_of("web"), (std::vector<std::string>{"one", "two"}));
        EXPECT_EQ(heard, (std::vector<std::string>{"web", "web"}));
        heard.clear();
        client_->patch(EndpointSlice::kResource, {"default", "one"},
                       {{"metadata", {{"labels", {{"kubernetes.io/service-name", "db"}}}}}});
    });
    settle();
    loop_.call([&] {
        EXPECT_EQ(names_of("web"), std::vector<std::string>{"two"});
        EXPECT_EQ(names_of("db"), std::vector<std::string>{"one"});
        EXPECT_EQ(heard, (std::vector<std::string>{"web", "db"}));
        client_->remove(EndpointSlice::kResource, {"default", "one"});
        client_->remove(EndpointSlice::kResource, {"default", "two"});
    });
    settle();
    loop_.call([&] {
        EXPECT_EQ(names_of("web"), std::vector<std::string>{});
        EXPECT_EQ(names_of("db"), std::vector<std::string>{});
        slices.reset();
    });
}

TEST_F(ClientTest, ARepeatedNoteCountsUpItsEvent) {
    ASSERT_TRUE(client_->start());
    const Client::EventNote note{"ConfigMap", "v1",    {"default", "a"}, "uid",    "",
                                 "Normal",    "Noted", "text",           "tester", ""};
    for (int i = 0; i < 3; ++i) {
        loop_.call([&] { client_->record(note); });
        settle();
    }
    const auto events = store_->list("events", "default").objects;
    ASSERT_EQ(events.size(), 1u);
    const Json event = parse_json(events[0]->body).value();
    EXPECT_EQ(event["count"], 3);
    EXPECT_EQ(event["reason"], "Noted");
    // Gone meanwhile: it begins anew with what it has counted.
    loop_.call([&] { client_->remove("events", events[0]->key); });
    settle();
    loop_.call([&] { client_->record(note); });
    settle();
    EXPECT_EQ(store_->list("events", "default").objects.size(), 1u);
}

TEST_F(ClientTest, EventsLetOtherWritesPass) {
    ASSERT_TRUE(client_->start());
    const Client::EventNote note{"ConfigMap", "v1",    {"default", "a"}, "uid",    "",
                                 "Normal",    "Noted", "text",           "tester", ""};
    std::promise<void> gate;
    store_->submit([&](StoreTransaction&) { gate.get_future().wait(); }, {});
    loop_.call([&] {
        for (int i = 0; i < 4; ++i) client_->create("configmaps", config_map(cat("a", i), "1"));
        client_->record(note);
        for (int i = 0; i < 4; ++i) client_->create("configmaps", config_map(cat("b", i), "1"));
    });
    gate.set_value();
    settle();
    const auto events = store_->list("events", "default").objects;
    ASSERT_EQ(events.size(), 1u);
    for (const auto& object : store_->list("configmaps", "default").objects)
        EXPECT_LT(object->revision, events[0]->revision) << object->key.name;
}

TEST_F(ClientTest, EventsThatWaitAreWrittenWhenTheClientEnds) {
    ASSERT_TRUE(client_->start());
    const Client::EventNote note{"ConfigMap", "v1",    {"default", "a"}, "uid",    "",
                                 "Normal",    "Noted", "text",           "tester", ""};
    std::promise<void> gate;
    store_->submit([&](StoreTransaction&) { gate.get_future().wait(); }, {});
    loop_.call([&] {
        for (int i = 0; i < 4; ++i) client_->create("configmaps", config_map(cat("a", i), "1"));
        client_->record(note);
    });
    client_.reset();
    gate.set_value();
    ASSERT_TRUE(store_->run([](StoreTransaction&) {}));
    EXPECT_EQ(store_->list("events", "default").objects.size(), 1u);
}

TEST_F(ClientTest, SettlingNamesWhoIsBusy) {
    bool busy = true;
    client_->add_busy_check("idler", [] { return false; });
    client_->add_busy_check("digger", [&] { return busy; });
    ASSERT_TRUE(client_->start());
    std::string why;
    EXPECT_FALSE(client_->settle(5, &why));
    EXPECT_EQ(why, "digger");
    loop_.call([&] { busy = false; });
    settle();
}

TEST_F(ClientTest, AnswersAfterTheClientsEndAreDropped) {
    ASSERT_TRUE(client_->start());
    std::atomic<int> answers = 0;
    std::promise<void> gate;
    // The writer waits, so that the answers come when the client is gone.
    store_->submit([&](StoreTransaction&) { gate.get_future().wait(); }, {});
    loop_.call([&] {
        for (int i = 0; i < 10; ++i) {
            client_->create("configmaps", config_map(cat("n", i), "1"),
                            [&](const Answer<Written>&) { ++answers; });
        }
    });
    client_.reset();
    gate.set_value();
    ASSERT_TRUE(store_->run([](StoreTransaction&) {}));
    loop_.call([] {});
    EXPECT_EQ(answers, 0);
    EXPECT_EQ(store_->list("configmaps", "").objects.size(), 10u);
}

}  // namespace
}  // namespace kin
