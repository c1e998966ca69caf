#include "netns/images/nginx_proxy.h"

#include <poll.h>
#include <strings.h>
#include <sys/socket.h>

#include <algorithm>

#include "core/base/strings.h"
#include "netns/images/dial.h"

namespace kin::images::nginx {
namespace {

constexpr int kTimeoutMs = 60000;
constexpr size_t kMaxAnswer = 64 << 20;

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
    return std::any_of(names.begin(), names.end(), [&](std::string_view one) {
        return one.size() == name.size() &&
               ::strncasecmp(one.data(), name.data(), name.size()) == 0;
    });
}

}  // namespace

Result<Forward> parse_upstream(const std::string& url) {
    constexpr std::string_view kScheme = "http://";
    if (!url.starts_with(kScheme)) {
        return Error(Errc::kInvalid, cat("invalid URL prefix in \"", url, "\""));
    }
    const std::string_view rest = std::string_view(url).substr(kScheme.size());
    const size_t slash = rest.find('/');
    const std::string_view authority = rest.substr(0, slash);
    const size_t colon = authority.rfind(':');
    Forward out;
    out.host = authority.substr(0, colon);
    out.port = colon == std::string_view::npos ? "80" : std::string(authority.substr(colon + 1));
    if (slash != std::string_view::npos) out.target = rest.substr(slash);
    if (out.host.empty()) return Error(Errc::kInvalid, cat("no host in upstream \"", url, "\""));
    return out;
}

std::string forwarded_text(const HttpRequest& request, const Forward& forward) {
    // HTTP/1.0: the answer's end is the connection's end, and is not chunked.
    std::string out = cat(request.method, ' ', forward.target, " HTTP/1.0\r\n");
    for (const auto& [name, value] : forward.headers) {
        if (!value.empty()) out += cat(name, ": ", value, "\r\n");
    }
    for (const auto& [name, value] : request.headers) {
        if (is_one_of(name, {"Connection", "Keep-Alive", "Content-Length", "Transfer-Encoding",
                             "Expect", "Upgrade"})) {
            continue;
        }
        const bool set = std::any_of(forward.headers.begin(), forward.headers.end(),
                                     [&](const auto& one) { return is_one_of(one.first, {name}); });
        if (!set) out += cat(name, ": ", value, "\r\n");
    }
    if (!request.body.empty()) out += cat("Content-Length: ", request.body.size(), "\r\n");
    return out + cat("Connection: close\r\n\r\n", request.body);
}

Result<HttpResponse> parse_answer(const std::string& bytes) {
    const size_t end = bytes.find("\r\n\r\n");
    if (end == std::string::npos || !bytes.starts_with("HTTP/1.")) {
        return Error(Errc::kInvalid, "upstream sent no valid HTTP/1.0 header");
    }
    HttpResponse out;
    bool first = true;
    for (const std::string_view raw : split(std::string_view(bytes).substr(0, end), '\n')) {
        const std::string_view line = trim(raw);
        if (first) {
            const auto status = parse_number<int>(line.substr(std::min(line.size(), size_t{9}), 3));
            if (!status) return Error(Errc::kInvalid, "upstream sent no valid status line");
            out.status = *status;
            first = false;
            continue;
        }
        const size_t colon = line.find(':');
        if (colon == std::string_view::npos) continue;
        const std::string_view name = line.substr(0, colon);
        // Of this server are those below, whatever the other one says.
        if (is_one_of(name, {"Connection", "Keep-Alive", "Content-Length", "Date", "Server"}))
            continue;
        out.headers.emplace_back(name, trim(line.substr(colon + 1)));
    }
    out.body = bytes.substr(end + 4);
    return out;
}

Result<HttpResponse> forward_to(const Forward& forward, const HttpRequest& request) {
    TRY_ASSIGN(const UniqueFd fd, connect_tcp(forward.host, forward.port, kTimeoutMs));
    const std::string question = forwarded_text(request, forward);
    for (std::string_view left = question; !left.empty();) {
        const ssize_t length = ::send(fd.get(), left.data(), left.size(), MSG_NOSIGNAL);
        if (length < 0) return Error::from_errno("write");
        left.remove_prefix(static_cast<size_t>(length));
    }
    std::string answer;
    char buffer[65536];
    while (answer.size() < kMaxAnswer) {
        pollfd readable{fd.get(), POLLIN, 0};
        if (::poll(&readable, 1, kTimeoutMs) <= 0) return Error::from_errno("read", ETIMEDOUT);
        const ssize_t length = ::recv(fd.get(), buffer, sizeof buffer, 0);
        if (length < 0) return Error::from_errno("read");
        if (length == 0) return parse_answer(answer);
        answer.append(buffer, static_cast<size_t>(length));
    }
    return Error(Errc::kInvalid, "upstream sent too much");
}

}  // namespace kin::images::nginx
