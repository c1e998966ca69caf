#pragma once

#include <mutex>
#include <utility>

namespace kin {

/// A value that can only be reached while its lock is held.
///
///     Guarded<std::vector<Task>> inbox;
///     inbox.with([&](auto& tasks) { tasks.push_back(task); });
template <class T>
class Guarded {
public:
    template <class... Args>
    explicit Guarded(Args&&... args) : value_(std::forward<Args>(args)...) {}

    template <class F>
    auto with(F&& use) {
        const std::lock_guard lock(mutex_);
        return std::forward<F>(use)(value_);
    }
    template <class F>
    auto with(F&& use) const {
        const std::lock_guard lock(mutex_);
        return std::forward<F>(use)(value_);
    }

private:
    mutable std::mutex mutex_;
    T value_;
};

}  // namespace kin
