#include "core/loop/loop.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <future>

#include "core/base/unique_fd.h"

namespace kin {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

TEST(LoopTest, TasksRunInPostingOrderOnTheLoopsThread) {
    Loop loop("kin-test");
    std::vector<int> order;
    std::thread::id thread;
    for (int i = 0; i < 100; ++i) loop.post([&, i] { order.push_back(i); });
    loop.call([&] { thread = std::this_thread::get_id(); });
    ASSERT_EQ(order.size(), 100u);
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
    EXPECT_NE(thread, std::this_thread::get_id());
}

TEST(LoopTest, ATaskMayOwnWhatCannotBeCopied) {
    Loop loop("kin-test");
    std::promise<int> seen;
    loop.post([&seen, owned = std::make_unique<int>(7)] { seen.set_value(*owned); });
    EXPECT_EQ(seen.get_future().get(), 7);
}

TEST(LoopTest, TheThreadBearsTheLoopsName) {
    Loop loop("kin-a-name-longer-than-it-may-be");
    std::string name(32, '\0');
    loop.call([&] { pthread_getname_np(pthread_self(), name.data(), name.size()); });
    EXPECT_STREQ(name.c_str(), "kin-a-name-long");
}

TEST(LoopTest, DestructionRunsWhatWasPosted) {
    int ran = 0;
    {
        Loop loop("kin-test");
        for (int i = 0; i < 1000; ++i) loop.post([&] { ++ran; });
    }
    EXPECT_EQ(ran, 1000);
}

TEST(LoopTest, ATimerFiresOnceAndNotEarly) {
    Loop loop("kin-test");
    std::promise<milliseconds> fired;
    Timer timer;
    loop.call([&] {
        const auto start = steady_clock::now();
        timer = loop.after(milliseconds(20), [&, start] {
            fired.set_value(std::chrono::ceil<milliseconds>(steady_clock::now() - start));
        });
        EXPECT_TRUE(timer.active());
    });
    EXPECT_GE(fired.get_future().get(), milliseconds(20));
    loop.call([&] { EXPECT_FALSE(timer.active()); });
}

TEST(LoopTest, ACancelledTimerDoesNotFire) {
    Loop loop("kin-test");
    bool fired = false;
    std::promise<void> later;
    Timer second;
    loop.call([&] {
        Timer first = loop.after(milliseconds(1), [&] { fired = true; });
        second = loop.after(milliseconds(10), [&] { later.set_value(); });
    });  // `first` ends here.
    later.get_future().wait();
    EXPECT_FALSE(fired);
}

TEST(LoopTest, ATimerMayReplaceItselfInItsOwnTask) {
    Loop loop("kin-test");
    int runs = 0;
    std::promise<void> done;
    Timer timer;
    std::function<void()> tick = [&] {
        if (++runs == 5) return done.set_value();
        timer = loop.after(milliseconds(0), tick);
    };
    loop.call([&] { timer = loop.after(milliseconds(0), tick); });
    done.get_future().wait();
    EXPECT_EQ(runs, 5);
}

TEST(LoopTest, ATimerEndedOnAnotherThreadIsOver) {
    Loop loop("kin-test");
    std::atomic<int> runs = 0;
    for (int i = 0; i < 50; ++i) {
        Timer timer;
        loop.call([&] { timer = loop.after(milliseconds(0), [&] { ++runs; }); });
        timer.cancel();
        const int seen = runs;
        loop.call([] {});
        EXPECT_EQ(runs, seen);
    }
}

TEST(LoopTest, AWatchTellsWhatADescriptorIsReadyFor) {
    Loop loop("kin-test");
    UniqueFd event(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    std::promise<int> seen;
    Watch watch;
    loop.call([&] {
        watch = loop.watch(event.get(), Readiness::kReadable, [&](int events) {
            eventfd_t value = 0;
            ASSERT_EQ(::eventfd_read(event.get(), &value), 0);
            watch = Watch();  // Inside its own callback.
            seen.set_value(events);
        });
    });
    ASSERT_EQ(::eventfd_write(event.get(), 1), 0);
    EXPECT_EQ(seen.get_future().get(), Readiness::kReadable);
    loop.call([&] { EXPECT_FALSE(watch.active()); });
}

TEST(LoopTest, AWatchThatRestsIsSilentUntilItIsSetAgain) {
    Loop loop("kin-test");
    UniqueFd event(::eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC));
    int calls = 0;
    std::promise<void> woke;
    Watch watch;
    loop.call([&] {
        watch = loop.watch(event.get(), Readiness::kReadable, [&](int) {
            watch.set(0);
            if (++calls == 1) woke.set_value();
        });
        watch.set(0);
    });
    loop.call([&] {
        EXPECT_EQ(calls, 0);
        watch.set(Readiness::kReadable);
    });
    woke.get_future().wait();
    watch.cancel();
    EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace kin
