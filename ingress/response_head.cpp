#include "ingress/response_head.h"

#include <algorithm>

#include "core/base/strings.h"
#include "core/http/head.h"

namespace kin::ingress {

namespace {
constexpr size_t kMaxFields = 256;

std::string_view take_line(std::string_view& text) {
    const size_t lf = text.find('\n');
    std::string_view line = text.substr(0, lf);
    text.remove_prefix(lf == std::string_view::npos ? text.size() : lf + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

bool read_status_line(std::string_view line, ResponseHead& head) {
    // "HTTP/1.1 200 OK"; the reason may be missing, with or without the blank before it.
    if (line.size() < 12 || !line.starts_with("HTTP/1.") || line[8] != ' ') return false;
    if (line[7] < '0' || line[7] > '9') return false;
    const auto status = parse_number<int>(line.substr(9, 3));
    if (!status || *status < 100 || *status > 599) return false;
    if (line.size() > 12 && line[12] != ' ') return false;
    head.minor_version = line[7] == '0' ? 0 : 1;
    head.status = *status;
    head.reason = line.size() > 13 ? line.substr(13) : std::string_view();
    return std::all_of(head.reason.begin(), head.reason.end(), http::is_value_char);
}

/// "" if the fields say clearly where the body ends, else why not.
std::string_view read_framing(ResponseHead& head) {
    bool has_length = false, has_coding = false;
    for (const auto& [name, value] : head.fields) {
        const Field field = classify(name);
        if (field == Field::kContentLength) {
            const auto length = parse_number<uint64_t>(value);
            if (!length || has_length) return "Content-Length is not one number";
            head.length_bytes = *length;
            has_length = true;
        } else if (field == Field::kTransferEncoding) {
            if (has_coding || !equal_ignoring_case(value, "chunked"))
                return "only the transfer coding chunked is known";
            has_coding = true;
        }
    }
    if (has_length && has_coding) return "both Transfer-Encoding and Content-Length";
    if (has_coding && head.minor_version == 0) return "HTTP/1.0 has no Transfer-Encoding";
    if (has_length) head.framing = Framing::kLength;
    if (has_coding) head.framing = Framing::kChunked;
    return {};
}
}  // namespace

size_t find_response_head(std::string_view received) {
    for (size_t lf = received.find('\n'); lf != std::string_view::npos;
         lf = received.find('\n', lf + 1)) {
        std::string_view rest = received.substr(lf + 1, 2);
        if (rest.starts_with('\n')) return lf + 2;
        if (rest == "\r\n") return lf + 3;
    }
    return 0;
}

std::variant<ResponseHead, std::string_view> read_response(std::string_view text, bool to_head) {
    ResponseHead head;
    if (!read_status_line(take_line(text), head)) return "the status line is malformed";
    while (!text.empty()) {
        const std::string_view line = take_line(text);
        if (line.empty()) break;
        const auto field = parse_field(line);
        if (!field) return "a header field is malformed";
        if (head.fields.size() == kMaxFields) return "there are too many header fields";
        head.fields.emplace_back(field->name, field->value);
    }
    if (const auto why = read_framing(head); !why.empty()) return why;
    const Nominated nominated(head.fields);
    head.keep_alive =
        !nominated.close() && (head.minor_version == 1 || nominated.holds("keep-alive"));
    if (to_head || head.status < 200 || head.status == 204 || head.status == 304)
        head.framing = Framing::kNone;
    if (head.framing == Framing::kUntilClose) head.keep_alive = false;
    return head;
}

ClientSide client_side(const ResponseHead& response, int minor_version, bool keep_alive) {
    ClientSide client{response.framing, minor_version, keep_alive, false, {}};
    if (response.framing == Framing::kUntilClose || response.framing == Framing::kChunked)
        client.framing = minor_version == 0 ? Framing::kUntilClose : Framing::kChunked;
    if (client.framing == Framing::kUntilClose) client.keep_alive = false;
    return client;
}

std::string client_head(const ResponseHead& response, const ClientSide& client) {
    std::string out;
    out.reserve(512);
    const auto add = [&](std::string_view name, std::string_view value) {
        out.append(name).append(": ").append(value).append("\r\n");
    };
    out.append("HTTP/1.1 ").append(std::to_string(response.status));
    out.append(" ").append(response.reason).append("\r\n");
    const Nominated nominated(response.fields);
    if (!response.interim()) add("Server", kServerName);
    if (!client.date.empty() && first_of(response.fields, Field::kDate).empty())
        add("Date", client.date);
    const bool bodiless = response.status < 200 || response.status == 204;
    for (const auto& [name, value] : response.fields) {
        const Field field = classify(name);
        if (field == Field::kServer || field == Field::kTransferEncoding) continue;
        if (field == Field::kStrictTransportSecurity && client.tls) continue;
        if (field == Field::kConnection || field == Field::kKeepAlive) continue;
        if (field == Field::kProxyConnection || field == Field::kTe) continue;
        // The one upgrade that is told is the one that happens.
        if (field == Field::kUpgrade && response.status != 101) continue;
        if (field == Field::kContentLength && bodiless) continue;
        if (field == Field::kUpgrade || !nominated.holds(name)) add(name, value);
    }
    if (client.tls && !response.interim()) add("Strict-Transport-Security", kStrictTransport);
    if (client.framing == Framing::kChunked) add("Transfer-Encoding", "chunked");
    if (response.status == 101) {
        add("Connection", "Upgrade");
    } else if (!response.interim()) {
        add("Connection", client.keep_alive ? "keep-alive" : "close");
    }
    return out.append("\r\n");
}

}  // namespace kin::ingress
