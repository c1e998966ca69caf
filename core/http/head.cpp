#include "core/http/head.h"

#include <array>

#include "core/base/strings.h"
#include "core/http/message.h"

namespace kin::http {

bool is_token_char(char c) {
    // A table, because each byte of each name is asked about.
    static constexpr auto kTable = [] {
        std::array<bool, 256> table{};
        for (int byte = 0; byte < 256; ++byte)
            table[static_cast<size_t>(byte)] = (byte >= '0' && byte <= '9') ||
                                               (byte >= 'a' && byte <= 'z') ||
                                               (byte >= 'A' && byte <= 'Z');
        for (const char mark : std::string_view("!#$%&'*+-.^_`|~"))
            table[static_cast<unsigned char>(mark)] = true;
        return table;
    }();
    return kTable[static_cast<unsigned char>(c)];
}

bool is_value_char(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return c == '\t' || (byte >= 0x20 && byte != 0x7f);
}

namespace {
bool is_token(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}
bool is_value(std::string_view text) {
    return std::all_of(text.begin(), text.end(), is_value_char);
}
bool is_target(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte > 0x20 && byte != 0x7f;
    });
}
std::string_view blanks_off(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

std::optional<Refusal> parse_request_line(std::string_view line, const HeadLimits& limits,
                                          RequestHead& head) {
    const size_t first = line.find(' ');
    const size_t last = line.rfind(' ');
    if (first == std::string_view::npos || first == last)
        return Refusal{400, "the request line is not METHOD TARGET VERSION"};
    head.method = line.substr(0, first);
    head.target = line.substr(first + 1, last - first - 1);
    const std::string_view version = line.substr(last + 1);
    if (!is_token(head.method)) return Refusal{400, "the method is not a token"};
    if (head.target.size() > limits.target_bytes) return Refusal{414, "the target is too long"};
    if (!is_target(head.target)) return Refusal{400, "the target holds blanks or controls"};
    if (version.size() != 8 || !version.starts_with("HTTP/") || version[6] != '.')
        return Refusal{400, "the version is not HTTP/1.1"};
    if (version != "HTTP/1.1" && version != "HTTP/1.0")
        return Refusal{505, "only HTTP/1.1 and HTTP/1.0 are spoken here"};
    head.minor_version = version[7] - '0';
    return {};
}

std::optional<Refusal> parse_field(std::string_view line, const HeadLimits& limits,
                                   RequestHead& head) {
    if (line.size() > limits.field_bytes) return Refusal{431, "a header field is too long"};
    if (head.fields.size() == limits.fields)
        return Refusal{431, "there are too many header fields"};
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return Refusal{400, "a header field has no colon"};
    const std::string_view name = line.substr(0, colon);
    // Also catches folded lines, which begin with a blank, and blanks before the colon.
    if (!is_token(name)) return Refusal{400, "a header name is not a token"};
    const std::string_view value = blanks_off(line.substr(colon + 1));
    if (!is_value(value)) return Refusal{400, "a header value holds control characters"};
    head.fields.emplace_back(name, value);
    return {};
}

/// The fields that say where the body ends and whether the connection lives on.
struct Framing {
    std::vector<std::string_view> lengths, codings, hosts, expectations;
    bool close = false;

    explicit Framing(const RequestHead& head) {
        for (const auto& [name, value] : head.fields) {
            const std::string key = to_lower(name);
            if (key == "content-length") lengths.push_back(value);
            if (key == "transfer-encoding") codings.push_back(value);
            if (key == "host") hosts.push_back(value);
            if (key == "expect") expectations.push_back(value);
            if (key != "connection") continue;
            for (const auto& option : split(value, ',')) close |= to_lower(trim(option)) == "close";
        }
    }
};

std::optional<Refusal> read_body_framing(const Framing& framing, RequestHead& head) {
    if (!framing.codings.empty()) {
        if (head.minor_version == 0) return Refusal{400, "HTTP/1.0 has no Transfer-Encoding"};
        if (!framing.lengths.empty())
            return Refusal{400, "both Transfer-Encoding and Content-Length"};
        if (framing.codings.size() > 1 || to_lower(framing.codings[0]) != "chunked")
            return Refusal{501, "only the transfer coding chunked is known"};
        head.body = RequestHead::Body::kChunked;
    }
    if (framing.lengths.empty()) return {};
    if (framing.lengths.size() > 1) return Refusal{400, "more than one Content-Length"};
    const auto length = parse_number<uint64_t>(framing.lengths[0]);
    if (!length) return Refusal{400, "Content-Length is not a number"};
    head.length_bytes = *length;
    if (*length > 0) head.body = RequestHead::Body::kLength;
    return {};
}

std::optional<Refusal> read_framing(RequestHead& head) {
    const Framing framing(head);
    if (auto refusal = read_body_framing(framing, head)) return refusal;
    if (framing.hosts.size() > 1) return Refusal{400, "more than one Host"};
    if (framing.hosts.empty() && head.minor_version == 1) return Refusal{400, "Host is missing"};
    for (const auto& expectation : framing.expectations)
        if (to_lower(expectation) != "100-continue") return Refusal{417, "unknown expectation"};
    head.expects_continue = !framing.expectations.empty() && head.minor_version == 1;
    head.keep_alive = !framing.close && head.minor_version == 1;
    return {};
}
}  // namespace

std::variant<size_t, Refusal> find_head_end(std::string_view received, const HeadLimits& limits) {
    const std::string_view text = received.substr(0, limits.total_bytes);
    // Told at once, because such a head might never end.
    for (size_t lf = text.find('\n'); lf != std::string_view::npos; lf = text.find('\n', lf + 1)) {
        if (lf == 0 || text[lf - 1] != '\r') return Refusal{400, "a line ends without CR"};
        if (lf >= 3 && text.substr(lf - 3, 4) == "\r\n\r\n") return lf + 1;
    }
    if (received.size() < limits.total_bytes) return size_t{0};
    return Refusal{431, "the head is too long"};
}

std::variant<RequestHead, Refusal> parse_head(std::string_view text, const HeadLimits& limits) {
    RequestHead head;
    if (!text.ends_with("\r\n\r\n")) return Refusal{400, "the head does not end"};
    text.remove_suffix(2);  // Now each line ends in CR LF.
    bool first = true;
    while (!text.empty()) {
        const size_t end = text.find("\r\n");
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end + 2);
        const auto refusal =
            first ? parse_request_line(line, limits, head) : parse_field(line, limits, head);
        if (refusal) return *refusal;
        first = false;
    }
    if (first) return Refusal{400, "there is no request line"};
    if (auto refusal = read_framing(head)) return *refusal;
    return head;
}

std::optional<Refusal> fill_request(const RequestHead& head, Request& request) {
    request.method = head.method;
    request.target = head.target;
    for (const auto& [name, value] : head.fields)
        request.headers.add(std::string(name), std::string(value));
    std::string_view rest = request.target;
    if (rest.starts_with("http://") || rest.starts_with("https://")) {
        // Absolute form, as sent to proxies. Two different hosts would be two truths.
        rest.remove_prefix(rest.find("//") + 2);
        const std::string_view host = rest.substr(0, rest.find_first_of("/?"));
        if (to_lower(host) != to_lower(request.headers.get("Host")))
            return Refusal{400, "the target's host is not the Host field's"};
        rest.remove_prefix(host.size());
        if (rest.empty()) rest = "/";
    }
    if (rest.front() != '/' && rest != "*") return Refusal{400, "the target is not a path"};
    const size_t mark = rest.find('?');
    request.raw_path = rest.substr(0, mark);
    for (const auto& segment : split(request.raw_path, '/')) {
        if (segment.empty()) continue;
        auto decoded = percent_decode(segment);
        if (!decoded) return Refusal{400, "the path holds a broken escape"};
        request.path.push_back(std::move(*decoded));
    }
    auto query = Query::parse(mark == std::string_view::npos ? "" : rest.substr(mark + 1));
    if (!query) return Refusal{400, "the query holds a broken escape"};
    request.query = std::move(*query);
    return {};
}

}  // namespace kin::http
