#include <fcntl.h>
#include <sys/wait.h>

#include <csignal>
#include <random>
#include <thread>

#include "core/base/unique_fd.h"
#include "core/store/sqlite.h"
#include "tests/core/store/store_fixture.h"

namespace kin {
namespace {

using test::an_object;
using test::open_store;

/// One answered write, as the writing process tells the test.
struct Ack {
    int32_t number = 0;
    int32_t deleted = 0;
    Revision revision = 0;
};

/// Writes until it is killed: object after object from three threads, some of which it deletes
/// again. What was answered goes into the pipe.
[[noreturn]] void write_until_killed(const std::string& path, int first, int acks) {
    Store::Options options;
    options.path = path;
    options.keep_revisions = 50;  // So that kills also meet compactions.
    options.keep_seconds = 0;
    const auto store = open_store(options);
    std::atomic<int> next = first;
    const auto write = [&] {
        for (;;) {
            Ack ack{next++, 0, 0};
            const ObjectKey key{"a", cat("n", ack.number)};
            auto done = store->run([&](StoreTransaction& tx) {
                ack.revision = tx.put(an_object(key, std::string(500, 'x')))->revision;
            });
            if (!done || ::write(acks, &ack, sizeof ack) != sizeof ack) ::_exit(1);
            if (ack.number % 5 != 0) continue;
            // Told before it is tried: a killed deletion may have happened or not.
            ack.deleted = 1;
            if (::write(acks, &ack, sizeof ack) != sizeof ack) ::_exit(1);
            done = store->run([&](StoreTransaction& tx) { tx.remove("configmaps", key); });
            if (!done) ::_exit(1);
        }
    };
    std::thread second(write), third(write);
    write();
    ::_exit(1);
}

/// Lets a process write and kills it after `answers` writes, wherever it then is. Gives what was
/// answered until then.
std::vector<Ack> write_and_kill(const std::string& path, int first, size_t answers,
                                std::chrono::microseconds pause) {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const UniqueFd read_end(ends[0]);
    UniqueFd write_end(ends[1]);
    const pid_t child = ::fork();
    if (child == 0) write_until_killed(path, first, write_end.get());
    write_end.reset();
    std::vector<Ack> acks;
    Ack ack;
    // Ends when the pipe does: the killed process took its end along.
    while (::read(read_end.get(), &ack, sizeof ack) == sizeof ack) {
        acks.push_back(ack);
        if (acks.size() != answers) continue;
        const auto kill_at = std::chrono::steady_clock::now() + pause;
        while (std::chrono::steady_clock::now() < kill_at) std::this_thread::yield();
        ::kill(child, SIGKILL);
    }
    ::waitpid(child, nullptr, 0);
    return acks;
}

void expect_intact(const std::string& path) {
    auto database = Database::open(path, Database::Mode::kReadWrite);
    ASSERT_TRUE(database);
    auto check = database->prepare("PRAGMA integrity_check");
    ASSERT_TRUE(check && check->step());
    EXPECT_EQ(check->text(0), "ok");
}

TEST(StoreCrashTest, NothingThatWasAnsweredIsLostWhenTheProcessIsKilled) {
    const test::TempFolder folder;
    const std::string path = folder.file("kin.db");
    std::mt19937 random(20260102);
    std::map<int, Revision> expected;  // What must be there.
    int next = 0;
    size_t acked = 0;
    Revision last = 0;
    for (int round = 0; round < 20; ++round) {
        const auto pick = [&](int n) { return std::uniform_int_distribution<>(1, n)(random); };
        const auto acks = write_and_kill(path, next, static_cast<size_t>(pick(60)),
                                         std::chrono::microseconds(pick(2000)));
        for (const Ack& ack : acks) {
            next = std::max(next, ack.number + 1);
            if (ack.deleted) {
                expected.erase(ack.number);
            } else {
                expected[ack.number] = ack.revision;
                last = std::max(last, ack.revision);
            }
        }
        next += 10;  // Numbers that were written without an answer are not used again.
        acked += acks.size();

        expect_intact(path);
        const auto store = open_store(path);
        ASSERT_NE(store, nullptr);
        EXPECT_GE(store->revision(), last);
        for (const auto& [number, revision] : expected) {
            const auto found = store->find("configmaps", {"a", cat("n", number)});
            ASSERT_NE(found, nullptr) << "round " << round << ": lost n" << number;
            ASSERT_EQ(found->revision, revision);
        }
    }
    EXPECT_GT(acked, 200u);
}

}  // namespace
}  // namespace kin
