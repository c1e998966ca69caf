#include "core/loop/work_queue.h"

#include <gtest/gtest.h>

#include <map>

namespace kin {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

class WorkQueueTest : public testing::Test {
protected:
    using Queue = WorkQueue<std::string>;

    void SetUp() override {
        const Queue::Options options{.name = "test",
                                     .first_backoff = milliseconds(5),
                                     .max_backoff = milliseconds(10),
                                     .batch = 3};
        loop_.call([&] {
            queue_ = std::make_unique<Queue>(loop_, options, [this](const std::string& key) {
                done_.push_back(key);
                return work_ ? work_(key) : Result<>(Ok{});
            });
        });
    }
    void TearDown() override {
        loop_.call([&] { queue_.reset(); });
    }
    long count(const std::string& key) const { return std::count(done_.begin(), done_.end(), key); }
    void wait_until(const std::function<bool()>& holds) {
        const auto deadline = steady_clock::now() + std::chrono::seconds(20);
        for (bool held = false; !held;) {
            ASSERT_LT(steady_clock::now(), deadline);
            loop_.call([&] { held = holds(); });
        }
    }

    Loop loop_{"kin-test"};
    std::unique_ptr<Queue> queue_;
    std::vector<std::string> done_;
    std::function<Result<>(const std::string&)> work_;
};

TEST_F(WorkQueueTest, AKeyAddedTwiceIsWorkedOnOnce) {
    loop_.call([&] {
        for (const char* key : {"a", "b", "a", "c", "d", "e", "a"}) queue_->add(key);
    });
    wait_until([&] { return !queue_->busy(); });
    EXPECT_EQ(done_, (std::vector<std::string>{"a", "b", "c", "d", "e"}));
}

TEST_F(WorkQueueTest, AFailingKeyComesAgainAndHoldsUpNobody) {
    work_ = [&](const std::string& key) -> Result<> {
        if (key == "bad" && count("bad") < 4) return Error(Errc::kSystem, "not yet");
        return Ok{};
    };
    loop_.call([&] {
        queue_->add("bad");
        queue_->add("good");
    });
    wait_until([&] { return count("good") == 1; });
    wait_until([&] { return !queue_->busy(); });
    EXPECT_EQ(count("bad"), 4);
    EXPECT_EQ(count("good"), 1);
}

TEST_F(WorkQueueTest, AddingDoesNotHurryAKeyThatWaitsOutItsBackoff) {
    std::vector<steady_clock::time_point> times;
    work_ = [&](const std::string&) -> Result<> {
        times.push_back(steady_clock::now());
        if (times.size() == 1) return Error(Errc::kSystem, "not yet");
        return Ok{};
    };
    loop_.call([&] { queue_->add("a"); });
    wait_until([&] { return !times.empty(); });
    loop_.call([&] { queue_->add("a"); });
    wait_until([&] { return !queue_->busy(); });
    // On a busy machine the second add may come after the retry, and then earns a run of its own.
    ASSERT_GE(times.size(), 2u);
    EXPECT_GE(times[1] - times[0], milliseconds(5));
}

TEST_F(WorkQueueTest, APlannedKeyRunsLaterAndIsNotBusyUntilThen) {
    const auto start = steady_clock::now();
    loop_.call([&] {
        queue_->add_after("a", milliseconds(20));
        EXPECT_FALSE(queue_->busy());
    });
    wait_until([&] { return !done_.empty(); });
    EXPECT_GE(steady_clock::now() - start, milliseconds(20));
}

TEST_F(WorkQueueTest, WorkThatIsPutOffIsDoneOnceAndCountsAsBusy) {
    const auto start = steady_clock::now();
    loop_.call([&] {
        queue_->add_within("a", milliseconds(20));
        queue_->add_within("a", milliseconds(30));
        EXPECT_TRUE(queue_->busy());
    });
    wait_until([&] { return !queue_->busy(); });
    EXPECT_GE(steady_clock::now() - start, milliseconds(20));
    EXPECT_EQ(count("a"), 1);
}

TEST_F(WorkQueueTest, WorkMayAddItsOwnKey) {
    work_ = [&](const std::string& key) -> Result<> {
        if (count(key) < 3) queue_->add(key);
        return Ok{};
    };
    loop_.call([&] { queue_->add("a"); });
    wait_until([&] { return !queue_->busy(); });
    EXPECT_EQ(count("a"), 3);
}

}  // namespace
}  // namespace kin
