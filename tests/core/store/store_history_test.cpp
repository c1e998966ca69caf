#include <random>

#include "core/base/json.h"
#include "tests/core/store/store_fixture.h"

namespace kin {
namespace {

using test::open_store;
using test::put;
using test::remove;

Store::Options small_ring(const std::string& path, size_t ring_events = 16) {
    Store::Options options;
    options.path = path;
    options.ring_events = ring_events;
    return options;
}

TEST(StoreHistoryTest, EventsOlderThanTheRingComeFromTheLog) {
    for (const size_t ring : {0, 4, 4096}) {
        const auto store = open_store(small_ring(":memory:", ring));
        for (int i = 1; i <= 20; ++i) put(*store, {"a", cat("n", i % 3)}, cat(i));
        remove(*store, {"a", "n1"});
        Revision reached = 0;
        const auto events = store->events_after(2, "configmaps", 100, reached);
        ASSERT_TRUE(events);
        ASSERT_EQ(events->size(), 19u);
        EXPECT_EQ(reached, 21u);
        for (size_t i = 0; i < events->size(); ++i) EXPECT_EQ((*events)[i].revision, i + 3);
        EXPECT_EQ(events->back().previous->revision, 19u);
        EXPECT_EQ(events->back().object->labels, (Labels{{"of", "n1"}}));
    }
}

TEST(StoreHistoryTest, ALimitTellsHowFarTheAnswerReaches) {
    for (const size_t ring : {0, 4096}) {
        const auto store = open_store(small_ring(":memory:", ring));
        for (int i = 0; i < 10; ++i) {
            put(*store, {"a", "x"}, cat(i));
            put(*store, {"a", "x"}, cat(i), "secrets");
        }
        Revision reached = 0;
        auto events = store->events_after(0, "configmaps", 4, reached);
        ASSERT_TRUE(events);
        EXPECT_EQ(events->size(), 4u);
        EXPECT_EQ(reached, 7u);
        events = store->events_after(reached, "configmaps", 6, reached);
        EXPECT_EQ(events->size(), 6u);
        EXPECT_EQ(reached, 20u);  // The secret after the last configmap is not what was asked for.
        events = store->events_after(reached, "configmaps", 6, reached);
        EXPECT_TRUE(events->empty());
        EXPECT_EQ(reached, 20u);
    }
}

TEST(StoreHistoryTest, CompactedRevisionsAreGoneAndTheStateStays) {
    const auto store = open_store(small_ring(":memory:"));
    for (int i = 0; i < 10; ++i) put(*store, {"a", cat("n", i % 2)}, cat(i));
    remove(*store, {"a", "n0"});
    ASSERT_TRUE(store->compact(8));
    EXPECT_EQ(store->oldest(), 8u);
    Revision reached = 0;
    EXPECT_EQ(store->events_after(7, "", 100, reached).error().code(), Errc::kGone);
    EXPECT_EQ(store->list_at("configmaps", "", 7).error().code(), Errc::kGone);
    EXPECT_EQ(store->events_after(8, "", 100, reached)->size(), 3u);
    EXPECT_EQ(store->list_at("configmaps", "", 8)->objects.size(), 2u);
    EXPECT_EQ(store->list_at("configmaps", "", 11)->objects.size(), 1u);
    EXPECT_EQ(store->list_at("configmaps", "", 12).error().code(), Errc::kNotFound);
    EXPECT_EQ(store->compact(12).error().code(), Errc::kNotFound);
    EXPECT_EQ(store->list("configmaps", "").objects.size(), 1u);
}

TEST(StoreHistoryTest, ARevisionIsNeverUsedTwiceEvenIfItsObjectIsForgotten) {
    const test::TempFolder folder;
    {
        const auto store = open_store(folder.file("kin.db"));
        put(*store, {"a", "x"}, "1");
        remove(*store, {"a", "x"});
        ASSERT_TRUE(store->compact(2));
    }
    const auto store = open_store(folder.file("kin.db"));
    EXPECT_EQ(store->revision(), 2u);
    EXPECT_EQ(store->oldest(), 2u);
    EXPECT_EQ(put(*store, {"a", "x"}, "2")->revision, 3u);
}

TEST(StoreHistoryTest, OldHistoryIsForgottenOnceItIsBeyondBothLimits) {
    Store::Options options = small_ring(":memory:");
    options.keep_revisions = 100;
    options.keep_seconds = 0;
    const auto store = open_store(options);
    for (int i = 0; i < 2000; ++i) {
        store->submit(
            [i](StoreTransaction& tx) {
                tx.put(test::an_object({"a", "x"}, cat(i)));
            },
            {});
    }
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (store->oldest() < 1900 && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::yield();
    }
    EXPECT_EQ(store->oldest(), 1900u);
    Revision reached = 0;
    EXPECT_EQ(store->events_after(1900, "", 1000, reached)->size(), 100u);
}

/// The store as one would write it without a disk, an order of locks and a budget of memory.
struct Model {
    using State = std::map<std::string, std::string>;  // resource|ns|name -> body
    std::vector<State> states{State{}};                // by revision

    void put(const StoredPtr& object) { change(object, object->body); }
    void remove(const StoredPtr& object) { change(object, ""); }
    void change(const StoredPtr& object, const std::string& body) {
        State next = states.back();
        const std::string key = cat(object->resource, '|', object->key.ns, '|', object->key.name);
        if (body.empty()) {
            next.erase(key);
        } else {
            next[key] = body;
        }
        states.push_back(std::move(next));
    }
};

Model::State state_of(const std::vector<StoredPtr>& objects, Model::State state = {}) {
    for (const auto& object : objects) {
        state[cat(object->resource, '|', object->key.ns, '|', object->key.name)] = object->body;
    }
    return state;
}

void expect_same(const Store& store, const Model& model) {
    for (Revision revision = store.oldest(); revision < model.states.size(); revision += 7) {
        Model::State state;
        for (const char* resource : {"configmaps", "secrets"}) {
            const auto list = store.list_at(resource, "", revision);
            ASSERT_TRUE(list) << list.error().text();
            state = state_of(list->objects, std::move(state));
        }
        ASSERT_EQ(state, model.states[revision]) << "at " << revision;
        // The events from there on lead to the present.
        Revision reached = 0;
        const auto events = store.events_after(revision, "", 1'000'000, reached);
        ASSERT_TRUE(events) << events.error().text();
        for (const auto& event : *events) {
            const auto& object = *event.object;
            const auto key = cat(object.resource, '|', object.key.ns, '|', object.key.name);
            ASSERT_EQ(event.previous ? event.previous->body : "", state[key]);
            if (event.type == StoreEvent::Type::kDeleted) {
                state.erase(key);
            } else {
                state[key] = object.body;
            }
        }
        ASSERT_EQ(state, model.states.back());
    }
}

TEST(StoreHistoryTest, RandomWritesCompactionsAndRestartsMatchASimpleModel) {
    const test::TempFolder folder;
    std::mt19937 random(20260101);
    const auto pick = [&](int n) { return std::uniform_int_distribution<>(0, n - 1)(random); };
    auto store = open_store(small_ring(folder.file("kin.db")));
    Model model;
    for (int step = 0; step < 400; ++step) {
        const ObjectKey key{cat("ns", pick(2)), cat("n", pick(6))};
        const char* resource = pick(2) ? "configmaps" : "secrets";
        const int action = pick(100);
        if (action < 65) {
            model.put(put(*store, key, cat(step), resource));
        } else if (action < 96) {
            if (const auto removed = remove(*store, key, resource)) model.remove(removed);
        } else if (action < 98) {
            ASSERT_TRUE(
                store->compact(store->oldest() + (store->revision() - store->oldest()) / 2));
        } else {
            store.reset();
            store = open_store(small_ring(folder.file("kin.db")));
        }
        ASSERT_EQ(store->revision() + 1, model.states.size());
        if (step % 80 == 0) expect_same(*store, model);
    }
    expect_same(*store, model);
}

}  // namespace
}  // namespace kin
