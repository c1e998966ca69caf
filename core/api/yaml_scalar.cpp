#include "core/api/yaml_scalar.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>
#include <unordered_map>

#include "core/base/strings.h"

namespace kin {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

const std::unordered_map<std::string_view, YamlScalar>& words() {
    static const auto kWords = [] {
        std::unordered_map<std::string_view, YamlScalar> out;
        const double infinity = std::numeric_limits<double>::infinity();
        for (const char* w :
             {"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"})
            out[w] = {YamlType::kBool, true};
        for (const char* w :
             {"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"})
            out[w] = {YamlType::kBool, false};
        for (const char* w : {"", "~", "null", "Null", "NULL"}) out[w] = {YamlType::kNull, nullptr};
        for (const char* w : {".nan", ".NaN", ".NAN"}) out[w] = {YamlType::kFloat, std::nan("")};
        for (const char* w : {".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"})
            out[w] = {YamlType::kFloat, infinity};
        for (const char* w : {"-.inf", "-.Inf", "-.INF"}) out[w] = {YamlType::kFloat, -infinity};
        return out;
    }();
    return kWords;
}

/// Takes up to `most` digits off the front.
std::optional<int> take_number(std::string_view& text, size_t most) {
    size_t count = 0;
    while (count < most && count < text.size() && is_digit(text[count])) ++count;
    const auto number = parse_number<int>(text.substr(0, count));
    text.remove_prefix(count);
    return number;
}

bool take(std::string_view& text, char c) {
    if (text.empty() || text.front() != c) return false;
    text.remove_prefix(1);
    return true;
}

bool is_zone(std::string_view text) {
    if (text == "Z") return true;
    if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return false;
    return is_digit(text[1]) && is_digit(text[2]) && is_digit(text[4]) && is_digit(text[5]);
}

bool is_clock(std::string_view text, bool with_zone) {
    const auto hour = take_number(text, 2);
    if (!hour || *hour > 23 || !take(text, ':')) return false;
    const auto minute = take_number(text, 2);
    if (!minute || *minute > 59 || !take(text, ':')) return false;
    const auto second = take_number(text, 2);
    if (!second || *second > 59) return false;
    if (take(text, '.')) {
        if (text.empty() || !is_digit(text.front())) return false;
        while (!text.empty() && is_digit(text.front())) text.remove_prefix(1);
    }
    return with_zone ? is_zone(text) : text.empty();
}

bool is_timestamp(std::string_view text) {
    if (text.size() < 8 || text[4] != '-') return false;
    for (int i = 0; i < 4; ++i)
        if (!is_digit(text[i])) return false;
    const auto year = take_number(text, 4);
    take(text, '-');
    const auto month = take_number(text, 2);
    if (!month || !take(text, '-')) return false;
    const auto day = take_number(text, 2);
    using namespace std::chrono;
    if (!day || !year_month_day(std::chrono::year(*year), std::chrono::month(unsigned(*month)),
                                std::chrono::day(unsigned(*day)))
                     .ok())
        return false;
    if (text.empty()) return true;
    if (take(text, 'T') || take(text, 't')) return is_clock(text, true);
    return take(text, ' ') && is_clock(text, false);
}

/// Integers with Go's prefixes: 0x, 0o, 0b, and a bare 0 for octal.
std::optional<Json> parse_integer(std::string_view text) {
    const bool negative = !text.empty() && text[0] == '-';
    const bool has_sign = negative || (!text.empty() && text[0] == '+');
    if (has_sign) text.remove_prefix(1);
    if (text.empty()) return {};
    int base = 10;
    if (text[0] == '0' && text.size() > 1) {
        const char mark = static_cast<char>(text[1] | 0x20);
        base = text.size() < 3 ? 8 : mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 8;
        text.remove_prefix(base != 8 || (text.size() >= 3 && mark == 'o') ? 2 : 1);
    }
    uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    if (error != std::errc() || end != text.data() + text.size()) return {};
    constexpr uint64_t kTop = uint64_t{1} << 63;
    if (negative) {
        if (number > kTop) return {};
        return Json(static_cast<int64_t>(0 - number));
    }
    if (number < kTop) return Json(static_cast<int64_t>(number));
    // Go reads the upper half only without a sign.
    if (has_sign) return {};
    return Json(number);
}

/// [-+]? ( .digits | digits [. [digits]] ) ( [eE] [-+]? digits )?
bool looks_like_float(std::string_view text) {
    size_t at = 0;
    const auto digits = [&] {
        const size_t from = at;
        while (at < text.size() && is_digit(text[at])) ++at;
        return at - from;
    };
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    const size_t whole = digits();
    size_t fraction = 0;
    if (at < text.size() && text[at] == '.') {
        ++at;
        fraction = digits();
    }
    if (whole + fraction == 0) return false;
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
        ++at;
        if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
        if (digits() == 0) return false;
    }
    return at == text.size();
}

/// Nothing for numbers beyond a double's range: Go leaves those as strings.
std::optional<Json> parse_float(const std::string& text) {
    if (!looks_like_float(text)) return {};
    const double number = std::strtod(text.c_str(), nullptr);
    if (std::isinf(number)) return {};
    // Kubernetes passes YAML through JSON, where 1.0 and 1e3 are written as integers.
    if (std::trunc(number) == number && std::abs(number) < 9.2e18)
        return Json(static_cast<int64_t>(number));
    return Json(number);
}

bool underscores_group_digits(std::string_view text) {
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '_') continue;
        if (i == 0 || i + 1 == text.size()) return false;
        if (!is_digit(text[i - 1]) || !is_digit(text[i + 1])) return false;
    }
    return true;
}

std::string_view name_of(YamlType type) {
    switch (type) {
        case YamlType::kNull:
            return "!!null";
        case YamlType::kBool:
            return "!!bool";
        case YamlType::kInt:
            return "!!int";
        case YamlType::kFloat:
            return "!!float";
        case YamlType::kString:
            return "!!str";
        case YamlType::kTimestamp:
            return "!!timestamp";
    }
    return "";
}

Result<YamlScalar> decode_binary(const std::string& text) {
    std::string compact;
    for (const char c : text)
        if (c != '\n' && c != '\r') compact.push_back(c);
    auto bytes = base64_decode(compact);
    if (!bytes) return Error(Errc::kInvalid, "!!binary value contains invalid base64 data");
    // JSON holds text only: what is no UTF-8 becomes U+FFFD, as in Go.
    return YamlScalar{YamlType::kString, Json::parse(to_text(Json(*bytes)), nullptr, false)};
}

template <class T>
std::string go_shortest(T value) {
    if (std::isnan(value)) return ".nan";
    if (std::isinf(value)) return value > 0 ? ".inf" : "-.inf";
    std::array<char, 64> buffer;
    const auto scientific = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                          std::chars_format::scientific);
    const std::string_view text(buffer.data(), size_t(scientific.ptr - buffer.data()));
    const size_t mark = text.find('e');
    const int exponent = std::atoi(std::string(text.substr(mark + 1)).c_str());
    constexpr int kMostPlainExponent = 6;  // Go's rule for %g with the shortest precision.
    if (exponent < -4 || exponent >= kMostPlainExponent) return std::string(text);
    const auto fixed = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                     std::chars_format::fixed);
    return std::string(buffer.data(), fixed.ptr);
}

}  // namespace

YamlScalar resolve_plain(std::string_view text) {
    if (const auto word = words().find(text); word != words().end()) return word->second;
    const char first = text[0];
    if (first != '.' && first != '+' && first != '-' && !is_digit(first))
        return {YamlType::kString, text};
    if (is_timestamp(text)) return {YamlType::kTimestamp, text};
    std::string plain(text);
    // Underscores group digits; in ".5_0" they must stand between two.
    if (first != '.' || underscores_group_digits(text)) std::erase(plain, '_');
    if (first != '.')
        if (auto integer = parse_integer(plain)) return {YamlType::kInt, *std::move(integer)};
    if (auto number = parse_float(plain)) return {YamlType::kFloat, *std::move(number)};
    return {YamlType::kString, text};
}

Result<YamlScalar> resolve_tagged(std::string_view tag, const std::string& text) {
    constexpr std::string_view kPrefix = "tag:yaml.org,2002:";
    if (!tag.starts_with(kPrefix)) return YamlScalar{YamlType::kString, text};
    const std::string_view name = tag.substr(kPrefix.size());
    if (name == "binary") return decode_binary(text);
    const bool known =
        name == "null" || name == "bool" || name == "int" || name == "float" || name == "timestamp";
    if (!known) return YamlScalar{YamlType::kString, text};
    YamlScalar found = resolve_plain(text);
    const bool is_float = name == "float" && found.type == YamlType::kInt;
    if (cat("!!", name) == name_of(found.type) || is_float) return found;
    return Error(Errc::kInvalid,
                 cat("cannot decode ", name_of(found.type), " `", text, "` as a !!", name));
}

bool is_base60(std::string_view text) {
    if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
    if (text.empty() || !is_digit(text[0])) return false;
    while (!text.empty() && (is_digit(text[0]) || text[0] == '_')) text.remove_prefix(1);
    size_t groups = 0;
    while (take(text, ':')) {
        const auto part = take_number(text, 2);
        if (!part || *part > 59) return false;
        ++groups;
    }
    if (groups > 0 && take(text, '.'))
        while (!text.empty() && (is_digit(text[0]) || text[0] == '_')) text.remove_prefix(1);
    return groups > 0 && text.empty();
}

std::string go_float(double value) {
    const bool whole = std::trunc(value) == value && value >= -0x1p63 && value < 0x1p64;
    if (!whole) return go_shortest(value);
    // Only the digits that tell the number from its neighbours; zeros fill the rest.
    std::array<char, 64> buffer;
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                   std::chars_format::scientific)
                         .ptr;
    std::string digits(buffer.data(), end);
    const size_t mark = digits.find('e');
    const auto exponent = static_cast<size_t>(std::atoi(digits.c_str() + mark + 1));
    digits.resize(mark);
    std::erase(digits, '.');
    const size_t sign = digits.starts_with('-') ? 1 : 0;
    digits.resize(std::max(digits.size(), sign + exponent + 1), '0');
    return digits;
}
std::string go_float32(double value) { return go_shortest(static_cast<float>(value)); }

}  // namespace kin
