#include "core/api/quantity.h"

#include <array>
#include <limits>
#include <utility>

#include "core/base/strings.h"

namespace kin {

namespace {

__extension__ using Int128 = __int128;

constexpr Int128 kNano = 1'000'000'000;
constexpr Int128 kMax = Int128(std::numeric_limits<int64_t>::max()) * kNano;

/// Decimal suffixes by their power of ten, from nano to exa.
constexpr std::array<std::pair<std::string_view, int>, 10> kDecimalSuffixes = {{
    {"n", -9},
    {"u", -6},
    {"m", -3},
    {"", 0},
    {"k", 3},
    {"M", 6},
    {"G", 9},
    {"T", 12},
    {"P", 15},
    {"E", 18},
}};
constexpr std::array<std::string_view, 7> kBinarySuffixes = {"",   "Ki", "Mi", "Gi",
                                                             "Ti", "Pi", "Ei"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

Int128 power_of_ten(int exponent) {
    Int128 out = 1;
    for (; exponent > 0; --exponent) out *= 10;
    return out;
}

Int128 divide_up(Int128 value, Int128 by) {
    const Int128 quotient = value / by;
    return value % by > 0 ? quotient + 1 : quotient;
}

/// Power of ten of the suffix "e3", "E-2"; nothing if it is none.
std::optional<int> exponent_of(std::string_view suffix) {
    if (suffix.size() < 2 || (suffix[0] != 'e' && suffix[0] != 'E')) return {};
    std::string_view digits = suffix.substr(1);
    if (digits.front() == '+') digits.remove_prefix(1);
    return parse_number<int>(digits);
}

/// digits * 10^exponent in billionths; rounded up and cut at the limit.
Int128 scaled(std::string_view digits, int exponent) {
    Int128 value = 0;
    bool rest = false;
    exponent += 9;
    for (const char digit : digits) {
        if (value > kMax) {
            ++exponent;  // Too many digits to keep: they only count as places.
            continue;
        }
        value = value * 10 + (digit - '0');
    }
    for (; exponent < 0 && value != 0; ++exponent) {
        rest = rest || value % 10 != 0;
        value /= 10;
    }
    for (; exponent > 0 && value != 0 && value <= kMax; --exponent) value *= 10;
    return std::min(value + (rest ? 1 : 0), kMax);
}

std::string number_text(Int128 value) { return cat(static_cast<int64_t>(value)); }

}  // namespace

std::optional<Quantity> Quantity::parse(std::string_view text) {
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    size_t end = 0;
    std::string digits;
    int fraction = 0;
    bool dot = false;
    for (; end < text.size() && (is_digit(text[end]) || text[end] == '.'); ++end) {
        if (text[end] == '.') {
            if (dot) return {};
            dot = true;
            continue;
        }
        digits += text[end];
        fraction += dot;
    }
    if (digits.empty()) return {};
    const std::string_view suffix = text.substr(end);
    Quantity out;
    const auto with_sign = [&](Int128 nanos) {
        out.nanos_ = negative ? -nanos : nanos;
        return out;
    };
    for (const auto& [name, exponent] : kDecimalSuffixes)
        if (suffix == name) return with_sign(scaled(digits, exponent - fraction));
    for (size_t power = 1; power < kBinarySuffixes.size(); ++power) {
        if (suffix != kBinarySuffixes[power]) continue;
        out.format_ = Format::kBinary;
        Int128 nanos = scaled(digits, -fraction);
        for (; power > 0 && nanos <= kMax; --power) nanos *= 1024;
        return with_sign(std::min(nanos, kMax));
    }
    const auto exponent = exponent_of(suffix);
    if (!exponent || *exponent > 100 || *exponent < -100) return {};
    out.format_ = Format::kExponent;
    return with_sign(scaled(digits, *exponent - fraction));
}

std::string Quantity::to_string() const {
    if (nanos_ == 0) return "0";
    // Binary suffixes only tell whole numbers of at least 1024.
    if (format_ == Format::kBinary && is_integer() &&
        (nanos_ >= 1024 * kNano || nanos_ <= -1024 * kNano)) {
        Int128 whole = nanos_ / kNano;
        size_t power = 0;
        for (; power + 1 < kBinarySuffixes.size() && whole % 1024 == 0; ++power) whole /= 1024;
        return cat(number_text(whole), kBinarySuffixes[power]);
    }
    size_t step = 0;
    Int128 count = nanos_;
    for (; step + 1 < kDecimalSuffixes.size() && count % 1000 == 0; ++step) count /= 1000;
    const auto& [suffix, exponent] = kDecimalSuffixes[step];
    if (format_ != Format::kExponent || exponent == 0) return cat(number_text(count), suffix);
    return cat(number_text(count), 'e', exponent);
}

int64_t Quantity::value() const { return static_cast<int64_t>(divide_up(nanos_, kNano)); }

int64_t Quantity::milli_value() const {
    const Int128 limit = std::numeric_limits<int64_t>::max();
    return static_cast<int64_t>(std::min(divide_up(nanos_, power_of_ten(6)), limit));
}

bool Quantity::is_integer() const { return nanos_ % kNano == 0; }

Quantity Quantity::rounded_to_milli() const {
    Quantity out = *this;
    out.nanos_ = divide_up(nanos_, power_of_ten(6)) * power_of_ten(6);
    return out;
}

}  // namespace kin
