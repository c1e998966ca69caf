#include "core/base/time.h"

#include <fmt/format.h>

#include <ctime>

#include "core/base/strings.h"

namespace kin {

namespace {
using std::chrono::duration_cast;
using std::chrono::nanoseconds;
using std::chrono::seconds;

std::string format(WallTime time, int digits) {
    const auto since_epoch = duration_cast<nanoseconds>(time.time_since_epoch());
    auto whole = std::chrono::floor<seconds>(since_epoch);
    const std::time_t clock = whole.count();
    std::tm parts{};
    gmtime_r(&clock, &parts);
    std::string out = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", parts.tm_year + 1900,
                                  parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
                                  parts.tm_sec);
    if (digits > 0) {
        const auto fraction = fmt::format("{:09}", (since_epoch - whole).count());
        out += '.';
        out += fraction.substr(0, static_cast<size_t>(digits));
    }
    return out + 'Z';
}
}  // namespace

std::string rfc3339(WallTime time) { return format(time, 0); }
std::string rfc3339_micro(WallTime time) { return format(time, 6); }
std::string rfc3339_nano(WallTime time) { return format(time, 9); }

std::optional<WallTime> parse_rfc3339(std::string_view text) {
    // 2026-01-02T03:04:05[.fraction](Z|+hh:mm|-hh:mm)
    if (text.size() < 20 || text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't') ||
        text[13] != ':' || text[16] != ':') {
        return {};
    }
    const auto number = [&](size_t at, size_t count) {
        return parse_number<unsigned>(text.substr(at, count));
    };
    const auto year = number(0, 4), month = number(5, 2), day = number(8, 2), hour = number(11, 2),
               minute = number(14, 2), second = number(17, 2);
    if (!year || !month || !day || !hour || !minute || !second) return {};
    const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(*year)),
                                           std::chrono::month(*month), std::chrono::day(*day));
    if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return {};
    size_t at = 19;
    int64_t nanos = 0;
    if (text[at] == '.') {
        int64_t scale = 100'000'000;
        const size_t start = ++at;
        for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10) {
            nanos += (text[at] - '0') * scale;
        }
        if (at == start) return {};
    }
    const std::string_view zone = text.substr(at);
    std::chrono::minutes offset(0);
    if (zone != "Z" && zone != "z") {
        if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':') return {};
        const auto hours = parse_number<unsigned>(zone.substr(1, 2));
        const auto minutes = parse_number<unsigned>(zone.substr(4, 2));
        if (!hours || !minutes || *hours > 23 || *minutes > 59) return {};
        offset = std::chrono::minutes(*hours * 60 + *minutes) * (zone[0] == '-' ? -1 : 1);
    }
    const auto midnight = std::chrono::sys_days(date);
    return std::chrono::time_point_cast<WallTime::duration>(
        midnight + std::chrono::hours(*hour) + std::chrono::minutes(*minute) + seconds(*second) +
        nanoseconds(nanos) - offset);
}

}  // namespace kin
