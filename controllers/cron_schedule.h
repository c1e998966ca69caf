#pragma once

#include <bitset>
#include <optional>
#include <string_view>

#include "core/base/time.h"

namespace kin::controllers {

/// When a CronJob is due, in UTC: "*/5 8-18 * * mon-fri", "@daily". Pure.
class CronSchedule {
public:
    /// Nothing for what is no schedule.
    static std::optional<CronSchedule> parse(std::string_view text);

    /// The first whole minute after `time` that fits; nothing within five years (February 30).
    std::optional<WallTime> next_after(WallTime time) const;

private:
    bool day_fits(int month_day, int week_day) const;

    std::bitset<60> minutes_, hours_, month_days_, months_, week_days_;
    bool any_month_day_ = false, any_week_day_ = false;  // Given as *.
};

}  // namespace kin::controllers
