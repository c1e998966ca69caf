#include "core/store/store.h"

#include <future>
#include <thread>

#include "core/base/json.h"
#include "core/store/body.h"
#include "tests/core/store/store_fixture.h"

namespace kin {
namespace {

using test::an_object;
using test::open_store;
using test::put;
using test::remove;
using Type = StoreEvent::Type;

constexpr size_t kAll = 1'000'000;

std::vector<StoreEvent> events(const Store& store, Revision after) {
    Revision reached = 0;
    auto found = store.events_after(after, "", kAll, reached);
    EXPECT_TRUE(found) << found.error().text();
    return found ? *found : std::vector<StoreEvent>{};
}

TEST(StoreTest, ANewStoreIsEmptyAtRevisionZero) {
    const auto store = open_store();
    EXPECT_EQ(store->revision(), 0u);
    EXPECT_EQ(store->find("configmaps", {"a", "x"}), nullptr);
    EXPECT_TRUE(store->list("configmaps", "").objects.empty());
    EXPECT_TRUE(events(*store, 0).empty());
}

TEST(StoreTest, AWrittenObjectBearsItsRevision) {
    const auto store = open_store();
    put(*store, {"a", "x"}, "1");
    const auto written = put(*store, {"a", "x"}, "2");
    const auto found = store->find("configmaps", {"a", "x"});
    ASSERT_EQ(found, written);
    EXPECT_EQ(found->revision, 2u);
    EXPECT_EQ(string_at(parse_json(found->body).value(), {"metadata", "resourceVersion"}), "2");
    EXPECT_EQ(found->labels, (Labels{{"of", "x"}}));
    EXPECT_EQ(store->revision(), 2u);
}

TEST(StoreTest, ListsAreByNamespaceThenName) {
    const auto store = open_store();
    for (const ObjectKey& key : {ObjectKey{"b", "a"}, {"a", "z"}, {"a-b", "c"}, {"a", "b"}}) {
        put(*store, key, "v");
    }
    put(*store, {"a", "other"}, "v", "secrets");
    std::vector<std::string> names;
    for (const auto& object : store->list("configmaps", "").objects) {
        names.push_back(object->key.to_string());
    }
    EXPECT_EQ(names, (std::vector<std::string>{"a/b", "a/z", "a-b/c", "b/a"}));
    EXPECT_EQ(store->list("configmaps", "a").objects.size(), 2u);
    EXPECT_EQ(store->list("configmaps", "a").revision, 5u);
}

TEST(StoreTest, EventsTellWhatWasBeforeAndADeletionHasItsOwnRevision) {
    const auto store = open_store();
    const auto first = put(*store, {"a", "x"}, "1");
    const auto second = put(*store, {"a", "x"}, "2");
    const auto last = remove(*store, {"a", "x"});
    const auto seen = events(*store, 0);
    ASSERT_EQ(seen.size(), 3u);
    EXPECT_EQ(seen[0].type, Type::kAdded);
    EXPECT_EQ(seen[0].previous, nullptr);
    EXPECT_EQ(seen[1].type, Type::kModified);
    EXPECT_EQ(seen[1].previous, first);
    EXPECT_EQ(seen[2].type, Type::kDeleted);
    EXPECT_EQ(seen[2].previous, second);
    EXPECT_EQ(seen[2].object, last);
    EXPECT_EQ(last->revision, 3u);
    EXPECT_EQ(last->body, with_revision(second->body, 3));
}

TEST(StoreTest, RemovingNothingWritesNothing) {
    const auto store = open_store();
    EXPECT_EQ(remove(*store, {"a", "x"}), nullptr);
    EXPECT_EQ(store->revision(), 0u);
}

TEST(StoreTest, AWorkSeesItsOwnWritesBeforeAnybodyElse) {
    const auto store = open_store();
    put(*store, {"a", "m"}, "old");
    put(*store, {"a", "z"}, "old");
    const auto done = store->run([&](StoreTransaction& tx) {
        tx.put(an_object({"a", "b"}, "new"));
        tx.put(an_object({"a", "m"}, "new"));
        tx.put(an_object({"b", "x"}, "new"));
        tx.remove("configmaps", {"a", "z"});
        EXPECT_EQ(tx.find("configmaps", {"a", "z"}), nullptr);
        EXPECT_EQ(tx.find("configmaps", {"a", "m"})->revision, 4u);
        const auto list = tx.list("configmaps", "a");
        ASSERT_EQ(list.size(), 2u);
        EXPECT_EQ(list[0]->key.name, "b");
        EXPECT_EQ(list[1]->revision, 4u);
        EXPECT_EQ(tx.list("configmaps", "").size(), 3u);
        EXPECT_EQ(store->list("configmaps", "").objects.size(), 2u);
        EXPECT_EQ(store->revision(), 2u);
    });
    EXPECT_TRUE(done);
    EXPECT_EQ(store->revision(), 6u);
}

TEST(StoreTest, AnAbandonedWorkChangesNothingAndLeavesTheOthersAlone) {
    const auto store = open_store();
    put(*store, {"a", "x"}, "old");
    // All three wait while the first job runs, so they share a batch.
    std::promise<void> gate;
    store->submit([&](StoreTransaction&) { gate.get_future().wait(); }, {});
    store->submit([](StoreTransaction& tx) { tx.put(an_object({"a", "one"}, "1")); }, {});
    store->submit(
        [](StoreTransaction& tx) {
            tx.put(an_object({"a", "two"}, "2"));
            tx.put(an_object({"a", "one"}, "2"));
            tx.remove("configmaps", {"a", "x"});
            tx.abandon();
            EXPECT_EQ(tx.find("configmaps", {"a", "two"}), nullptr);
            EXPECT_EQ(tx.find("configmaps", {"a", "one"})->revision, 2u);
            EXPECT_EQ(tx.list("configmaps", "").size(), 2u);
        },
        {});
    gate.set_value();
    put(*store, {"a", "three"}, "3");
    EXPECT_EQ(store->find("configmaps", {"a", "two"}), nullptr);
    EXPECT_EQ(store->find("configmaps", {"a", "x"})->revision, 1u);
    EXPECT_EQ(store->find("configmaps", {"a", "three"})->revision, 3u);
    EXPECT_EQ(events(*store, 0).size(), 3u);
}

TEST(StoreTest, AWakeComesAfterTheWriteIsVisibleAndBeforeItsAnswer) {
    const auto store = open_store();
    std::vector<std::string> order;
    const int wake = store->on_commit([&](Revision revision) {
        order.push_back(cat("wake ", revision, " at ", store->revision()));
    });
    std::promise<void> answered;
    store->submit(
        [](StoreTransaction& tx) {
            tx.put(an_object({"a", "x"}, "1"));
        },
        [&](Result<>) {
            order.push_back("answer");
            answered.set_value();
        });
    answered.get_future().wait();
    store->stop_wake(wake);
    put(*store, {"a", "x"}, "2");
    EXPECT_EQ(order, (std::vector<std::string>{"wake 1 at 1", "answer"}));
}

TEST(StoreTest, ClosingCommitsWhatWasSubmitted) {
    const test::TempFolder folder;
    std::atomic<int> answers = 0;
    {
        const auto store = open_store(folder.file("kin.db"));
        for (int i = 0; i < 1000; ++i) {
            store->submit(
                [i](StoreTransaction& tx) {
                    tx.put(an_object({"a", cat("n", i)}, "v"));
                },
                [&](Result<> result) { answers += result ? 1 : 0; });
        }
    }
    EXPECT_EQ(answers, 1000);
    EXPECT_EQ(open_store(folder.file("kin.db"))->list("configmaps", "").objects.size(), 1000u);
}

TEST(StoreTest, EightWritersAndAReaderSeeOneOrder) {
    const test::TempFolder folder;
    const auto store = open_store(folder.file("kin.db"));
    constexpr int kWriters = 8, kWrites = 80;
    std::atomic<bool> writing = true;
    std::thread reader([&] {
        Revision seen = 0;
        while (writing) {
            const StoreList list = store->list("configmaps", "");
            EXPECT_GE(list.revision, seen);
            seen = list.revision;
            for (const auto& object : list.objects) EXPECT_LE(object->revision, seen);
            Revision reached = 0;
            const auto found = store->events_after(seen / 2, "configmaps", 50, reached);
            ASSERT_TRUE(found);
            EXPECT_LE(found->size(), 50u);
        }
    });
    std::vector<std::thread> writers;
    for (int writer = 0; writer < kWriters; ++writer) {
        writers.emplace_back([&, writer] {
            for (int i = 0; i < kWrites; ++i) {
                // A counter that all increase: an update lost would be missing at the end.
                const auto done = store->run([&](StoreTransaction& tx) {
                    const auto old = tx.find("counters", {"", "c"});
                    const int value =
                        old ? std::stoi(string_at(parse_json(old->body).value(), {"data", "value"}))
                            : 0;
                    tx.put(an_object({"", "c"}, cat(value + 1), "counters"));
                    tx.put(an_object({"a", cat("w", writer, "-", i)}, "v"));
                });
                EXPECT_TRUE(done);
            }
        });
    }
    for (auto& thread : writers) thread.join();
    writing = false;
    reader.join();
    EXPECT_EQ(store->revision(), Revision{2 * kWriters * kWrites});
    EXPECT_EQ(
        string_at(parse_json(store->find("counters", {"", "c"})->body).value(), {"data", "value"}),
        cat(kWriters * kWrites));
    Revision last = 0;
    for (const StoreEvent& event : events(*store, 0)) EXPECT_EQ(event.revision, ++last);
}

}  // namespace
}  // namespace kin
