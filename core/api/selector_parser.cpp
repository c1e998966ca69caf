// LabelSelector::parse(): the query form of label selectors.

#include <algorithm>

#include "core/api/name_rules.h"
#include "core/api/selectors.h"
#include "core/base/strings.h"

namespace kin {

namespace {

using Operator = Requirement::Operator;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_special(char c) { return std::string_view("=!(),><").find(c) != std::string_view::npos; }

/// Reads words ("app", "in") and signs ("=", "!=", "(") one after the other; "" at the end.
class Tokens {
public:
    explicit Tokens(std::string_view text) : text_(text) {}

    std::string_view peek() const { return Tokens(*this).next(); }
    std::string_view next() {
        while (!text_.empty() && is_blank(text_.front())) text_.remove_prefix(1);
        size_t length = 0;
        if (!text_.empty() && is_special(text_.front())) {
            length = text_.starts_with("==") || text_.starts_with("!=") ? 2 : 1;
        } else {
            while (length < text_.size() && !is_special(text_[length]) && !is_blank(text_[length]))
                ++length;
        }
        const std::string_view token = text_.substr(0, length);
        text_.remove_prefix(length);
        return token;
    }

private:
    std::string_view text_;
};

bool is_word(std::string_view token) { return !token.empty() && !is_special(token.front()); }

Status unreadable(std::string_view what) {
    return bad_request(cat("unable to parse requirement: ", what));
}

/// "(a,b)" after in and notin.
Answer<std::vector<std::string>> parse_values(Tokens& tokens) {
    std::string_view token = tokens.next();
    if (token != "(") return unreadable(cat("found '", token, "' expected: '('"));
    std::vector<std::string> values;
    while (true) {
        token = tokens.peek();
        if (is_word(token)) {
            values.emplace_back(tokens.next());
        } else {
            values.emplace_back();  // Nothing between two commas is an empty value.
        }
        token = tokens.next();
        if (token == ")") break;
        if (token != ",") return unreadable(cat("found '", token, "', expected: ',' or ')'"));
    }
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    return values;
}

Answer<Requirement> parse_operator(Tokens& tokens, Requirement requirement) {
    const std::string_view sign = tokens.next();
    if (sign == "in" || sign == "notin") {
        requirement.op = sign == "in" ? Operator::kIn : Operator::kNotIn;
        TRY_ASSIGN(requirement.values, parse_values(tokens));
        return requirement;
    }
    if (sign == "=" || sign == "==") {
        requirement.op = Operator::kIn;
    } else if (sign == "!=") {
        requirement.op = Operator::kNotIn;
    } else if (sign == ">") {
        requirement.op = Operator::kGreater;
    } else if (sign == "<") {
        requirement.op = Operator::kLess;
    } else {
        return unreadable(cat("found '", sign, "', expected: in, notin, =, ==, !=, >, <"));
    }
    const std::string_view value = tokens.peek();
    if (is_word(value)) {
        requirement.values.emplace_back(tokens.next());
    } else if (value.empty() || value == ",") {
        requirement.values.emplace_back();
    } else {
        return unreadable(cat("found '", value, "', expected: identifier"));
    }
    return requirement;
}

Answer<Ok> check(const Requirement& requirement) {
    for (const std::string& complaint : check_qualified_name(requirement.key))
        return unreadable(
            field_invalid("key", requirement.key, complaint).message.insert(0, "key: "));
    const bool ordered = requirement.op == Operator::kGreater || requirement.op == Operator::kLess;
    for (size_t i = 0; i < requirement.values.size(); ++i) {
        const std::string& value = requirement.values[i];
        const std::string at = cat("values[", i, "][", requirement.key, "]: ");
        if (ordered && !parse_number<int64_t>(value))
            return unreadable(cat(
                "values[0]: ",
                field_invalid("", value, "for 'Gt', 'Lt' operators, the value must be an integer")
                    .message));
        for (const std::string& complaint : check_label_value(value))
            return unreadable(cat(at, field_invalid("", value, complaint).message));
    }
    return Ok{};
}

Answer<Requirement> parse_requirement(Tokens& tokens) {
    Requirement requirement;
    std::string_view token = tokens.next();
    const bool negated = token == "!";
    if (negated) token = tokens.next();
    if (!is_word(token)) return unreadable(cat("found '", token, "', expected: identifier"));
    requirement.key = token;
    requirement.op = negated ? Operator::kDoesNotExist : Operator::kExists;
    const std::string_view following = tokens.peek();
    if (!negated && !following.empty() && following != ",") {
        TRY_ASSIGN(requirement, parse_operator(tokens, std::move(requirement)));
    }
    TRY(check(requirement));
    return requirement;
}

}  // namespace

Answer<LabelSelector> LabelSelector::parse(std::string_view text) {
    LabelSelector selector;
    Tokens tokens(text);
    if (tokens.peek().empty()) return selector;
    while (true) {
        TRY_ASSIGN(Requirement requirement, parse_requirement(tokens));
        selector.requirements_.push_back(std::move(requirement));
        const std::string_view token = tokens.next();
        if (token.empty()) break;
        if (token != ",")
            return bad_request(cat("found '", token, "', expected: ',' or 'end of string'"));
        if (!is_word(tokens.peek()) && tokens.peek() != "!")
            return bad_request(cat("found '", tokens.peek(), "', expected: identifier after ','"));
    }
    std::stable_sort(selector.requirements_.begin(), selector.requirements_.end(),
                     [](const auto& a, const auto& b) { return a.key < b.key; });
    return selector;
}

}  // namespace kin
