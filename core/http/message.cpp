#include "core/http/message.h"

#include "core/base/strings.h"

namespace kin::http {

namespace {
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lower(x) == lower(y); });
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (lower(c) >= 'a' && lower(c) <= 'f') return lower(c) - 'a' + 10;
    return -1;
}
}  // namespace

void Headers::add(std::string name, std::string value) {
    fields_.emplace_back(std::move(name), std::move(value));
}

void Headers::set(std::string name, std::string value) {
    std::erase_if(fields_, [&](const auto& field) { return same_name(field.first, name); });
    add(std::move(name), std::move(value));
}

bool Headers::has(std::string_view name) const {
    return std::any_of(begin(), end(), [&](const auto& f) { return same_name(f.first, name); });
}

std::string_view Headers::get(std::string_view name) const {
    for (const auto& [key, value] : fields_)
        if (same_name(key, name)) return value;
    return {};
}

std::vector<std::string_view> Headers::all(std::string_view name) const {
    std::vector<std::string_view> values;
    for (const auto& [key, value] : fields_)
        if (same_name(key, name)) values.push_back(value);
    return values;
}

bool Headers::has_token(std::string_view name, std::string_view token) const {
    for (const auto& list : all(name))
        for (const auto& item : split(list, ','))
            if (same_name(trim(item), token)) return true;
    return false;
}

std::optional<std::string> percent_decode(std::string_view text, Plus plus) {
    std::string out;
    out.reserve(text.size());
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+' && plus == Plus::kIsSpace) {
            out.push_back(' ');
        } else if (text[i] != '%') {
            out.push_back(text[i]);
        } else {
            if (i + 2 >= text.size()) return {};
            const int high = hex_digit(text[i + 1]);
            const int low = hex_digit(text[i + 2]);
            if (high < 0 || low < 0) return {};
            out.push_back(static_cast<char>(high * 16 + low));
            i += 2;
        }
    }
    return out;
}

std::string percent_encode(std::string_view text) {
    static constexpr char kDigits[] = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const bool letter = lower(c) >= 'a' && lower(c) <= 'z';
        const bool digit = c >= '0' && c <= '9';
        if (letter || digit || c == '-' || c == '.' || c == '_' || c == '~') {
            out.push_back(c);
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out.append({'%', kDigits[byte >> 4], kDigits[byte & 15]});
        }
    }
    return out;
}

std::optional<Query> Query::parse(std::string_view text) {
    Query query;
    if (text.empty()) return query;
    for (const auto& pair : split(text, '&')) {
        if (pair.empty()) continue;
        const size_t equals = pair.find('=');
        auto key = percent_decode(pair.substr(0, equals), Plus::kIsSpace);
        auto value = equals == std::string_view::npos
                         ? std::string()
                         : percent_decode(pair.substr(equals + 1), Plus::kIsSpace);
        if (!key || !value) return {};
        query.pairs_.emplace_back(std::move(*key), std::move(*value));
    }
    return query;
}

bool Query::has(std::string_view key) const {
    return std::any_of(begin(), end(), [&](const auto& pair) { return pair.first == key; });
}

std::string_view Query::get(std::string_view key) const {
    for (const auto& pair : pairs_)
        if (pair.first == key) return pair.second;
    return {};
}

std::vector<std::string_view> Query::all(std::string_view key) const {
    std::vector<std::string_view> values;
    for (const auto& pair : pairs_)
        if (pair.first == key) values.push_back(pair.second);
    return values;
}

bool Query::flag(std::string_view key) const {
    if (!has(key)) return false;
    const std::string_view value = get(key);
    return !(value == "0" || same_name(value, "false"));
}

std::string_view Request::bearer_token() const {
    constexpr std::string_view kScheme = "bearer ";
    const std::string_view value = headers.get("Authorization");
    if (value.size() <= kScheme.size() || !same_name(value.substr(0, kScheme.size()), kScheme))
        return {};
    return trim(value.substr(kScheme.size()));
}

bool Request::wants_upgrade(std::string_view protocol) const {
    return headers.has_token("Connection", "upgrade") && headers.has_token("Upgrade", protocol);
}

std::string_view Bytes::view() const {
    if (const auto* own = std::get_if<std::string>(&bytes_)) return *own;
    const auto& shared = std::get<std::shared_ptr<const std::string>>(bytes_);
    return shared ? std::string_view(*shared) : std::string_view();
}

size_t Response::body_size() const {
    size_t size = 0;
    for (const Bytes& bytes : body) size += bytes.size();
    return size;
}

std::string_view reason_phrase(int status) {
    switch (status) {
        // clang-format off
        case 100: return "Continue";
        case 101: return "Switching Protocols";
        case 200: return "OK";
        case 201: return "Created";
        case 202: return "Accepted";
        case 204: return "No Content";
        case 301: return "Moved Permanently";
        case 302: return "Found";
        case 303: return "See Other";
        case 304: return "Not Modified";
        case 307: return "Temporary Redirect";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 406: return "Not Acceptable";
        case 408: return "Request Timeout";
        case 409: return "Conflict";
        case 410: return "Gone";
        case 411: return "Length Required";
        case 413: return "Content Too Large";
        case 414: return "URI Too Long";
        case 415: return "Unsupported Media Type";
        case 417: return "Expectation Failed";
        case 422: return "Unprocessable Content";
        case 429: return "Too Many Requests";
        case 431: return "Request Header Fields Too Large";
        case 500: return "Internal Server Error";
        case 501: return "Not Implemented";
        case 503: return "Service Unavailable";
        case 504: return "Gateway Timeout";
        case 505: return "HTTP Version Not Supported";
        // clang-format on
        default:
            return "Unknown";
    }
}

}  // namespace kin::http
