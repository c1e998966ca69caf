#include "core/store/saved.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>

#include "core/api/object_text.h"
#include "core/base/strings.h"
#include "core/store/sqlite.h"
#include "tests/core/store/store_fixture.h"

namespace kin {
namespace {

using test::open_store;
using test::remove;

/// The uid of a test's object: of its name's length and first character, so that names differ.
std::string uid_of(std::string_view name) {
    const auto first = static_cast<unsigned char>(name[0]);
    return cat("123e4567-e89b-42d3-a456-4266141740", hex(std::string(1, static_cast<char>(first))));
}

/// A ConfigMap as the registry would store it.
NewObject config_map(const ObjectKey& key, std::string_view value) {
    NewObject object = test::an_object(key, value);
    Json json = *parse_json(object.body);
    json["metadata"]["uid"] = uid_of(key.name);
    object.body = object_text(*find_resource("configmaps"), json);
    return object;
}

void put(Store& store, const ObjectKey& key, std::string_view value) {
    const auto done = store.run([&](StoreTransaction& tx) { tx.put(config_map(key, value)); });
    ASSERT_TRUE(done) << done.error().text();
}

class SavedTest : public ::testing::Test {
protected:
    /// The bytes of a saved store with `a`, changed twice, `b`, and `gone`, which was removed last.
    std::string saved() {
        const auto store = open_store(folder_.file("kin.db"));
        put(*store, {"default", "gone"}, "top-secret");
        put(*store, {"default", "a"}, "first-of-a");
        put(*store, {"default", "b"}, "ä \\n \\\" b");
        put(*store, {"default", "a"}, "second-of-a");
        remove(*store, {"default", "gone"});
        for (const auto& object : store->list("configmaps", "").objects) {
            bodies_.push_back(object->body);
        }
        auto bytes = save_store(folder_.file("kin.db"), "a note");
        EXPECT_TRUE(bytes) << bytes.error().text();
        return bytes ? *bytes : "";
    }
    /// `bytes` with what `sql` does to them.
    std::string changed(const std::string& bytes, const std::string& sql) {
        const std::string path = folder_.file("changed.db");
        std::filesystem::remove(path);
        std::ofstream(path, std::ios::binary) << bytes;
        auto database = Database::open(path, Database::Mode::kReadWrite);
        EXPECT_TRUE(database);
        const auto done = database->execute(sql);
        EXPECT_TRUE(done) << done.error().text();
        return *database->bytes();
    }
    /// What is said of bytes that must not be restored, and of which nothing may be left.
    std::string refusal(const std::string& bytes) {
        const auto restored = restore_store(bytes, folder_.file("new.db"));
        EXPECT_FALSE(restored);
        EXPECT_FALSE(std::filesystem::exists(folder_.file("new.db")));
        EXPECT_FALSE(std::filesystem::exists(folder_.file("new.db-journal")));
        return restored ? "" : restored.error().text();
    }

    const test::TempFolder folder_;
    std::vector<std::string> bodies_;
};

TEST_F(SavedTest, ObjectsComeBackByteForByteAndRevisionsGoOn) {
    const std::string bytes = saved();
    const auto restored = restore_store(bytes, folder_.file("new.db"));
    ASSERT_TRUE(restored) << restored.error().text();
    EXPECT_EQ(restored->note, "a note");
    EXPECT_EQ(restored->objects, 2u);
    const auto store = open_store(folder_.file("new.db"));
    std::vector<std::string> found;
    for (const auto& object : store->list("configmaps", "").objects) found.push_back(object->body);
    EXPECT_EQ(found, bodies_);
    EXPECT_EQ(store->revision(), 5u);  // The removal's, though nothing is left of it.
    EXPECT_EQ(store->oldest(), 5u);
    put(*store, {"default", "c"}, "new");
    EXPECT_EQ(store->revision(), 6u);
    const auto again = save_store(folder_.file("new.db"), "a note");
    ASSERT_TRUE(again);
    EXPECT_NE(*again, bytes);
}

TEST_F(SavedTest, TheSameObjectsAreTheSameFile) {
    const std::string bytes = saved();
    ASSERT_TRUE(restore_store(bytes, folder_.file("new.db")));
    EXPECT_EQ(*save_store(folder_.file("new.db"), "a note"), bytes);
}

TEST_F(SavedTest, HistoryIsNotHandedOut) {
    const std::string bytes = saved();
    EXPECT_NE(bytes.find("second-of-a"), std::string::npos);
    EXPECT_EQ(bytes.find("first-of-a"), std::string::npos);
    EXPECT_EQ(bytes.find("top-secret"), std::string::npos);
}

TEST_F(SavedTest, OnlyTheOwnerMayReadWhatIsRestored) {
    ASSERT_TRUE(restore_store(saved(), folder_.file("new.db")));
    struct stat found {};
    ASSERT_EQ(::stat(folder_.file("new.db").c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777, 0600u);
}

TEST_F(SavedTest, AFileThatIsThereIsNotOverwritten) {
    const std::string bytes = saved();
    EXPECT_FALSE(restore_store(bytes, folder_.file("kin.db")));
    EXPECT_EQ(open_store(folder_.file("kin.db"))->list("configmaps", "").objects.size(), 2u);
}

TEST_F(SavedTest, ForeignFilesAreRefused) {
    const std::string none = "it is no saved lab";
    EXPECT_EQ(refusal(""), none);
    EXPECT_EQ(refusal("apiVersion: v1"), none);
    EXPECT_EQ(refusal(std::string(100'000, '\0')), none);
    auto other = Database::open(":memory:", Database::Mode::kReadWrite);
    ASSERT_TRUE(other && other->execute("CREATE TABLE log(x)"));
    EXPECT_EQ(refusal(*other->bytes()), none);
    const std::string bytes = saved();
    EXPECT_EQ(refusal(changed(bytes, "PRAGMA user_version = 2")),
              "it has format 2, this kin reads format 1");
    for (const char* sql : {"DROP TABLE current", "DROP TABLE saved",
                            "CREATE TRIGGER t AFTER INSERT ON log BEGIN DELETE FROM log; END",
                            "DROP VIEW objects; CREATE VIEW objects AS SELECT 1",
                            "DROP TABLE current; CREATE VIEW current AS WITH RECURSIVE n(i) AS "
                            "(SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT * FROM n"}) {
        EXPECT_EQ(refusal(changed(bytes, sql)), "its tables are not those of a saved lab") << sql;
    }
}

TEST_F(SavedTest, DamagedObjectsAreRefusedByName) {
    const std::string bytes = saved();
    const auto said = [&](const std::string& sql) { return refusal(changed(bytes, sql)); };
    const std::string of_a = "the object of configmaps default/a is damaged: ";
    EXPECT_THAT(said("UPDATE log SET body = '{' WHERE name = 'a'"), testing::StartsWith(of_a));
    EXPECT_THAT(said("DELETE FROM log WHERE name = 'a'"), testing::StartsWith(of_a));
    EXPECT_EQ(said("UPDATE log SET body = (SELECT body FROM log WHERE name = 'b') "
                   "WHERE name = 'a'"),
              of_a + "it says to be another");
    EXPECT_EQ(said("UPDATE current SET revision = 40 WHERE name = 'a'; "
                   "UPDATE log SET revision = 40 WHERE name = 'a'"),
              of_a + "its uid or revision is not there");
    EXPECT_THAT(said("UPDATE log SET body = replace(body, '\"second-of-a\"', '[7]')"),
                testing::HasSubstr("cannot unmarshal"));
    EXPECT_EQ(said("UPDATE current SET resource = 'widgets'"),
              "it holds widgets, which this kin does not know");
    EXPECT_EQ(said("UPDATE state SET compacted = 9223372036854775807"),
              "its last revision is 9223372036854775807");
}

TEST_F(SavedTest, ObjectsThatTheApiWouldRefuseAreRefused) {
    const std::string bytes = saved();
    const auto said = [&](std::string_view from, std::string_view to) {
        return refusal(changed(bytes, cat("UPDATE log SET body = replace(body, '", from, "', '", to,
                                          "') WHERE name = 'a'")));
    };
    const std::string of_a = "the object of configmaps default/a is damaged: ";
    // Keys become files, uids directories.
    EXPECT_THAT(said("\"value\":", "\"/home/u/.bashrc\":"),
                testing::StartsWith(of_a + "data[/home/u/.bashrc]: "));
    EXPECT_EQ(said(uid_of("a"), "../../../../../Pictures"),
              of_a + "its uid or revision is not there");
    EXPECT_THAT(said("\"labels\":{", "\"labels\":{\"a b\":\"c\","),
                testing::StartsWith(of_a + "metadata.labels: "));
    // Lists are made of the texts as they are.
    const std::string text = of_a + "its text is not as kin writes it";
    EXPECT_EQ(said("\"kind\":\"ConfigMap\",", "\"kind\": \"ConfigMap\","), text);
    EXPECT_EQ(said("\"data\":", "\"data\":{},\"data\":"), text);
    EXPECT_EQ(said("{\"kind\":\"ConfigMap\",", "{\"x\":1,\"kind\":\"ConfigMap\","), text);
}

TEST_F(SavedTest, AnyDamageIsEitherFoundOrHarmless) {
    const std::string bytes = saved();
    for (size_t size = 0; size < bytes.size(); size += 512) refusal(bytes.substr(0, size));
    // A byte changed anywhere: refused, or a store that opens.
    for (size_t at = 0; at < bytes.size(); at += 211) {
        std::string other = bytes;
        other[at] = static_cast<char>(other[at] ^ 0x5a);
        const std::string path = folder_.file("flipped.db");
        if (restore_store(other, path)) {
            EXPECT_TRUE(open_store(path)) << at;
        }
        std::filesystem::remove(path);
        for (const char* more : {".lock", "-wal", "-shm"}) std::filesystem::remove(path + more);
    }
}

class ReplacedTest : public SavedTest {
protected:
    /// A database that was not closed: its last write is in the write-ahead log alone.
    void make_killed(const std::string& path) {
        const std::string alive = folder_.file("alive.db");
        const auto store = open_store(alive);
        put(*store, {"default", "old"}, "acknowledged");
        for (const char* more : {"", "-wal"}) std::filesystem::copy(alive + more, path + more);
    }
    std::vector<std::string> names(const std::string& path) {
        std::vector<std::string> out;
        for (const auto& object : open_store(path)->list("configmaps", "").objects)
            out.push_back(object->key.name);
        return out;
    }
    const std::string old_ = folder_.file("old.db"), fresh_ = folder_.file("new.db");
};

TEST_F(ReplacedTest, AFreshDatabaseTakesThePlaceOfAKilledOne) {
    make_killed(old_);
    ASSERT_TRUE(restore_store(saved(), fresh_));
    const auto replaced = replace_store(fresh_, old_);
    ASSERT_TRUE(replaced) << replaced.error().text();
    EXPECT_EQ(names(old_), (std::vector<std::string>{"a", "b"}));
    EXPECT_FALSE(std::filesystem::exists(fresh_));
}

TEST_F(ReplacedTest, OneThatIsOpenStays) {
    ASSERT_TRUE(restore_store(saved(), fresh_));
    {
        const auto store = open_store(old_);
        put(*store, {"default", "old"}, "acknowledged");
        EXPECT_EQ(replace_store(fresh_, old_).error().code(), Errc::kConflict);
    }
    EXPECT_EQ(names(old_), std::vector<std::string>{"old"});
}

TEST_F(ReplacedTest, AFullDiskLosesNothing) {
    make_killed(old_);
    ASSERT_TRUE(restore_store(saved(), fresh_));
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit usual{};
    ::getrlimit(RLIMIT_FSIZE, &usual);
    const rlimit full{4096, usual.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &full), 0);
    const auto replaced = replace_store(fresh_, old_);
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &usual), 0);
    EXPECT_FALSE(replaced);
    EXPECT_EQ(names(old_), std::vector<std::string>{"old"});
}

TEST_F(ReplacedTest, WhatIsNoDatabaseGoes) {
    std::ofstream(old_) << std::string(5000, 'x');
    std::ofstream(old_ + "-wal") << "rest";
    ASSERT_TRUE(restore_store(saved(), fresh_));
    ASSERT_TRUE(replace_store(fresh_, old_));
    EXPECT_EQ(names(old_), (std::vector<std::string>{"a", "b"}));
}

TEST_F(SavedTest, SavingBesideAWriterIsOneMoment) {
    const std::string path = folder_.file("busy.db");
    const auto store = open_store(path);
    std::atomic<bool> stop = false;
    std::thread writer([&] {
        // Two objects that always change together.
        for (int i = 0; !stop; ++i) {
            const auto done = store->run([&](StoreTransaction& tx) {
                tx.put(config_map({"default", "left"}, cat("value", i)));
                tx.put(config_map({"default", "right"}, cat("value", i)));
            });
            EXPECT_TRUE(done);
        }
    });
    const auto value = [](const Store& of, const char* name) {
        return string_at(*json_of(*of.find("configmaps", {"default", name})), {"data", "value"});
    };
    while (store->revision() < 2) std::this_thread::yield();
    for (int i = 0; i < 20; ++i) {
        const std::string copy = folder_.file(cat("copy", i, ".db"));
        const auto bytes = save_store(path, "");
        ASSERT_TRUE(bytes) << bytes.error().text();
        ASSERT_TRUE(restore_store(*bytes, copy));
        const auto other = open_store(copy);
        EXPECT_EQ(value(*other, "left"), value(*other, "right"));
    }
    stop = true;
    writer.join();
}

}  // namespace
}  // namespace kin
