#include "core/client/informer.h"

#include <future>
#include <random>

#include "tests/core/store/store_fixture.h"

namespace kin {
namespace {

using test::open_store;
using test::put;
using test::remove;

/// Remembers what it was told, as texts, and checks that no observer hears too early.
struct Recorder : CacheSink {
    std::map<ObjectKey, std::shared_ptr<const Json>> shown;
    std::vector<std::string> heard;

    Revision revision_of(const ObjectKey& key) const override {
        const auto found = shown.find(key);
        if (found == shown.end()) return 0;
        return *parse_number<Revision>(string_at(*found->second, {"metadata", "resourceVersion"}));
    }
    std::vector<ObjectKey> keys() const override {
        std::vector<ObjectKey> out;
        for (const auto& [key, object] : shown) out.push_back(key);
        return out;
    }
    std::function<void()> set(const ObjectKey& key, std::shared_ptr<const Json> object) override {
        if (!object) {
            shown.erase(key);
            return [this, key] { heard.push_back(cat("-", key)); };
        }
        shown[key] = object;
        return [this, key, object] {
            heard.push_back(cat(key, '=', string_at(*object, {"data", "value"})));
        };
    }
    std::map<std::string, std::string> values() const {
        std::map<std::string, std::string> out;
        for (const auto& [key, object] : shown) {
            out[key.to_string()] = string_at(*object, {"data", "value"});
        }
        return out;
    }
};

class InformerTest : public testing::Test {
protected:
    void SetUp() override {
        store_options_.path = ":memory:";
        store_options_.ring_events = 4;
        store_ = open_store(store_options_);
        informer_ = std::make_unique<Informer>(*store_, loop_);
        informer_->add("configmaps", sink_);
    }
    void TearDown() override { informer_.reset(); }

    /// Waits until the informer has seen all that is stored.
    void catch_up() {
        const Revision head = store_->revision();
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        for (Revision seen = 0; seen < head;) {
            loop_.call([&] { seen = informer_->seen(); });
            ASSERT_LT(std::chrono::steady_clock::now(), deadline);
        }
    }

    Store::Options store_options_;
    std::unique_ptr<Store> store_;
    Loop loop_{"kin-test"};
    std::shared_ptr<Recorder> sink_ = std::make_shared<Recorder>();
    std::unique_ptr<Informer> informer_;
};

using Texts = std::vector<std::string>;
using Values = std::map<std::string, std::string>;

TEST_F(InformerTest, StartTellsOfEverythingThatIsThere) {
    put(*store_, {"a", "x"}, "1");
    put(*store_, {"a", "y"}, "1");
    put(*store_, {"a", "s"}, "1", "secrets");
    ASSERT_TRUE(informer_->start());
    loop_.call([&] {
        EXPECT_EQ(sink_->heard, (Texts{"a/x=1", "a/y=1"}));
        EXPECT_EQ(informer_->seen(), 3u);
    });
}

TEST_F(InformerTest, ChangesAreHeardAfterTheyAreWritten) {
    ASSERT_TRUE(informer_->start());
    put(*store_, {"a", "x"}, "1");
    catch_up();
    put(*store_, {"a", "x"}, "2");
    catch_up();
    remove(*store_, {"a", "x"});
    catch_up();
    loop_.call([&] { EXPECT_EQ(sink_->heard, (Texts{"a/x=1", "a/x=2", "-a/x"})); });
}

TEST_F(InformerTest, OneTurnTellsTheNewestStateOfEachObjectOnce) {
    ASSERT_TRUE(informer_->start());
    std::promise<void> gate;
    loop_.post([&] { gate.get_future().wait(); });
    for (int i = 1; i <= 3; ++i) {
        put(*store_, {"a", "x"}, cat(i));
        put(*store_, {"a", cat("y", i)}, "1");
    }
    remove(*store_, {"a", "y2"});
    gate.set_value();
    catch_up();
    loop_.call([&] {
        EXPECT_EQ(sink_->values(), (Values{{"a/x", "3"}, {"a/y1", "1"}, {"a/y3", "1"}}));
        EXPECT_EQ(sink_->heard, (Texts{"a/x=3", "a/y1=1", "-a/y2", "a/y3=1"}));
    });
}

TEST_F(InformerTest, WhoFallsOffTheRingReadsTheLog) {
    ASSERT_TRUE(informer_->start());
    std::promise<void> gate;
    loop_.post([&] { gate.get_future().wait(); });
    for (int i = 1; i <= 100; ++i) put(*store_, {"a", cat("n", i % 7)}, cat(i));
    gate.set_value();
    catch_up();
    loop_.call([&] { EXPECT_EQ(sink_->shown.size(), 7u); });
}

TEST_F(InformerTest, WhoFallsBehindCompactionListsAnewAndHearsTheDifference) {
    put(*store_, {"a", "same"}, "1");
    put(*store_, {"a", "gone"}, "1");
    put(*store_, {"a", "other"}, "1");
    ASSERT_TRUE(informer_->start());
    std::promise<void> gate;
    loop_.call([&] { sink_->heard.clear(); });
    loop_.post([&] { gate.get_future().wait(); });
    remove(*store_, {"a", "gone"});
    put(*store_, {"a", "other"}, "2");
    put(*store_, {"a", "new"}, "1");
    ASSERT_TRUE(store_->compact(store_->revision()));
    gate.set_value();
    catch_up();
    loop_.call([&] {
        std::sort(sink_->heard.begin(), sink_->heard.end());
        EXPECT_EQ(sink_->heard, (Texts{"-a/gone", "a/new=1", "a/other=2"}));
    });
}

TEST_F(InformerTest, SinksAddedLaterAreFilledAtOnce) {
    put(*store_, {"a", "x"}, "1", "secrets");
    ASSERT_TRUE(informer_->start());
    const auto secrets = std::make_shared<Recorder>();
    loop_.call([&] {
        informer_->add("secrets", secrets);
        EXPECT_EQ(secrets->values(), (Values{{"a/x", "1"}}));
    });
    put(*store_, {"a", "x"}, "2", "secrets");
    catch_up();
    loop_.call([&] { EXPECT_EQ(secrets->values(), (Values{{"a/x", "2"}})); });
}

TEST_F(InformerTest, UnderLoadAndCompactionItEndsWithWhatIsStored) {
    // Starts in the middle of writes, so that list and events overlap.
    std::atomic<bool> started = false;
    std::thread writer([&] {
        std::mt19937 random(20260103);
        for (int i = 0; i < 1500; ++i) {
            const ObjectKey key{"a", cat("n", random() % 20)};
            if (random() % 4 == 0) {
                remove(*store_, key);
            } else {
                put(*store_, key, cat(i));
            }
            if (i == 200) started = true;
            if (i % 100 == 99) {
                EXPECT_TRUE(store_->compact(store_->revision()));
            }
        }
    });
    while (!started) std::this_thread::yield();
    ASSERT_TRUE(informer_->start());
    writer.join();
    catch_up();
    Values stored;
    for (const auto& object : store_->list("configmaps", "").objects) {
        stored[object->key.to_string()] =
            string_at(parse_json(object->body).value(), {"data", "value"});
    }
    loop_.call([&] { EXPECT_EQ(sink_->values(), stored); });
}

}  // namespace
}  // namespace kin
