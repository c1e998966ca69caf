#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <string>

#include "core/base/log.h"
#include "core/base/result.h"
#include "core/loop/loop.h"

namespace kin {

/// Work by key: each key that was added is worked on once, soon; a key whose work failed comes
/// again after a backoff of its own. Keys are independent of each other: one that keeps failing
/// does not hold up the rest.
///
/// Owned by the loop's thread, where all of it happens; construct and destroy it there (or
/// destroy it through Loop::call).
template <class Key>
class WorkQueue {
public:
    using Work = std::function<Result<>(const Key&)>;
    struct Options {
        std::string name = "queue";  ///< The component that the log names.
        std::chrono::milliseconds first_backoff{20};
        std::chrono::milliseconds max_backoff{30000};
        /// Keys worked on in one turn of the loop, so that other work gets its turns.
        size_t batch = 64;
    };

    WorkQueue(Loop& loop, Work work) : WorkQueue(loop, Options{}, std::move(work)) {}
    WorkQueue(Loop& loop, Options options, Work work)
        : loop_(loop), options_(std::move(options)), work_(std::move(work)) {}

    /// Works on `key` on the loop's next turn. A key that waits out its backoff keeps waiting:
    /// events must not turn a failing key into a busy loop.
    void add(const Key& key) {
        Entry& entry = entries_[key];
        if (entry.backoff.count() == 0) entry.due = std::min(entry.due, Clock::now());
        entry.again = true;
        schedule(entry.due);
    }
    /// Works on `key` after `delay` at the latest; sooner if it is added sooner.
    void add_after(const Key& key, std::chrono::milliseconds delay) {
        Entry& entry = entries_[key];
        entry.due = std::min(entry.due, Clock::now() + delay);
        schedule(entry.due);
    }
    /// As add(), but up to `delay` later, so that what comes meanwhile is done in one go. It counts
    /// as work left undone.
    void add_within(const Key& key, std::chrono::milliseconds delay) {
        add_after(key, delay);
        entries_[key].again = true;
    }
    /// Some key is to be worked on now or waits out a backoff. Keys that only wait for their
    /// add_after() do not count: they are plans, not work left undone.
    bool busy() const {
        return std::any_of(entries_.begin(), entries_.end(),
                           [](const auto& item) { return item.second.again; });
    }

private:
    using Clock = std::chrono::steady_clock;
    struct Entry {
        Clock::time_point due = Clock::time_point::max();
        std::chrono::milliseconds backoff{0};  // 0: its last work succeeded.
        bool again = false;                    // Added or failed, not only planned.
    };

    void schedule(Clock::time_point due) {
        if (running_ || (timer_.active() && due >= next_)) return;
        next_ = due;
        const auto wait = std::max(due - Clock::now(), Clock::duration{0});
        timer_ =
            loop_.after(std::chrono::ceil<std::chrono::milliseconds>(wait), [this] { run_due(); });
    }

    void run_due() {
        running_ = true;
        const auto now = Clock::now();
        std::vector<Key> due;
        for (const auto& [key, entry] : entries_) {
            if (entry.due <= now) due.push_back(key);
            if (due.size() == options_.batch) break;
        }
        for (const Key& key : due) run(key);
        running_ = false;
        auto soonest = Clock::time_point::max();
        for (const auto& [key, entry] : entries_) soonest = std::min(soonest, entry.due);
        if (!entries_.empty()) schedule(soonest);
    }

    void run(const Key& key) {
        Entry& entry = entries_[key];
        const auto last_backoff = entry.backoff;
        entry = Entry{};  // What the work itself adds from here on counts anew.
        const auto result = work_(key);
        const auto found = entries_.find(key);
        if (result) {
            if (found->second.due == Clock::time_point::max()) entries_.erase(found);
            return;
        }
        const auto backoff = last_backoff.count() == 0
                                 ? options_.first_backoff
                                 : std::min(last_backoff * 2, options_.max_backoff);
        found->second = {Clock::now() + backoff, backoff, true};
        log_warn(options_.name, result.error().text(), {{"retry_ms", backoff.count()}});
    }

    Loop& loop_;
    const Options options_;
    const Work work_;
    std::map<Key, Entry> entries_;
    bool running_ = false;
    Clock::time_point next_{};
    Timer timer_;
};

}  // namespace kin
