#include "core/api/cron_schedule.h"

#include <algorithm>
#include <ctime>

#include "core/base/strings.h"

namespace kin {

namespace {
using Bits = std::bitset<60>;

struct Part {
    int first, last;
    std::string_view names;  ///< Of three letters each, from `first` on; "" for none.
};
constexpr Part kMinutes{0, 59, ""}, kHours{0, 23, ""}, kMonthDays{1, 31, ""},
    kMonths{1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
    kWeekDays{0, 7, "sunmontuewedthufrisat"};

std::optional<int> value_of(std::string_view text, const Part& part) {
    if (const auto number = parse_number<int>(text)) return number;
    const std::string name = to_lower(text);
    if (name.size() != 3) return {};
    const size_t at = part.names.find(name);
    if (at == std::string_view::npos || at % 3 != 0) return {};
    return part.first + static_cast<int>(at / 3);
}

/// "*", "5", "1-5", "*/10", "10-30/5": one of a list.
bool add_range(std::string_view text, const Part& part, Bits& out) {
    int step = 1;
    const size_t slash = text.find('/');
    if (slash != std::string_view::npos) {
        step = parse_number<int>(text.substr(slash + 1)).value_or(0);
        text = text.substr(0, slash);
    }
    int first = part.first, last = part.last == 7 ? 6 : part.last;
    if (text != "*" && text != "?") {
        const size_t dash = text.find('-');
        const auto from = value_of(text.substr(0, dash), part);
        if (!from) return false;
        first = *from;
        // "5/15" begins at 5 and goes on to the end.
        if (dash != std::string_view::npos) {
            const auto to = value_of(text.substr(dash + 1), part);
            if (!to) return false;
            last = *to;
        } else if (slash == std::string_view::npos) {
            last = first;
        }
    }
    if (step <= 0 || first < part.first || last > part.last || first > last) return false;
    for (int value = first; value <= last; value += step) {
        out.set(static_cast<size_t>(part.last == 7 && value == 7 ? 0 : value));
    }
    return true;
}

bool read(std::string_view text, const Part& part, Bits& out) {
    const auto ranges = split(text, ',');
    return std::all_of(ranges.begin(), ranges.end(),
                       [&](std::string_view range) { return add_range(range, part, out); });
}

std::string_view by_name(std::string_view text) {
    constexpr std::pair<std::string_view, std::string_view> kNames[] = {
        {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"},
        {"@weekly", "0 0 * * 0"}, {"@daily", "0 0 * * *"},    {"@midnight", "0 0 * * *"},
        {"@hourly", "0 * * * *"}};
    for (const auto& [name, schedule] : kNames) {
        if (text == name) return schedule;
    }
    return text;
}

/// "1h30m", of whole seconds; nothing for less than one.
std::optional<std::chrono::seconds> read_delay(std::string_view text) {
    std::chrono::seconds out{0};
    while (!text.empty()) {
        const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
        const auto number = parse_number<uint32_t>(text.substr(0, digits));
        if (!number || digits == text.size()) return {};
        const char unit = text[digits];
        if (unit != 'h' && unit != 'm' && unit != 's') return {};
        out += std::chrono::seconds(int64_t{*number} * (unit == 'h' ? 3600 : unit == 'm' ? 60 : 1));
        text.remove_prefix(digits + 1);
    }
    if (out.count() < 1) return {};
    return out;
}
}  // namespace

std::optional<CronSchedule> CronSchedule::parse(std::string_view text) {
    constexpr std::string_view kEvery = "@every ";
    if (trim(text).starts_with(kEvery)) {
        const auto delay = read_delay(trim(trim(text).substr(kEvery.size())));
        if (!delay) return {};
        CronSchedule out;
        out.every_ = *delay;
        return out;
    }
    std::vector<std::string_view> fields;
    for (const std::string_view field : split(by_name(trim(text)), ' ')) {
        if (!field.empty()) fields.push_back(field);
    }
    CronSchedule out;
    if (fields.size() != 5 || !read(fields[0], kMinutes, out.minutes_) ||
        !read(fields[1], kHours, out.hours_) || !read(fields[2], kMonthDays, out.month_days_) ||
        !read(fields[3], kMonths, out.months_) || !read(fields[4], kWeekDays, out.week_days_)) {
        return {};
    }
    out.any_month_day_ = fields[2][0] == '*' || fields[2][0] == '?';
    out.any_week_day_ = fields[4][0] == '*' || fields[4][0] == '?';
    return out;
}

bool CronSchedule::day_fits(int month_day, int week_day) const {
    const bool by_month = month_days_.test(static_cast<size_t>(month_day));
    const bool by_week = week_days_.test(static_cast<size_t>(week_day));
    // Where both are given, either is enough: cron's old rule.
    return any_month_day_ || any_week_day_ ? by_month && by_week : by_month || by_week;
}

std::optional<WallTime> CronSchedule::next_after(WallTime time) const {
    if (every_.count() != 0) return std::chrono::floor<std::chrono::seconds>(time) + every_;
    constexpr std::time_t kMinute = 60, kHour = 3600, kDay = 86400;
    std::time_t at = std::chrono::system_clock::to_time_t(time) / kMinute * kMinute + kMinute;
    const std::time_t end = at + 5 * 366 * kDay;
    while (at < end) {
        std::tm parts{};
        ::gmtime_r(&at, &parts);
        if (!months_.test(static_cast<size_t>(parts.tm_mon + 1)) ||
            !day_fits(parts.tm_mday, parts.tm_wday)) {
            at = at / kDay * kDay + kDay;
        } else if (!hours_.test(static_cast<size_t>(parts.tm_hour))) {
            at = at / kHour * kHour + kHour;
        } else if (!minutes_.test(static_cast<size_t>(parts.tm_min))) {
            at += kMinute;
        } else {
            return std::chrono::system_clock::from_time_t(at);
        }
    }
    return {};
}

}  // namespace kin
