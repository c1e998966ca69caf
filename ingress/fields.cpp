#include "ingress/fields.h"

#include <algorithm>

#include "core/http/head.h"

namespace kin::ingress {

namespace {
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

struct Known {
    std::string_view name;
    Field field;
};
constexpr Known kKnown[] = {
    {"connection", Field::kConnection},
    {"content-length", Field::kContentLength},
    {"expect", Field::kExpect},
    {"host", Field::kHost},
    {"keep-alive", Field::kKeepAlive},
    {"proxy-authorization", Field::kProxyAuthorization},
    {"proxy-connection", Field::kProxyConnection},
    {"te", Field::kTe},
    {"trailer", Field::kTrailer},
    {"transfer-encoding", Field::kTransferEncoding},
    {"upgrade", Field::kUpgrade},
    {"forwarded", Field::kForwarded},
    {"proxy", Field::kProxy},
    {"x-original-forwarded-for", Field::kXOriginalForwardedFor},
    {"x-real-ip", Field::kXRealIp},
    {"x-request-id", Field::kXRequestId},
    {"x-scheme", Field::kXScheme},
    {"referer", Field::kReferer},
    {"date", Field::kDate},
    {"server", Field::kServer},
    {"strict-transport-security", Field::kStrictTransportSecurity},
    {"user-agent", Field::kUserAgent},
    {"http2-settings", Field::kHttp2Settings},
};
constexpr std::string_view kXForwardedPrefix = "x-forwarded-";
}  // namespace

bool equal_ignoring_case(std::string_view left, std::string_view right) {
    return left.size() == right.size() &&
           std::equal(left.begin(), left.end(), right.begin(),
                      [](char a, char b) { return lower(a) == lower(b); });
}

Field classify(std::string_view name) {
    for (const Known& known : kKnown)
        if (known.name.size() == name.size() && lower(name[0]) == known.name[0] &&
            equal_ignoring_case(name, known.name))
            return known.field;
    if (equal_ignoring_case(name.substr(0, kXForwardedPrefix.size()), kXForwardedPrefix))
        return Field::kXForwarded;
    return Field::kOther;
}

bool is_framing(Field field) {
    return field >= Field::kConnection && field <= Field::kUpgrade && field != Field::kTrailer;
}

bool is_forwarded(Field field, std::string_view name) {
    const bool own = field != Field::kOther && field < Field::kReferer && field != Field::kTrailer;
    return !own && field != Field::kHttp2Settings &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || c == '-';
           });
}

std::string_view blanks_off(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

bool has_token(std::string_view value, std::string_view token) {
    while (true) {
        const size_t comma = value.find(',');
        if (equal_ignoring_case(blanks_off(value.substr(0, comma)), token)) return true;
        if (comma == std::string_view::npos) return false;
        value.remove_prefix(comma + 1);
    }
}

std::optional<FieldLine> parse_field(std::string_view line) {
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) return {};
    const FieldLine field{line.substr(0, colon), blanks_off(line.substr(colon + 1))};
    if (!std::all_of(field.name.begin(), field.name.end(), http::is_token_char)) return {};
    if (!std::all_of(field.value.begin(), field.value.end(), http::is_value_char)) return {};
    return field;
}

std::string_view first_of(const FieldList& fields, Field kind) {
    for (const auto& [name, value] : fields)
        if (classify(name) == kind) return value;
    return {};
}

Nominated::Nominated(const FieldList& fields) {
    for (auto [name, value] : fields) {
        if (classify(name) != Field::kConnection) continue;
        while (true) {
            const size_t comma = value.find(',');
            const std::string_view one = blanks_off(value.substr(0, comma));
            if (!one.empty()) names_.push_back(one);
            if (comma == std::string_view::npos) break;
            value.remove_prefix(comma + 1);
        }
    }
}

bool Nominated::holds(std::string_view name) const {
    return std::any_of(names_.begin(), names_.end(),
                       [&](std::string_view one) { return equal_ignoring_case(one, name); });
}

}  // namespace kin::ingress
