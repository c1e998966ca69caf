#pragma once

#include <algorithm>
#include <chrono>

#include "core/base/time.h"

namespace kin::netns {

/// How long a container waits before it is started again, as Kubernetes does it: at once the first
/// time, then 10 s, 20 s, ... 300 s after it ended; from the start again once nothing was restarted
/// for 10 minutes.
class RestartBackoff {
public:
    using Seconds = std::chrono::seconds;

    /// The container ended at `finished`: when may it be started again?
    WallTime next_start(WallTime finished) const {
        return expired(finished) ? finished : std::max(finished, finished + delay_);
    }
    /// What next_start() waits for, as messages show it ("back-off 40s").
    Seconds delay() const { return delay_; }
    /// It is started again now, after an end at `finished`.
    void restarted(WallTime finished, WallTime now) {
        if (expired(finished)) delay_ = Seconds{0};
        delay_ = delay_.count() == 0 ? kFirst : std::min(delay_ * 2, kLast);
        last_ = now;
    }

private:
    static constexpr Seconds kFirst{10}, kLast{300};
    bool expired(WallTime finished) const {
        return delay_.count() == 0 || finished - last_ > 2 * kLast;
    }

    Seconds delay_{0};
    WallTime last_{};
};

}  // namespace kin::netns
