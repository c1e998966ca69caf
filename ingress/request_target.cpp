#include "ingress/request_target.h"

#include <algorithm>
#include <optional>

#include "core/base/strings.h"
#include "core/http/message.h"
#include "ingress/fields.h"

namespace kin::ingress {

using http::Refusal;

namespace {
bool is_alphanumeric(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_host_name(std::string_view name) {
    if (name.starts_with('[') && name.ends_with(']')) {
        name = name.substr(1, name.size() - 2);
        return !name.empty() &&
               name.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
    }
    return !name.empty() && name.size() <= 255 && std::all_of(name.begin(), name.end(), [](char c) {
        return is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~';
    });
}

/// Splits host and port; false if it is neither a name nor an address.
bool read_host(std::string_view host, RequestTarget& target) {
    target.host = host;
    const size_t bracket = host.rfind(']');
    const size_t colon = host.find(':', bracket == std::string_view::npos ? 0 : bracket);
    target.host_name = host.substr(0, colon);
    if (colon != std::string_view::npos) {
        target.host_port = host.substr(colon + 1);
        if (target.host_port.size() > 5 || !parse_number<uint16_t>(target.host_port)) return false;
    }
    if (!is_host_name(target.host_name)) return false;
    if (target.host_name.size() > 1 && target.host_name.ends_with('.'))
        target.host_name.remove_suffix(1);
    return true;
}

/// "http://host/path" as proxies get it: leaves the path, gives the host.
std::optional<std::string_view> take_authority(std::string_view& raw) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (!equal_ignoring_case(raw.substr(0, scheme.size()), scheme)) continue;
        raw.remove_prefix(scheme.size());
        const std::string_view authority = raw.substr(0, raw.find_first_of("/?"));
        raw.remove_prefix(authority.size());
        return authority;
    }
    return {};
}

std::optional<std::string> decode(std::string_view path) {
    if (path.find('%') == std::string_view::npos) return std::string(path);
    auto decoded = http::percent_decode(path);
    if (decoded && decoded->find('\0') != std::string::npos) return {};
    return decoded;
}

/// Without "." and "..", and with single slashes. Nothing if it leads out of the root.
std::optional<std::string> normalize(std::string path) {
    if (path.find("//") == std::string::npos && path.find("/.") == std::string::npos) return path;
    std::string out;
    std::string_view rest = path;
    bool folder = false;  // Whether the last segment means the folder itself.
    while (!rest.empty()) {
        rest.remove_prefix(1);
        const std::string_view segment = rest.substr(0, rest.find('/'));
        rest.remove_prefix(segment.size());
        folder = segment.empty() || segment == "." || segment == "..";
        if (segment == "..") {
            if (out.empty()) return {};
            out.erase(out.rfind('/'));
        } else if (!folder) {
            out.append("/").append(segment);
        }
    }
    if (folder) out += '/';
    return out;
}
}  // namespace

std::variant<RequestTarget, Refusal> read_target(const http::RequestHead& head) {
    RequestTarget target;
    const std::string_view host = first_of(head.fields, Field::kHost);
    if ((!host.empty() || head.minor_version == 1) && !read_host(host, target))
        return Refusal{400, "Host is no name"};
    std::string_view raw = head.target;
    if (const auto authority = take_authority(raw)) {
        // Two different hosts would be two truths.
        if (!equal_ignoring_case(*authority, host))
            return Refusal{400, "the target's host is not the Host field's"};
        if (raw.empty()) raw = "/";
    }
    if (!raw.starts_with('/')) return Refusal{400, "the target is not a path"};
    if (raw.find_first_of("\\#") != std::string_view::npos)
        return Refusal{400, "the target holds what others read differently"};
    const size_t mark = raw.find('?');
    auto decoded = decode(raw.substr(0, mark));
    if (!decoded) return Refusal{400, "the path holds a broken escape"};
    auto path = normalize(std::move(*decoded));
    if (!path) return Refusal{400, "the path leads out of the root"};
    target.raw = raw;
    target.query = mark == std::string_view::npos ? "" : raw.substr(mark + 1);
    target.path = std::move(*path);
    return target;
}

std::string encode_path(std::string_view path) {
    constexpr std::string_view kAsTheyAre = "-._~!$&'()*+,;=:@/";
    constexpr char kDigits[] = "0123456789ABCDEF";
    std::string out;
    out.reserve(path.size());
    for (const char c : path) {
        if (is_alphanumeric(c) || kAsTheyAre.find(c) != std::string_view::npos) {
            out += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out += '%';
        out += kDigits[byte >> 4];
        out += kDigits[byte & 15];
    }
    return out;
}

}  // namespace kin::ingress
