#include "netns/pod/quantity.h"

#include <charconv>
#include <cmath>

namespace kin::netns {
namespace {

struct Suffix {
    std::string_view text;
    double factor;
};
constexpr Suffix kSuffixes[] = {
    {"", 1},        {"n", 1e-9},    {"u", 1e-6},    {"m", 1e-3},    {"k", 1e3},     {"M", 1e6},
    {"G", 1e9},     {"T", 1e12},    {"P", 1e15},    {"E", 1e18},    {"Ki", 0x1p10}, {"Mi", 0x1p20},
    {"Gi", 0x1p30}, {"Ti", 0x1p40}, {"Pi", 0x1p50}, {"Ei", 0x1p60},
};

}  // namespace

std::optional<int64_t> parse_milli_quantity(std::string_view text) {
    if (text.starts_with('+')) text.remove_prefix(1);
    // "E" alone is a suffix, "E3" an exponent; from_chars takes the exponent only with digits.
    double number = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc() || !std::isfinite(number)) return {};
    const std::string_view suffix(rest, static_cast<size_t>(end - rest));
    for (const Suffix& known : kSuffixes) {
        if (known.text != suffix) continue;
        const double milli = std::ceil(number * known.factor * 1000 - 1e-6);
        if (milli > 9e18 || milli < -9e18) return {};
        return static_cast<int64_t>(milli);
    }
    return {};
}

}  // namespace kin::netns
