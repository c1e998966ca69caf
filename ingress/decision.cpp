#include "ingress/decision.h"

#include "core/base/strings.h"
#include "core/http/message.h"
#include "ingress/dates.h"
#include "ingress/response_head.h"

namespace kin::ingress {

namespace {
/// "https://host[:port]/path?query". A host that is published on a port of the host machine keeps
/// being reached there.
std::string https_url(const RequestTarget& target, const PublishedPorts& published) {
    std::string out = cat("https://", target.host_name);
    if (published.http != 0 && published.https != 0 &&
        target.host_port == std::to_string(published.http))
        out += cat(":", published.https);
    return out + std::string(target.raw);
}

/// `pattern` with $1 to $9 replaced by what was captured ("" if nothing was).
std::string fill_in(const std::string& pattern, const std::vector<std::string>& captures) {
    std::string out;
    for (size_t i = 0; i < pattern.size(); ++i) {
        const char next = i + 1 < pattern.size() ? pattern[i + 1] : '\0';
        if (pattern[i] != '$' || next < '1' || next > '9') {
            out += pattern[i];
            continue;
        }
        const auto index = static_cast<size_t>(next - '1');
        if (index < captures.size()) out += captures[index];
        ++i;
    }
    return out;
}

std::string rewritten(const std::string& pattern, const std::vector<std::string>& captures,
                      std::string_view query) {
    // Split before captures come in: a '?' that the client wrote escaped begins no query.
    const size_t mark = pattern.find('?');
    std::string path = encode_path(fill_in(pattern.substr(0, mark), captures));
    if (!path.starts_with('/')) path.insert(0, "/");
    std::string own;
    if (mark != std::string::npos) own = encode_path(fill_in(pattern.substr(mark + 1), captures));
    if (own.empty() && query.empty()) return path;
    return cat(path, "?", own, own.empty() || query.empty() ? "" : "&", query);
}

/// `pattern` with $request_uri replaced by what was asked.
std::string redirect_url(const std::string& pattern, std::string_view asked) {
    constexpr std::string_view kVariable = "$request_uri";
    std::string out = pattern;
    for (size_t at = out.find(kVariable); at != std::string::npos;
         at = out.find(kVariable, at + asked.size())) {
        out.replace(at, kVariable.size(), asked);
    }
    return out;
}

/// Whether a request is one of kubectl's or another Kubernetes client's to an API server. Without a
/// kubeconfig they ask localhost:8080, which is where a lab's Ingress can be reached from its machine.
bool is_for_api(const ProxyRequest& request) {
    const std::string_view path = request.target.path;
    const bool api = path == "/api" || path == "/apis" || path.starts_with("/api/") ||
                     path.starts_with("/apis/") || path.starts_with("/openapi/") || path == "/version";
    const std::string_view agent = first_of(request.head.fields, Field::kUserAgent);
    // "kubectl/v1.35.0 (linux/amd64) kubernetes/6645204": as client-go says it.
    return api && agent.find(" kubernetes/") != std::string_view::npos;
}

/// The redirect that a location's options ask for; status 0: none.
Decision redirect(const RouteTable::Match& match, const ProxyRequest& request, Door door,
                  const PublishedPorts& published) {
    Decision decision{match.location, 0, {}, {}};
    const LocationOptions& options = match.location->options;
    const bool has_tls = match.host->certificate != nullptr;
    const RequestTarget& target = request.target;
    if (door == Door::kHttp && !target.host.empty() &&
        (options.force_ssl_redirect || (options.ssl_redirect && has_tls))) {
        decision.status = 308;
        decision.redirect = https_url(target, published);
    } else if (!options.app_root.empty() && target.path == "/") {
        decision.status = 302;
        decision.redirect =
            cat(door == Door::kHttps ? "https://" : "http://", target.host, options.app_root);
    } else if (!options.redirect.empty()) {
        decision.status = options.redirect_code;
        decision.redirect = redirect_url(options.redirect, target.raw);
    }
    return decision;
}
}  // namespace

Decision decide(const RouteTable& routes, const ProxyRequest& request, Door door,
                const PublishedPorts& published) {
    const auto match = routes.find(request.target.host_name, request.target.path);
    if (!match.location) return {nullptr, is_for_api(request) ? kNotTheApi : 404, {}, {}};
    Decision decision = redirect(match, request, door, published);
    if (decision.status != 0) return decision;
    const LocationOptions& options = match.location->options;
    if (options.max_body_bytes != 0 && request.head.length_bytes > options.max_body_bytes)
        decision.status = 413;
    else if (match.location->backend->endpoints.empty())
        decision.status = 503;
    else if (options.rewrite_target.empty())
        decision.target = request.target.raw;
    else
        decision.target = rewritten(options.rewrite_target, match.captures, request.target.query);
    return decision;
}

std::string status_text(int status) {
    struct Word {
        int status;
        std::string_view text;
    };
    static constexpr Word kWords[] = {{301, "Moved Permanently"},
                                      {302, "Found"},
                                      {303, "See Other"},
                                      {307, "Temporary Redirect"},
                                      {308, "Permanent Redirect"},
                                      {400, "Bad Request"},
                                      {404, "Not Found"},
                                      {405, "Not Allowed"},
                                      {408, "Request Time-out"},
                                      {413, "Request Entity Too Large"},
                                      {414, "Request-URI Too Large"},
                                      {417, "Expectation Failed"},
                                      {431, "Request Header Fields Too Large"},
                                      {502, "Bad Gateway"},
                                      {503, "Service Temporarily Unavailable"},
                                      {504, "Gateway Time-out"},
                                      {505, "HTTP Version Not Supported"}};
    for (const Word& word : kWords)
        if (word.status == status) return cat(status, ' ', word.text);
    return cat(status, ' ', http::reason_phrase(status));
}

namespace {
std::string page_body(std::string_view title, std::string_view text) {
    return cat("<html>\r\n<head><title>", title, "</title></head>\r\n<body>\r\n", text,
               "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n");
}
std::string page_body(int status) {
    const std::string text = status_text(status);
    return page_body(text, cat("<center><h1>", text, "</h1></center>\r\n"));
}

constexpr std::string_view kWayToTheApi =
    "this is the Ingress of a lab of kin, not its API. Try: export KUBECONFIG=$(kin kubeconfig)\n";

std::string page_body(const Page& page) {
    return page.status == kNotTheApi ? std::string(kWayToTheApi) : page_body(page.status);
}

std::string page_head(const Page& page, size_t size) {
    std::string out = cat("HTTP/1.1 ", status_text(page.status), "\r\nServer: ", kServerName,
                          "\r\nDate: ", http_date(std::chrono::system_clock::now()),
                          "\r\nContent-Type: ", page.status == kNotTheApi ? "text/plain" : "text/html",
                          "\r\nContent-Length: ", size,
                          "\r\nConnection: ", page.keep_alive ? "keep-alive" : "close", "\r\n");
    if (!page.redirect.empty()) out += cat("Location: ", page.redirect, "\r\n");
    if (page.tls) out += cat("Strict-Transport-Security: ", kStrictTransport, "\r\n");
    return out + "\r\n";
}
}  // namespace

size_t body_bytes(const Page& page) { return page.head_only ? 0 : page_body(page).size(); }

std::string to_text(const Page& page) {
    const std::string body = page_body(page);
    return page_head(page, body.size()) + (page.head_only ? "" : body);
}

std::string plain_http_page() {
    constexpr std::string_view kWhy = "The plain HTTP request was sent to HTTPS port";
    const std::string body = page_body(
        cat("400 ", kWhy),
        cat("<center><h1>400 Bad Request</h1></center>\r\n<center>", kWhy, "</center>\r\n"));
    return page_head({.status = 400, .redirect = "", .keep_alive = false}, body.size()) + body;
}

}  // namespace kin::ingress
