#pragma once

#include <bitset>
#include <chrono>
#include <optional>
#include <string_view>

#include "core/base/time.h"

namespace kin {

/// When a CronJob is due, in UTC: "*/5 8-18 * * mon-fri", "@daily", "@every 1h30m". Pure.
class CronSchedule {
public:
    /// Nothing for what is no schedule.
    static std::optional<CronSchedule> parse(std::string_view text);

    /// The first whole minute after `time` that fits, or the second after which a delay is over;
    /// nothing within five years (February 30).
    std::optional<WallTime> next_after(WallTime time) const;

private:
    bool day_fits(int month_day, int week_day) const;

    std::chrono::seconds every_{0};  // 0: by the fields.
    std::bitset<60> minutes_, hours_, month_days_, months_, week_days_;
    bool any_month_day_ = false, any_week_day_ = false;  // Given as *.
};

}  // namespace kin
