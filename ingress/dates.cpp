#include "ingress/dates.h"

#include <ctime>

namespace kin::ingress {

namespace {
struct Kept {
    time_t second = -1;
    std::string text;

    const std::string& at(std::chrono::system_clock::time_point now, const char* format) {
        const time_t asked = std::chrono::system_clock::to_time_t(now);
        if (asked == second) return text;
        tm parts{};
        gmtime_r(&asked, &parts);
        char buffer[64];
        text.assign(buffer, strftime(buffer, sizeof buffer, format, &parts));
        second = asked;
        return text;
    }
};
}  // namespace

const std::string& http_date(std::chrono::system_clock::time_point at) {
    thread_local Kept kept;
    return kept.at(at, "%a, %d %b %Y %H:%M:%S GMT");
}

const std::string& log_date(std::chrono::system_clock::time_point at) {
    thread_local Kept kept;
    return kept.at(at, "%d/%b/%Y:%H:%M:%S +0000");
}

}  // namespace kin::ingress
