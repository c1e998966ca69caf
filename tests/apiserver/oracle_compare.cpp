#include "oracle_compare.h"

#include <algorithm>
#include <optional>
#include <set>

#include "core/base/strings.h"
#include "oracle_newer.h"

namespace kin::test {

namespace {
const std::set<std::string_view> kNumbered = {"uid",      "rv",        "listrv",
                                              "continue", "clusterIP", "nodePort"};
const std::set<std::string_view> kAnything = {"time", "age", "random", "ptr", "rv", "nodePort"};

struct Placeholder {
    size_t begin = 0, end = 0;  ///< in the text
    std::string text;           ///< "<uid:1>"
    bool numbered = false;
};

/// The first placeholder in `text`; angle brackets around other words are just text.
std::optional<Placeholder> find_placeholder(std::string_view text) {
    for (size_t at = text.find('<'); at != text.npos; at = text.find('<', at + 1)) {
        const size_t close = text.find('>', at);
        if (close == text.npos) return {};
        const std::string_view inside = text.substr(at + 1, close - at - 1);
        const size_t colon = inside.find(':');
        const bool numbered = colon != inside.npos && kNumbered.contains(inside.substr(0, colon));
        if (numbered || kAnything.contains(inside)) {
            return Placeholder{at, close + 1, std::string(text.substr(at, close + 1 - at)),
                               numbered};
        }
    }
    return {};
}

std::string shortened(const Json& json) {
    const std::string text = to_text(json);
    return text.size() > 160 ? text.substr(0, 160) + "..." : text;
}

/// A number or text as text, for placeholders.
std::optional<std::string> plain(const Json& json) {
    if (json.is_string()) return json.get<std::string>();
    if (json.is_number()) return to_text(json);
    return {};
}

/// Managers are listed by the second of their last write: which of two that follow each other comes
/// first depends on whether a second began between them.
Json by_manager(Json fields) {
    const auto key = [](const Json& entry) {
        return cat(string_at(entry, {"operation"}), ' ', string_at(entry, {"manager"}), ' ',
                   string_at(entry, {"subresource"}));
    };
    std::stable_sort(fields.begin(), fields.end(),
                     [&](const Json& a, const Json& b) { return key(a) < key(b); });
    return fields;
}
}  // namespace

void Matcher::forget_differences() {
    differences_.clear();
    wordings_.clear();
}

bool Matcher::bind(const std::string& placeholder, std::string_view value) {
    const auto known = values_.find(placeholder);
    if (known != values_.end()) return known->second == value;
    const std::string space = placeholder.substr(0, placeholder.find(':'));
    const auto [holder, is_new] = holders_.emplace(cat(space, ' ', value), placeholder);
    if (!is_new) return false;  // Two numbers of a class are two values.
    values_[placeholder] = std::string(value);
    return true;
}

bool Matcher::same_text(std::string_view expected, std::string_view actual) {
    const auto placeholder = find_placeholder(expected);
    if (!placeholder) return expected == actual;
    const std::string_view before = expected.substr(0, placeholder->begin);
    if (!actual.starts_with(before)) return false;
    actual.remove_prefix(before.size());
    const std::string_view rest = expected.substr(placeholder->end);
    const auto next = find_placeholder(rest);
    const std::string_view mark = next ? rest.substr(0, next->begin) : rest;
    const size_t size = mark.empty() ? actual.size() : actual.find(mark);
    if (size == actual.npos || size == 0) return false;
    if (placeholder->numbered && !bind(placeholder->text, actual.substr(0, size))) return false;
    return same_text(rest, actual.substr(size));
}

void Matcher::compare(const Json& expected, const Json& actual, const std::string& path) {
    if (expected.is_object() && actual.is_object()) return compare_objects(expected, actual, path);
    if (expected.is_array() && actual.is_array()) return compare_arrays(expected, actual, path);
    if (expected.is_string()) {
        const auto& text = expected.get_ref<const std::string&>();
        const auto given = plain(actual);
        if (given && (actual.is_string() || find_placeholder(text)) && same_text(text, *given))
            return;
    } else if (expected == actual) {
        return;
    }
    if (is_newer_value(path, expected, actual)) return;
    std::string text = cat(path, ": wanted ", shortened(expected), " got ", shortened(actual));
    const bool message = path.ends_with("message") && !path.starts_with("body.");
    (message ? wordings_ : differences_).push_back(std::move(text));
}

void Matcher::compare_objects(const Json& expected, const Json& actual, const std::string& path) {
    for (const auto& [key, value] : expected.items()) {
        const auto found = actual.find(key);
        const std::string at = path.empty() ? key : cat(path, '.', key);
        if (found != actual.end() && key == "managedFields") {
            compare(by_manager(value), by_manager(*found), at);
        } else if (found != actual.end()) {
            compare(value, *found, at);
        } else if (!value.is_null() && !is_gone_field(at)) {
            differences_.push_back(cat(at, ": missing, wanted ", shortened(value)));
        }
    }
    for (const auto& [key, value] : actual.items()) {
        if (expected.contains(key) || is_new_field(kind_, path, key, value)) continue;
        differences_.push_back(cat(path, '.', key, ": unexpected ", shortened(value)));
    }
}

void Matcher::compare_arrays(const Json& expected, const Json& actual, const std::string& path) {
    if (expected.size() != actual.size()) {
        differences_.push_back(cat(path, ": wanted ", expected.size(), " elements, got ",
                                   actual.size(), ": ", shortened(expected), " ",
                                   shortened(actual)));
        return;
    }
    for (size_t i = 0; i < expected.size(); ++i)
        compare(expected[i], actual[i], cat(path, '[', i, ']'));
}

}  // namespace kin::test
