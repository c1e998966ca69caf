#include "core/loop/debounce.h"

#include <gtest/gtest.h>

#include <future>

namespace kin {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// A Debounce whose work records when it ran and fails the first `failures` times.
class DebounceTest : public testing::Test {
protected:
    void start(Debounce::Options options, int failures = 0) {
        options.name = "test";
        loop_.call([&] {
            debounce_ = std::make_unique<Debounce>(loop_, options, [this, failures]() -> Result<> {
                runs_.push_back(steady_clock::now());
                if (on_run_) on_run_();
                if (static_cast<int>(runs_.size()) <= failures)
                    return Error(Errc::kSystem, "not yet");
                return Ok{};
            });
        });
    }
    void TearDown() override {
        loop_.call([&] { debounce_.reset(); });
    }
    /// Waits until the work is done with; the deadline only bounds a broken test.
    void settle() {
        const auto deadline = steady_clock::now() + std::chrono::seconds(20);
        for (bool busy = true; busy;) {
            ASSERT_LT(steady_clock::now(), deadline);
            loop_.call([&] { busy = debounce_->busy(); });
        }
    }

    Loop loop_{"kin-test"};
    std::unique_ptr<Debounce> debounce_;
    std::vector<steady_clock::time_point> runs_;
    std::function<void()> on_run_;
};

TEST_F(DebounceTest, ManyMarksInOneTurnAreOneRun) {
    start({});
    loop_.call([&] {
        for (int i = 0; i < 10; ++i) debounce_->mark();
        EXPECT_TRUE(debounce_->busy());
        EXPECT_TRUE(runs_.empty());
    });
    settle();
    EXPECT_EQ(runs_.size(), 1u);
}

TEST_F(DebounceTest, RunsKeepTheirDistance) {
    start({.min_interval = milliseconds(30)});
    loop_.call([&] { debounce_->mark(); });
    settle();
    loop_.call([&] { debounce_->mark(); });
    settle();
    ASSERT_EQ(runs_.size(), 2u);
    EXPECT_GE(runs_[1] - runs_[0], milliseconds(30));
}

TEST_F(DebounceTest, AfterAnErrorItRunsAgainWithGrowingPauses) {
    start({.first_backoff = milliseconds(10), .max_backoff = milliseconds(20)}, 3);
    loop_.call([&] { debounce_->mark(); });
    settle();
    ASSERT_EQ(runs_.size(), 4u);
    EXPECT_GE(runs_[1] - runs_[0], milliseconds(10));
    EXPECT_GE(runs_[2] - runs_[1], milliseconds(20));
    EXPECT_GE(runs_[3] - runs_[2], milliseconds(20));
}

TEST_F(DebounceTest, AMarkWithinTheWorkRunsItOnceMore) {
    start({});
    on_run_ = [&] {
        if (runs_.size() == 1) debounce_->mark();
    };
    loop_.call([&] { debounce_->mark(); });
    settle();
    EXPECT_EQ(runs_.size(), 2u);
}

}  // namespace
}  // namespace kin
