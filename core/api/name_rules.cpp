#include "core/api/name_rules.h"

#include <arpa/inet.h>

#include <algorithm>

#include "core/base/ip.h"
#include "core/base/strings.h"

namespace kin {

namespace {

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower_alnum(char c) { return is_lower(c) || is_digit(c); }
bool is_alnum(char c) { return is_lower_alnum(c) || is_upper(c); }

template <class Allowed>
bool all(std::string_view text, Allowed allowed) {
    return std::all_of(text.begin(), text.end(), allowed);
}

bool is_label(std::string_view text) {
    return !text.empty() && is_lower_alnum(text.front()) && is_lower_alnum(text.back()) &&
           all(text, [](char c) { return is_lower_alnum(c) || c == '-'; });
}

bool is_subdomain(std::string_view text) {
    const auto labels = split(text, '.');
    return std::all_of(labels.begin(), labels.end(), is_label);
}

bool is_name_part(std::string_view text) {
    return !text.empty() && is_alnum(text.front()) && is_alnum(text.back()) &&
           all(text, [](char c) { return is_alnum(c) || c == '-' || c == '_' || c == '.'; });
}

std::string too_long(size_t limit) { return cat("must be no more than ", limit, " bytes"); }

/// The end that all messages about a pattern share.
std::string with_examples(std::string_view text, std::string_view pattern,
                          std::initializer_list<std::string_view> examples) {
    std::string out = cat(text, " (e.g. ");
    bool first = true;
    for (const std::string_view example : examples) {
        if (!first) out += " or ";
        first = false;
        out += cat('\'', example, "', ");
    }
    return cat(out, "regex used for validation is '", pattern, "')");
}

constexpr std::string_view kLabelPattern = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
constexpr std::string_view kSubdomainPattern =
    "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
constexpr std::string_view kQualifiedPattern = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";

Complaints with_prefix(std::string_view prefix, Complaints complaints) {
    for (std::string& one : complaints) one = cat(prefix, one);
    return complaints;
}

void append(Complaints& to, Complaints more) {
    for (std::string& one : more) to.push_back(std::move(one));
}

}  // namespace

Complaints check_dns1123_label(std::string_view text) {
    Complaints out;
    if (text.size() > 63) out.push_back(too_long(63));
    if (is_label(text)) return out;
    out.push_back(with_examples(
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
        "and must start and end with an alphanumeric character",
        kLabelPattern, {"my-name", "123-abc"}));
    return out;
}

Complaints check_dns1123_subdomain(std::string_view text) {
    Complaints out;
    if (text.size() > 253) out.push_back(too_long(253));
    if (is_subdomain(text)) return out;
    out.push_back(with_examples(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' "
        "or '.', and must start and end with an alphanumeric character",
        kSubdomainPattern, {"example.com"}));
    return out;
}

Complaints check_dns1035_label(std::string_view text) {
    Complaints out;
    if (text.size() > 63) out.push_back(too_long(63));
    if (is_label(text) && is_lower(text.front())) return out;
    out.push_back(with_examples(
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with "
        "an alphabetic character, and end with an alphanumeric character",
        "[a-z]([-a-z0-9]*[a-z0-9])?", {"my-name", "abc-123"}));
    return out;
}

Complaints check_wildcard_subdomain(std::string_view text) {
    Complaints out;
    if (text.size() > 253) out.push_back(too_long(253));
    if (text.starts_with("*.") && is_subdomain(text.substr(2))) return out;
    out.push_back(with_examples(
        "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, "
        "which must consist of lower case alphanumeric characters, '-' or '.' and end with an "
        "alphanumeric character",
        cat("\\*\\.", kSubdomainPattern), {"*.example.com"}));
    return out;
}

Complaints check_qualified_name(std::string_view text) {
    Complaints out;
    const auto parts = split(text, '/');
    if (parts.size() > 2) {
        out.push_back(
            with_examples("a qualified name must consist of alphanumeric characters, '-', '_' or "
                          "'.', and must start and end with an alphanumeric character",
                          kQualifiedPattern, {"MyName", "my.name", "123-abc"}) +
            " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')");
        return out;
    }
    if (parts.size() == 2) {
        if (parts[0].empty()) {
            out.emplace_back("prefix part must be non-empty");
        } else {
            append(out, with_prefix("prefix part ", check_dns1123_subdomain(parts[0])));
        }
    }
    const std::string_view name = parts.back();
    if (name.empty()) out.emplace_back("name part must be non-empty");
    if (name.size() > 63) out.push_back(cat("name part ", too_long(63)));
    if (is_name_part(name)) return out;
    out.push_back(
        with_examples("name part must consist of alphanumeric characters, '-', '_' or '.', and "
                      "must start and end with an alphanumeric character",
                      kQualifiedPattern, {"MyName", "my.name", "123-abc"}));
    return out;
}

Complaints check_label_value(std::string_view text) {
    Complaints out;
    if (text.size() > 63) out.push_back(too_long(63));
    if (text.empty() || is_name_part(text)) return out;
    out.push_back(with_examples(
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
        "'.', and must start and end with an alphanumeric character",
        "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?", {"MyValue", "my_value", "12345"}));
    return out;
}

Complaints check_port_name(std::string_view text) {
    Complaints out;
    if (text.size() > 15) out.push_back(too_long(15));
    if (!all(text, [](char c) { return is_lower_alnum(c) || c == '-'; }))
        out.emplace_back("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
    if (!std::any_of(text.begin(), text.end(), is_lower))
        out.emplace_back("must contain at least one letter (a-z)");
    if (text.find("--") != std::string_view::npos)
        out.emplace_back("must not contain consecutive hyphens");
    if (!text.empty() && (text.front() == '-' || text.back() == '-'))
        out.emplace_back("must not begin or end with a hyphen");
    return out;
}

Complaints check_config_key(std::string_view text) {
    Complaints out;
    if (text.size() > 253) out.push_back(too_long(253));
    const auto allowed = [](char c) { return is_alnum(c) || c == '-' || c == '_' || c == '.'; };
    if (text.empty() || !all(text, allowed))
        out.push_back(with_examples(
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
            "[-._a-zA-Z0-9]+", {"key.name", "KEY_NAME", "key-name"}));
    if (text == ".") out.emplace_back("must not be '.'");
    if (text == "..") {
        out.emplace_back("must not be '..'");
    } else if (text.starts_with("..")) {
        out.emplace_back("must not start with '..'");
    }
    return out;
}

Complaints check_environment_name(std::string_view text) {
    if (text.empty()) return {"environment variable name must not be empty"};
    const bool printable = all(text, [](char c) { return c >= ' ' && c <= '~' && c != '='; });
    if (printable) return {};
    return {
        with_examples("a valid environment variable name must consist only of printable ASCII "
                      "characters other than '='",
                      "^[ -<>-~]+$", {"my.env-name", "MY_ENV.NAME", "MyEnvName1"})};
}

Complaints check_http_header_name(std::string_view text) {
    if (!text.empty() && all(text, [](char c) { return is_alnum(c) || c == '-'; })) return {};
    return {with_examples("a valid HTTP header must consist of alphanumeric characters or '-'",
                          "[-A-Za-z0-9]+", {"X-Header-Name"})};
}

Complaints check_path_segment(std::string_view text) {
    Complaints out;
    if (text == ".") out.emplace_back("may not be '.'");
    if (text == "..") out.emplace_back("may not be '..'");
    for (const char c : {'/', '%'})
        if (text.find(c) != std::string_view::npos)
            out.push_back(cat("may not contain '", c, '\''));
    return out;
}

Complaints check_domain_prefixed_path(std::string_view text) {
    const size_t slash = text.find('/');
    if (slash == std::string_view::npos || slash == 0 || slash + 1 == text.size())
        return {"must be a domain-prefixed path (such as \"acme.io/foo\")"};
    Complaints out = with_prefix("prefix part ", check_dns1123_subdomain(text.substr(0, slash)));
    const auto allowed = [](char c) {
        return is_alnum(c) ||
               std::string_view("-._~!$&'()*+,;=:/").find(c) != std::string_view::npos;
    };
    if (!all(text.substr(slash + 1), allowed))
        out.push_back(with_examples("Invalid path", "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+", {"/foo"}));
    return out;
}

Complaints check_percent(std::string_view text) {
    if (text.size() > 1 && text.back() == '%' && all(text.substr(0, text.size() - 1), is_digit))
        return {};
    return {
        with_examples("a valid percent string must be a numeric string followed by an ending "
                      "'%'",
                      "[0-9]+%", {"1%", "93%"})};
}

Complaints check_port_number(long long port) {
    if (port >= 1 && port <= 65535) return {};
    return {"must be between 1 and 65535, inclusive"};
}

bool is_uuid(std::string_view text) {
    constexpr std::string_view kForm = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    constexpr std::string_view kDigits = "0123456789abcdef";
    if (text.size() != kForm.size()) return false;
    for (size_t i = 0; i < text.size(); ++i) {
        const bool dash = kForm[i] == '-';
        if (dash ? text[i] != '-' : kDigits.find(text[i]) == std::string_view::npos) return false;
    }
    return true;
}

bool is_ipv4(std::string_view text) { return Ipv4::parse(text).has_value(); }

bool is_ipv6(std::string_view text) {
    in6_addr address;
    return ::inet_pton(AF_INET6, std::string(text).c_str(), &address) == 1;
}

bool is_cidr(std::string_view text) {
    const size_t slash = text.find('/');
    if (slash == std::string_view::npos) return false;
    const std::string_view address = text.substr(0, slash);
    const std::string_view digits = text.substr(slash + 1);
    if (digits.size() > 1 && digits.front() == '0') return false;
    const auto bits = parse_number<unsigned>(digits);
    if (!bits) return false;
    return is_ipv4(address) ? *bits <= 32 : is_ipv6(address) && *bits <= 128;
}

}  // namespace kin
