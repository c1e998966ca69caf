#include "netns/images/http.h"

#include <strings.h>

#include <ctime>

#include "core/base/strings.h"

namespace kin::images {
namespace {

bool same_name(std::string_view a, std::string_view b) {
    return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

/// RFC 9110 section 5.6.2.
bool is_token(std::string_view text) {
    constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
    for (const char c : text) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && kMarks.find(c) == std::string_view::npos) {
            return false;
        }
    }
    return !text.empty();
}

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

HttpParse invalid(int status) {
    HttpParse parse;
    parse.state = HttpParse::State::kInvalid;
    parse.error_status = status;
    return parse;
}

/// 0, or the status to refuse the line with.
int parse_request_line(std::string_view line, HttpRequest& request) {
    const size_t first = line.find(' ');
    const size_t last = line.rfind(' ');
    if (first == std::string_view::npos || first == last) return 400;
    request.method = line.substr(0, first);
    std::string_view target = line.substr(first + 1, last - first - 1);
    const std::string_view version = line.substr(last + 1);
    if (!is_token(request.method)) return 400;
    if (!version.starts_with("HTTP/")) return 400;
    if (version != "HTTP/1.1" && version != "HTTP/1.0") return 505;
    request.minor_version = version.back() - '0';
    // A proxy's form: "GET http://host/path".
    if (target.starts_with("http://")) {
        const size_t slash = target.find('/', 7);
        target = slash == std::string_view::npos ? "/" : target.substr(slash);
    }
    if (target == "*" && request.method == "OPTIONS") target = "/";
    if (!target.starts_with('/')) return 400;
    for (const char c : target) {
        if (static_cast<unsigned char>(c) <= ' ' || c == 0x7f) return 400;
    }
    request.target = target;
    target = target.substr(0, target.find('#'));
    const size_t mark = target.find('?');
    if (mark != std::string_view::npos) request.query = target.substr(mark + 1);
    const auto path = percent_decode(target.substr(0, mark), false);
    if (!path || path->find('\0') != std::string::npos) return 400;
    request.path = *path;
    return 0;
}

int parse_header(std::string_view line, HttpRequest& request) {
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return 400;
    const std::string_view value = trim(line.substr(colon + 1));
    if (value.find_first_of(std::string_view("\0\r\n", 3)) != std::string_view::npos) return 400;
    if (request.headers.size() == kMaxHeaders) return 431;
    request.headers.emplace_back(line.substr(0, colon), value);
    return 0;
}

size_t count_of(const HttpRequest& request, std::string_view name) {
    size_t count = 0;
    for (const auto& header : request.headers) count += same_name(header.first, name);
    return count;
}

/// Takes a chunked body off the front of `bytes`. Incomplete: `state` says so.
HttpParse::State take_chunks(std::string_view bytes, std::string& body, size_t& consumed) {
    using State = HttpParse::State;
    size_t at = 0;
    while (true) {
        const size_t line_end = bytes.find("\r\n", at);
        if (line_end == std::string_view::npos) {
            return bytes.size() - at > 256 ? State::kInvalid : State::kIncomplete;
        }
        const std::string_view line = bytes.substr(at, std::min(line_end - at, size_t{256}));
        size_t size = 0, digits = 0;
        for (const char c : line.substr(0, line.find(';'))) {
            if (hex_value(c) < 0 || ++digits > 7) return State::kInvalid;
            size = size * 16 + static_cast<size_t>(hex_value(c));
        }
        if (digits == 0 || body.size() + size > kMaxBody) return State::kInvalid;
        at = line_end + 2;
        if (size == 0) break;
        if (bytes.size() < at + size + 2) return State::kIncomplete;
        if (bytes.substr(at + size, 2) != "\r\n") return State::kInvalid;
        body.append(bytes.substr(at, size));
        at += size + 2;
    }
    // Trailers are read over.
    while (true) {
        const size_t line_end = bytes.find("\r\n", at);
        if (line_end == std::string_view::npos) {
            return bytes.size() - at > kMaxHead ? State::kInvalid : State::kIncomplete;
        }
        const bool last = line_end == at;
        at = line_end + 2;
        if (last) break;
    }
    consumed = at;
    return State::kRequest;
}

void decide_keep_alive(HttpRequest& request) {
    const std::string connection = to_lower(request.header("Connection"));
    request.keep_alive = request.minor_version == 1
                             ? connection.find("close") == std::string::npos
                             : connection.find("keep-alive") != std::string::npos;
}

HttpParse parse_body(std::string_view rest, size_t head_size, HttpParse parse) {
    HttpRequest& request = parse.request;
    const std::string_view length_text = request.header("Content-Length");
    const std::string_view coding = request.header("Transfer-Encoding");
    const bool has_coding = count_of(request, "Transfer-Encoding") > 0;
    if (count_of(request, "Content-Length") > 1) return invalid(400);
    parse.wants_continue = same_name(request.header("Expect"), "100-continue");
    if (has_coding) {
        if (count_of(request, "Content-Length") > 0) return invalid(400);
        if (!same_name(coding, "chunked")) return invalid(501);
        size_t consumed = 0;
        parse.state = take_chunks(rest, request.body, consumed);
        if (parse.state == HttpParse::State::kInvalid) return invalid(400);
        parse.consumed = head_size + consumed;
        return parse;
    }
    uint64_t length = 0;
    if (count_of(request, "Content-Length") == 1) {
        const auto number = parse_number<uint64_t>(length_text);
        if (!number) return invalid(400);
        if (*number > kMaxBody) return invalid(413);
        length = *number;
    }
    if (rest.size() < length) return parse;
    request.body = rest.substr(0, length);
    parse.consumed = head_size + length;
    parse.state = HttpParse::State::kRequest;
    return parse;
}

}  // namespace

std::string_view HttpRequest::header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
        if (same_name(key, name)) return value;
    }
    return {};
}

std::optional<std::string> HttpRequest::parameter(std::string_view name) const {
    for (const std::string_view pair : split(query, '&')) {
        const size_t equals = pair.find('=');
        const auto key = percent_decode(pair.substr(0, equals), true);
        if (!key || *key != name) continue;
        if (equals == std::string_view::npos) return "";
        return percent_decode(pair.substr(equals + 1), true);
    }
    return {};
}

HttpResponse HttpResponse::text(std::string body, std::string_view type) {
    HttpResponse response;
    response.headers.emplace_back("Content-Type", type);
    response.body = std::move(body);
    return response;
}

HttpResponse HttpResponse::error(int status) {
    HttpResponse response = text(cat(status, " ", reason_phrase(status), "\n"));
    response.status = status;
    return response;
}

HttpParse parse_http(std::string_view bytes) {
    HttpParse parse;
    size_t at = 0;
    // Empty lines before a request are read over (RFC 9112 section 2.2).
    while (bytes.substr(at).starts_with("\r\n")) at += 2;
    const size_t head_end = bytes.find("\r\n\r\n", at);
    if (head_end == std::string_view::npos || head_end - at > kMaxHead) {
        if (bytes.size() - at <= kMaxHead) return parse;
        return invalid(bytes.find("\r\n", at) < at + kMaxHead ? 431 : 414);
    }
    const std::string_view head = bytes.substr(at, head_end - at);
    bool first = true;
    for (size_t line_start = 0; line_start <= head.size();) {
        size_t line_end = head.find("\r\n", line_start);
        if (line_end == std::string_view::npos) line_end = head.size();
        const std::string_view line = head.substr(line_start, line_end - line_start);
        const int status =
            first ? parse_request_line(line, parse.request) : parse_header(line, parse.request);
        if (status != 0) return invalid(status);
        first = false;
        line_start = line_end + 2;
    }
    if (parse.request.minor_version == 1 && count_of(parse.request, "Host") != 1) {
        return invalid(400);
    }
    decide_keep_alive(parse.request);
    return parse_body(bytes.substr(head_end + 4), head_end + 4, std::move(parse));
}

std::string serialize(const HttpResponse& response, const HttpRequest& request,
                      std::string_view server) {
    const bool has_body = response.status != 204 && response.status != 304;
    std::string out =
        cat("HTTP/1.1 ", response.status, " ", reason_phrase(response.status), "\r\n");
    if (!server.empty()) out += cat("Server: ", server, "\r\n");
    out += cat("Date: ", http_date(std::time(nullptr)), "\r\n");
    for (const auto& [name, value] : response.headers) out += cat(name, ": ", value, "\r\n");
    if (has_body) out += cat("Content-Length: ", response.body.size(), "\r\n");
    const bool close = response.close || !request.keep_alive;
    out += cat("Connection: ", close ? "close" : "keep-alive", "\r\n\r\n");
    if (has_body && request.method != "HEAD") out += response.body;
    return out;
}

std::string_view reason_phrase(int status) {
    switch (status) {
        // clang-format off
        case 200: return "OK";
        case 201: return "Created";
        case 202: return "Accepted";
        case 204: return "No Content";
        case 301: return "Moved Permanently";
        case 302: return "Found";
        case 304: return "Not Modified";
        case 307: return "Temporary Redirect";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Not Allowed";
        case 412: return "Precondition Failed";
        case 413: return "Request Entity Too Large";
        case 414: return "Request-URI Too Large";
        case 418: return "I'm a teapot";
        case 429: return "Too Many Requests";
        case 431: return "Request Header Fields Too Large";
        case 500: return "Internal Server Error";
        case 501: return "Not Implemented";
        case 502: return "Bad Gateway";
        case 503: return "Service Unavailable";
        case 504: return "Gateway Timeout";
        case 505: return "HTTP Version Not Supported";
        default: return "Status";
            // clang-format on
    }
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_blank) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+' && plus_is_blank) {
            out += ' ';
        } else if (text[i] != '%') {
            out += text[i];
        } else {
            if (i + 2 >= text.size()) return {};
            const int high = hex_value(text[i + 1]);
            const int low = hex_value(text[i + 2]);
            if (high < 0 || low < 0) return {};
            out += static_cast<char>(high * 16 + low);
            i += 2;
        }
    }
    return out;
}

std::string http_date(int64_t unix_seconds) {
    const std::time_t time = unix_seconds;
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    char text[64];
    std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return text;
}

std::string escape_html(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

}  // namespace kin::images
