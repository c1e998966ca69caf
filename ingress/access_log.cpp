#include "ingress/access_log.h"

#include <algorithm>

#include "core/base/strings.h"
#include "ingress/dates.h"

namespace kin::ingress {

namespace {
using Clock = std::chrono::steady_clock;

std::string escaped(std::string_view text) {
    constexpr char kDigits[] = "0123456789ABCDEF";
    if (text.empty()) return "-";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\') {
            out += c;
            continue;
        }
        out += "\\x";
        out += kDigits[byte >> 4];
        out += kDigits[byte & 15];
    }
    return out;
}

/// "0.042"
std::string seconds(Clock::duration duration) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
    std::string fraction = std::to_string(ms % 1000);
    fraction.insert(0, 3 - fraction.size(), '0');
    return cat(ms / 1000, '.', fraction);
}

/// "shop-web-80", as upstream names its backends.
std::string upstream_name(std::string_view backend) {
    std::string name(backend);
    std::replace_if(
        name.begin(), name.end(), [](char c) { return c == '/' || c == ':'; }, '-');
    return name.empty() ? "upstream-default-backend" : name;
}

template <class F>
std::string of_each(const std::vector<AccessRecord::Try>& tries, F text) {
    std::string out;
    for (const auto& one : tries) out += cat(out.empty() ? "" : ", ", text(one));
    return out.empty() ? "-" : out;
}
}  // namespace

std::string to_line(const AccessRecord& record, std::chrono::system_clock::time_point at,
                    Clock::time_point ended) {
    using Try = AccessRecord::Try;
    return cat(
        record.client, " - - [", log_date(at), "] \"", escaped(record.request), "\" ",
        record.status, ' ', record.body_bytes, " \"", escaped(record.referer), "\" \"",
        escaped(record.user_agent), "\" ", record.request_bytes, ' ', seconds(ended - record.began),
        " [", upstream_name(record.backend), "] [] ",
        of_each(record.tries,
                [](const Try& one) { return cat(one.endpoint.address, ':', one.endpoint.port); }),
        ' ', of_each(record.tries, [](const Try& one) { return std::to_string(one.bytes); }), ' ',
        of_each(record.tries, [](const Try& one) { return seconds(one.ended - one.began); }), ' ',
        of_each(record.tries,
                [](const Try& one) {
                    return one.status == 0 ? std::string("-") : std::to_string(one.status);
                }),
        ' ', record.request_id);
}

}  // namespace kin::ingress
