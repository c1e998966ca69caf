#include "core/loop/debounce.h"

#include "core/base/log.h"

namespace kin {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

Debounce::Debounce(Loop& loop, Options options, std::function<Result<>()> run)
    : loop_(loop), options_(std::move(options)), run_(std::move(run)) {}

void Debounce::mark() {
    dirty_ = true;
    if (!running_ && !timer_.active()) schedule();
}

void Debounce::schedule() {
    const auto wait = not_before_ - steady_clock::now();
    // Rounded up: a timer in whole milliseconds must not come before its time.
    const auto delay = std::chrono::ceil<milliseconds>(std::max(wait, steady_clock::duration{0}));
    timer_ = loop_.after(delay, [this] { run_now(); });
}

void Debounce::run_now() {
    dirty_ = false;
    running_ = true;
    not_before_ = steady_clock::now() + options_.min_interval;
    const auto result = run_();
    running_ = false;
    if (result) {
        backoff_ = milliseconds{0};
    } else {
        dirty_ = true;
        backoff_ = backoff_.count() == 0 ? options_.first_backoff
                                         : std::min(backoff_ * 2, options_.max_backoff);
        not_before_ = std::max(not_before_, steady_clock::now() + backoff_);
        log_warn(options_.name, result.error().text(), {{"retry_ms", backoff_.count()}});
    }
    if (dirty_) schedule();
}

}  // namespace kin
