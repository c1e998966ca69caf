#include "web/door.h"

#include <algorithm>
#include <array>

#include "core/base/assert.h"
#include "core/base/json.h"
#include "core/base/strings.h"

namespace kin::web {

const std::string_view kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

namespace {
constexpr std::array kOwnNames{"127.0.0.1", "localhost"};

http::Response guarded(http::Response response) {
    http::Headers& headers = response.headers;
    headers.add("Content-Security-Policy", std::string(kContentSecurityPolicy));
    headers.add("X-Content-Type-Options", "nosniff");
    headers.add("X-Frame-Options", "DENY");
    headers.add("Referrer-Policy", "no-referrer");
    headers.add("Cross-Origin-Opener-Policy", "same-origin");
    headers.add("Cross-Origin-Resource-Policy", "same-origin");
    if (!headers.has("Cache-Control")) headers.add("Cache-Control", "no-store");
    return response;
}

http::Response refusal(int status, std::string_view why) {
    return guarded({status, "text/plain; charset=utf-8", cat(why, '\n')});
}

/// Methods that change nothing: browsers send them from links, images and other pages.
bool only_reads(const http::Request& request) {
    return request.method == "GET" || request.method == "HEAD";
}

/// What the lab's API would take for the caller's own word on who it is.
bool speaks_of_identity(std::string_view name) {
    const std::string lower = to_lower(name);
    return lower == "authorization" || lower == "cookie" || lower.starts_with("impersonate-") ||
           lower.starts_with("x-remote-");
}
}  // namespace

Door::Door(Options options, Sessions& sessions, Inside inside)
    : options_(std::move(options)), sessions_(sessions), inside_(std::move(inside)) {}

void Door::set_port(uint16_t port) {
    port_ = port;
    // Cookies do not know ports: those of two labs must not replace each other.
    cookie_name_ = cat("kin-", port);
}

bool Door::is_own_host(std::string_view host) const {
    return std::ranges::any_of(kOwnNames,
                               [&](const char* name) { return host == cat(name, ':', port_); });
}

bool Door::is_own_origin(const http::Request& request) const {
    const auto& headers = request.headers;
    // Each of them, should somebody send several.
    const auto all_are = [&](std::string_view name, std::string_view wanted) {
        return std::ranges::all_of(headers.all(name),
                                   [&](std::string_view value) { return value == wanted; });
    };
    // A WebSocket always says its Origin, and that is proof enough.
    const bool socket = request.wants_upgrade("websocket");
    if (!socket && !all_are("Sec-Fetch-Site", "same-origin")) return false;
    if (!headers.has("Origin")) return only_reads(request) && !socket;
    return all_are("Origin", cat("http://", headers.get("Host")));
}

std::string_view Door::cookie_of(const http::Request& request) const {
    for (const std::string_view line : request.headers.all("Cookie")) {
        for (const std::string_view piece : split(line, ';')) {
            const std::string_view pair = trim(piece);
            const size_t equals = pair.find('=');
            if (equals == std::string_view::npos || pair.substr(0, equals) != cookie_name_)
                continue;
            // Another port of this host may have set one of the same name, which comes first.
            if (sessions_.is_cookie(pair.substr(equals + 1))) return pair.substr(equals + 1);
        }
    }
    return {};
}

const Asset* Door::find_asset(std::string_view path) const {
    const auto found = std::ranges::find(options_.assets, path, &Asset::path);
    return found == options_.assets.end() ? nullptr : &*found;
}

http::Response Door::asset(const Asset& found, const http::Request& request) const {
    http::Response response(200, std::string(found.type));
    const std::string etag = cat('"', found.hash, '"');
    response.headers.add("ETag", etag);
    response.headers.add("Vary", "Accept-Encoding");
    // The name of an asset is its content's; the document that names them is asked for each time.
    response.headers.add("Cache-Control", found.path.starts_with("/assets/")
                                              ? "public, max-age=31536000, immutable"
                                              : "no-cache");
    if (request.headers.get("If-None-Match") == etag) {
        response.status = 304;
        return guarded(std::move(response));
    }
    if (request.headers.has_token("Accept-Encoding", "br")) {
        response.headers.add("Content-Encoding", "br");
        response.body.emplace_back(found.brotli);
    } else if (request.headers.has_token("Accept-Encoding", "gzip")) {
        response.headers.add("Content-Encoding", "gzip");
        response.body.emplace_back(found.gzip);
    } else {
        response.body.emplace_back(inflate(found));
    }
    return guarded(std::move(response));
}

http::Response Door::filled(std::string_view page, int status, std::string_view what,
                            std::string_view with) const {
    const Asset* const found = find_asset(page);
    KIN_ASSERT(found != nullptr);
    std::string text = inflate(*found);
    for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at))
        text.replace(at, what.size(), with);
    return guarded({status, std::string(found->type), std::move(text)});
}

http::Response Door::closed(int status) const {
    return filled("/closed.html", status, "{{command}}", cat("kin ui", options_.lab_words));
}

http::Response Door::login(const http::Request& request) {
    const auto cookie = sessions_.cookie_for(request.query.get("code"));
    if (!cookie) return closed(401);
    http::Response response = filled("/login.html", 200, "{{key}}", sessions_.key_of(*cookie));
    const auto life = std::chrono::seconds(Sessions::kCookieLife).count();
    response.headers.add("Set-Cookie", cat(cookie_name_, '=', *cookie, "; Path=/; Max-Age=", life,
                                           "; HttpOnly; SameSite=Strict"));
    return response;
}

std::optional<http::Response> Door::answer(const http::Request& request) {
    if (!is_own_host(request.headers.get("Host")))
        return refusal(421, cat("this is not the page of ", request.headers.get("Host")));
    const bool top = request.path.size() <= 1;
    if (only_reads(request)) {
        if (request.raw_path.starts_with("/assets/")) {
            const Asset* const found = find_asset(request.raw_path);
            return found ? asset(*found, request) : refusal(404, "no such file");
        }
        // A HEAD, as of programs that look at links before people do, would use the code up.
        if (request.method == "GET" && request.raw_path == "/login") return login(request);
    }
    const std::string_view cookie = cookie_of(request);
    if (cookie.empty()) {
        return top && only_reads(request) ? closed(401)
                                          : refusal(401, cat("run kin ui", options_.lab_words));
    }
    if (only_reads(request) && request.raw_path == "/") {
        return asset(*find_asset("/index.html"), request);
    }
    if (!is_own_origin(request)) return refusal(403, "only the page itself may ask");
    const bool proven = request.wants_upgrade("websocket")
                            ? sessions_.use_ticket(cookie, request.query.get(kTicketParameter))
                            : sessions_.is_key(cookie, request.headers.get(kKeyHeader));
    if (!proven) return refusal(403, "only the page itself may ask");
    if (request.method == "POST" && request.raw_path == "/kin/v1/ticket") {
        return guarded(
            {200, "application/json", to_text(Json{{"ticket", sessions_.new_ticket(cookie)}})});
    }
    return {};
}

void Door::handle(http::Request& request, http::Responder& responder) {
    if (auto said = answer(request)) return responder.send(std::move(*said));
    http::Headers kept;
    for (const auto& [name, value] : request.headers)
        if (!speaks_of_identity(name)) kept.add(name, value);
    request.headers = std::move(kept);
    // The session is the lab's owner: as if it came over the owner's socket.
    request.peer = {.door = http::Peer::Door::kUnix, .uid = {}, .certificate = {}, .address = {}};
    inside_(request, responder);
}

}  // namespace kin::web
