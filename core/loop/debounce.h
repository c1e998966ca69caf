#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "core/base/result.h"
#include "core/loop/loop.h"

namespace kin {

/// Runs one piece of work soon after it was marked dirty, not too often, and again after an Error.
///
/// Any number of marks before a run become one run. After an Error the work runs again by itself,
/// first after `first_backoff`, then after twice that and so on up to `max_backoff`; marks
/// meanwhile do not hurry it. Each Error is logged as a warning. Owned by the loop's thread,
/// where all of it happens; construct and destroy it there (or destroy it through Loop::call).
class Debounce {
public:
    struct Options {
        std::string name = "debounce";              ///< The component that the log names.
        std::chrono::milliseconds min_interval{0};  ///< From the start of one run to the next.
        std::chrono::milliseconds first_backoff{20};
        std::chrono::milliseconds max_backoff{5000};
    };
    Debounce(Loop& loop, Options options, std::function<Result<>()> run);

    /// Something changed: the work runs on the loop's next turn, or as soon as `min_interval`
    /// and backoff allow. From within the work itself: it runs once more.
    void mark();
    /// Marked and not yet run successfully.
    bool busy() const { return dirty_ || running_; }

private:
    void schedule();
    void run_now();

    Loop& loop_;
    const Options options_;
    const std::function<Result<>()> run_;
    bool dirty_ = false;
    bool running_ = false;
    std::chrono::milliseconds backoff_{0};  // 0: the last run succeeded.
    std::chrono::steady_clock::time_point not_before_{};
    Timer timer_;
};

}  // namespace kin
