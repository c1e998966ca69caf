#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kin {

namespace internal {
inline void append(std::string& out, std::string_view text) { out.append(text); }
inline void append(std::string& out, char c) { out.push_back(c); }
template <std::integral T>
    requires(!std::same_as<T, char> && !std::same_as<T, bool>)
void append(std::string& out, T number) {
    char buffer[24];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
    out.append(buffer, end);
}
template <class T>
    requires requires(const T& value) {
        { value.to_string() } -> std::convertible_to<std::string>;
    }
void append(std::string& out, const T& value) {
    out.append(value.to_string());
}
}  // namespace internal

/// Joins texts, characters, integers and anything with a to_string().
template <class... Parts>
std::string cat(const Parts&... parts) {
    std::string out;
    (internal::append(out, parts), ...);
    return out;
}

/// "a,b,,c" -> {"a", "b", "", "c"}; "" -> {""}.
std::vector<std::string_view> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string_view trim(std::string_view text);  ///< Without blanks, tabs, CR and LF around it.
std::string to_lower(std::string_view text);   ///< ASCII only.

/// The whole of `text` as a decimal number of T's range, or nothing. No sign for unsigned types.
template <std::integral T>
std::optional<T> parse_number(std::string_view text) {
    T number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || text.empty()) return {};
    return number;
}

std::string base64_encode(std::string_view bytes);
/// Standard alphabet with padding; nothing if `text` is anything else.
std::optional<std::string> base64_decode(std::string_view text);
std::string hex(std::string_view bytes);

}  // namespace kin
