#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <csignal>

#include "core/store/sqlite.h"
#include "tests/core/store/store_fixture.h"

namespace kin {
namespace {

using test::an_object;
using test::open_store;
using test::put;
using test::remove;

Result<> try_put(Store& store, const std::string& name, size_t bytes) {
    return store.run([&](StoreTransaction& tx) {
        tx.put(an_object({"a", name}, std::string(bytes, 'x')));
    });
}

TEST(StoreDiskTest, ASecondOpenIsRefusedAtOnceAndSaysWhy) {
    const test::TempFolder folder;
    Store::Options options;
    options.path = folder.file("kin.db");
    const auto store = open_store(options);
    const auto start = std::chrono::steady_clock::now();
    const auto second = Store::open(options);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), Errc::kConflict);
    EXPECT_EQ(second.error().text(), cat("database ", options.path, " is open in another process"));
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
}

TEST(StoreDiskTest, OnlyTheOwnerMayReadTheFiles) {
    const test::TempFolder folder;
    const auto store = open_store(folder.file("kin.db"));
    put(*store, {"a", "x"}, "secret");
    for (const char* name : {"kin.db", "kin.db-wal", "kin.db.lock"}) {
        struct stat found {};
        ASSERT_EQ(::stat(folder.file(name).c_str(), &found), 0) << name;
        EXPECT_EQ(found.st_mode & 0777, 0600u) << name;
    }
}

TEST(StoreDiskTest, AFileOfAnotherFormatIsRefused) {
    const test::TempFolder folder;
    {
        auto database = Database::open(folder.file("kin.db"), Database::Mode::kReadWrite);
        ASSERT_TRUE(database && database->execute("PRAGMA user_version = 99"));
    }
    Store::Options options;
    options.path = folder.file("kin.db");
    const auto store = Store::open(options);
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code(), Errc::kInvalid);
}

TEST(StoreDiskTest, AFileThatIsNoDatabaseIsRefused) {
    const test::TempFolder folder;
    FILE* file = std::fopen(folder.file("kin.db").c_str(), "w");
    for (int i = 0; i < 1000; ++i) std::fputs("not a database\n", file);
    std::fclose(file);
    Store::Options options;
    options.path = folder.file("kin.db");
    EXPECT_FALSE(Store::open(options));
}

TEST(StoreDiskTest, AFullDiskFailsTheWholeBatchAndLosesNothingOlder) {
    const test::TempFolder folder;
    Store::Options options;
    options.path = folder.file("kin.db");
    options.max_bytes = 256 << 10;
    const auto store = open_store(options);
    int stored = 0;
    while (try_put(*store, cat("n", stored), 4000)) ASSERT_LT(++stored, 100);
    ASSERT_GT(stored, 10);
    const Revision full = store->revision();
    Revision reached = 0;

    const auto failed = try_put(*store, "one-more", 4000);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().error_number(), ENOSPC) << failed.error().text();
    EXPECT_EQ(store->find("configmaps", {"a", "one-more"}), nullptr);
    EXPECT_EQ(store->list("configmaps", "").objects.size(), static_cast<size_t>(stored));
    EXPECT_EQ(store->revision(), full);
    EXPECT_TRUE(store->events_after(full, "", 10, reached)->empty());

    // Space that comes back is used again.
    ASSERT_TRUE(store->run([](StoreTransaction& tx) {
        for (int i = 0; i < 5; ++i) tx.remove("configmaps", {"a", cat("n", i)});
    }));
    ASSERT_TRUE(store->compact(store->revision()));
    EXPECT_TRUE(try_put(*store, "one-more", 4000));
    EXPECT_GT(store->find("configmaps", {"a", "one-more"})->revision, full);
}

/// In a process of its own, whose files may not grow beyond `limit`: 0 if all went well.
int write_against_a_limit(const std::string& path) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit tight{300 << 10, RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &tight);
    const auto store = open_store(path);
    int stored = 0;
    while (try_put(*store, cat("n", stored), 4000)) {
        if (++stored > 1000) return 1;
    }
    if (store->list("configmaps", "").objects.size() != static_cast<size_t>(stored)) return 2;
    const rlimit wide{RLIM_INFINITY, RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &wide);
    if (!try_put(*store, "after", 4000)) return 3;
    return 0;
}

TEST(StoreDiskTest, WritesWorkAgainAfterTheSystemRefusedThem) {
    const test::TempFolder folder;
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) ::_exit(write_against_a_limit(folder.file("kin.db")));
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
    EXPECT_NE(open_store(folder.file("kin.db"))->find("configmaps", {"a", "after"}), nullptr);
}

}  // namespace
}  // namespace kin
