#include "netns/images/nginx_config.h"

#include <algorithm>
#include <set>

#include "core/base/strings.h"
#include "netns/images/programs.h"

namespace kin::images {
namespace {

constexpr const char* kDefaultRoot = "/usr/share/nginx/html";

/// A directive: its words, and what stands in its braces.
struct Directive {
    std::vector<std::string> words;
    std::vector<Directive> block;
    int line = 0;
};

/// Reads words, quotes, comments and braces as nginx does.
class Reader {
public:
    Reader(std::string_view file, std::string_view text) : file_(file), text_(text) {}

    Result<std::vector<Directive>> read(bool inside) {
        std::vector<Directive> out;
        Directive now;
        while (skip_blanks()) {
            const char c = text_[at_];
            if (c == ';' || c == '{' || c == '}') ++at_;
            if (c == ';' || c == '{') {
                if (now.words.empty()) return failure(cat("unexpected \"", c, '"'));
                if (c == '{') {
                    TRY_ASSIGN(now.block, read(true));
                }
                out.push_back(std::exchange(now, {}));
            } else if (c == '}') {
                if (!inside || !now.words.empty()) return failure("unexpected \"}\"");
                return out;
            } else {
                if (now.words.empty()) now.line = line_;
                TRY_ASSIGN(std::string word, read_word());
                now.words.push_back(std::move(word));
            }
        }
        if (inside) return failure("unexpected end of file, expecting \"}\"");
        if (!now.words.empty()) {
            return failure("unexpected end of file, expecting \";\" or \"}\"");
        }
        return out;
    }

private:
    Error failure(const std::string& what) const {
        return Error(Errc::kInvalid, cat(what, " in ", file_, ':', line_));
    }
    bool skip_blanks() {
        for (; at_ < text_.size(); ++at_) {
            if (text_[at_] == '#') {
                at_ = std::min(text_.find('\n', at_), text_.size());
                if (at_ == text_.size()) return false;
            }
            if (text_[at_] == '\n') ++line_;
            if (std::string_view(" \t\r\n").find(text_[at_]) == std::string_view::npos) return true;
        }
        return false;
    }
    Result<std::string> read_word() {
        const char quote = text_[at_] == '"' || text_[at_] == '\'' ? text_[at_++] : '\0';
        std::string word;
        for (; at_ < text_.size(); ++at_) {
            const char c = text_[at_];
            const bool variable = c == '{' && word.ends_with('$');  // ${name}
            if (quote ? c == quote
                      : !variable &&
                            std::string_view(" \t\r\n;{").find(c) != std::string_view::npos) {
                if (quote) ++at_;
                return word;
            }
            if (c == '\n') ++line_;
            word += c == '\\' && at_ + 1 < text_.size() ? escaped() : c;
        }
        if (quote) return failure("unexpected end of file");
        return word;
    }
    char escaped() {
        const char c = text_[++at_];
        return c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
    }

    const std::string_view file_, text_;
    size_t at_ = 0;
    int line_ = 1;
};

/// What is allowed and changes nothing that a client of this lab could see.
bool changes_nothing(std::string_view name) {
    static const std::set<std::string_view> kQuiet{"index",
                                                   "access_log",
                                                   "error_log",
                                                   "error_page",
                                                   "server_tokens",
                                                   "sendfile",
                                                   "keepalive_timeout",
                                                   "charset",
                                                   "tcp_nopush",
                                                   "client_max_body_size",
                                                   "gzip",
                                                   "ssl_protocols",
                                                   "ssl_ciphers",
                                                   "ssl_session_cache",
                                                   "ssl_session_timeout",
                                                   "ssl_prefer_server_ciphers",
                                                   "log_format",
                                                   "include",
                                                   "types"};
    return kQuiet.contains(name);
}

/// "80", "8080 default_server", "[::]:80", "10.0.0.1:81": the port.
std::optional<uint16_t> port_of(std::string_view listen) {
    if (const size_t colon = listen.rfind(':'); colon != std::string_view::npos) {
        listen.remove_prefix(colon + 1);
    }
    const auto port = parse_number<uint16_t>(listen);
    return port && *port != 0 ? port : std::nullopt;
}

/// Turns directives into servers, noting what it passes over.
class Builder {
public:
    Builder(NginxConfig& config, std::string_view file) : config_(config), file_(file) {}

    Result<> add(const std::vector<Directive>& directives) {
        for (const Directive& directive : directives) {
            if (directive.words[0] == "http") {
                TRY(add(directive.block));
            } else if (directive.words[0] == "server") {
                TRY(add_server(directive));
            } else if (!changes_nothing(directive.words[0])) {
                pass_over(directive);
            }
        }
        return Ok{};
    }

private:
    Result<> add_server(const Directive& from) {
        NginxServer server;
        server.base.root = kDefaultRoot;
        for (const Directive& directive : from.block) {
            const auto& words = directive.words;
            if (words[0] == "listen") {
                TRY(listen(server, directive));
            } else if (words[0] == "server_name") {
                server.names.assign(words.begin() + 1, words.end());
            } else if (words[0] == "ssl_certificate" && words.size() > 1) {
                server.certificate = words[1];
            } else if (words[0] == "ssl_certificate_key" && words.size() > 1) {
                server.key = words[1];
            } else if (words[0] != "location") {
                TRY(set(server.base, directive));
            }
        }
        // Behind all else, whatever the order: locations start from the server's own settings.
        for (const Directive& directive : from.block) {
            if (directive.words[0] == "location") TRY(add_location(server, directive));
        }
        const bool listens = std::ranges::any_of(
            from.block, [](const Directive& each) { return each.words[0] == "listen"; });
        if (!listens) server.ports.push_back(80);
        if (!server.tls_ports.empty() && (server.certificate.empty() || server.key.empty())) {
            return Error(Errc::kInvalid,
                         cat("no \"ssl_certificate\" is defined for the \"listen ... ssl\" "
                             "directive in ",
                             file_, ':', from.line));
        }
        config_.servers.push_back(std::move(server));
        return Ok{};
    }
    Result<> listen(NginxServer& server, const Directive& directive) {
        const auto& words = directive.words;
        const auto port = words.size() > 1 ? port_of(words[1]) : std::nullopt;
        if (!port) return failure(directive, "invalid parameter");
        const bool tls = std::ranges::find(words, "ssl") != words.end();
        auto& ports = tls ? server.tls_ports : server.ports;
        if (std::ranges::find(ports, *port) == ports.end()) ports.push_back(*port);
        return Ok{};
    }
    Result<> add_location(NginxServer& server, const Directive& directive) {
        const auto& words = directive.words;
        if (words.size() < 2) return failure(directive, "invalid number of arguments");
        const std::string how = words.size() > 2 ? words[1] : "";
        if (how == "~" || how == "~*") {
            pass_over(directive);
            return Ok{};
        }
        NginxLocation location = server.base;
        location.path = words.back();
        location.exact = how == "=";
        for (const Directive& inner : directive.block) TRY(set(location, inner));
        server.locations.push_back(std::move(location));
        return Ok{};
    }
    Result<> set(NginxLocation& location, const Directive& directive) {
        const auto& words = directive.words;
        const std::string value = words.size() > 1 ? words[1] : "";
        if (words[0] == "return") return set_return(location, directive);
        // "$uri $uri/ =404" is what happens anyway.
        if (words[0] == "try_files" && words.back() == "=404") return Ok{};
        if (words[0] == "root") {
            location.root = value;
        } else if (words[0] == "alias") {
            location.alias = value;
        } else if (words[0] == "default_type") {
            location.default_type = value;
        } else if (words[0] == "add_header" && words.size() > 2) {
            location.headers.emplace_back(value, words[2]);
        } else if (!changes_nothing(words[0])) {
            pass_over(directive);
        }
        return Ok{};
    }
    Result<> set_return(NginxLocation& location, const Directive& directive) {
        const auto& words = directive.words;
        if (words.size() < 2) return failure(directive, "invalid number of arguments");
        const auto code = parse_number<int>(words[1]);
        if (!code && words[1].find("://") == std::string::npos) {
            return failure(directive, "invalid return code");
        }
        location.code = code.value_or(302);
        location.text = !code ? words[1] : words.size() > 2 ? words[2] : "";
        return Ok{};
    }
    Error failure(const Directive& directive, std::string_view what) const {
        return Error(Errc::kInvalid, cat(what, " in \"", directive.words[0], "\" directive in ",
                                         file_, ':', directive.line));
    }
    void pass_over(const Directive& directive) {
        config_.warnings.push_back(cat("\"", join(directive.words, " "),
                                       "\" is not acted on in this lab, in ", file_, ':',
                                       directive.line));
    }

    NginxConfig& config_;
    const std::string_view file_;
};

std::string value_of(std::string_view name, const HttpRequest& request) {
    if (name == "remote_addr") return request.peer_address;
    if (name == "remote_port") return cat(request.peer_port);
    if (name == "server_port") return cat(request.local_port);
    if (name == "request_method") return request.method;
    if (name == "request_uri") return request.target;
    if (name == "uri" || name == "document_uri") return request.path;
    if (name == "args" || name == "query_string") return request.query;
    if (name == "scheme") return request.tls ? "https" : "http";
    if (name == "hostname") return host_name();
    if (name == "time_local") return log_time();
    if (name == "host" || name == "server_name") {
        const std::string_view host = request.header("Host");
        return std::string(host.substr(0, host.find(':')));
    }
    if (name.starts_with("http_")) {
        std::string header(name.substr(5));
        std::ranges::replace(header, '_', '-');
        return std::string(request.header(header));
    }
    return "";
}

bool is_redirect(int code) {
    return code == 301 || code == 302 || code == 303 || code == 307 || code == 308;
}

HttpResponse said(const NginxLocation& location, const HttpRequest& request) {
    HttpResponse response;
    response.status = location.code;
    const std::string text = expand_nginx(location.text, request);
    if (is_redirect(location.code)) {
        response.headers.emplace_back("Location", text);
    } else if (!text.empty()) {
        response.headers.emplace_back("Content-Type", location.default_type.empty()
                                                          ? "application/octet-stream"
                                                          : location.default_type);
        response.body = text;
    }
    return response;
}

}  // namespace

NginxConfig default_nginx_config(uint16_t port) {
    NginxServer server;
    server.ports = {port};
    server.base.root = kDefaultRoot;
    NginxConfig config;
    config.servers.push_back(std::move(server));
    return config;
}

Result<> NginxConfig::add_file(const std::string& name, std::string_view text) {
    TRY_ASSIGN(const auto directives, Reader(name, text).read(false));
    return Builder(*this, name).add(directives);
}

std::vector<uint16_t> NginxConfig::ports() const {
    std::set<uint16_t> all;
    for (const NginxServer& server : servers) all.insert(server.ports.begin(), server.ports.end());
    return {all.begin(), all.end()};
}

std::map<uint16_t, const NginxServer*> NginxConfig::tls_ports() const {
    std::map<uint16_t, const NginxServer*> first;
    for (const NginxServer& server : servers) {
        for (const uint16_t port : server.tls_ports) first.emplace(port, &server);
    }
    return first;
}

const NginxServer* NginxConfig::server_of(const HttpRequest& request) const {
    const std::string host = value_of("host", request);
    const NginxServer* first = nullptr;
    for (const NginxServer& server : servers) {
        const auto& ports = request.tls ? server.tls_ports : server.ports;
        if (std::ranges::find(ports, request.local_port) == ports.end()) continue;
        if (std::ranges::find(server.names, host) != server.names.end()) return &server;
        if (!first) first = &server;
    }
    return first;
}

const NginxLocation& location_of(const NginxServer& server, std::string_view path) {
    const NginxLocation* best = nullptr;
    for (const NginxLocation& location : server.locations) {
        if (location.exact) {
            if (location.path == path) return location;
        } else if (path.starts_with(location.path) &&
                   (!best || location.path.size() > best->path.size())) {
            best = &location;
        }
    }
    return best ? *best : server.base;
}

std::string expand_nginx(std::string_view text, const HttpRequest& request) {
    std::string out;
    while (!text.empty()) {
        const size_t dollar = text.find('$');
        out += text.substr(0, dollar);
        if (dollar == std::string_view::npos) break;
        text.remove_prefix(dollar + 1);
        const bool braced = text.starts_with('{');
        if (braced) text.remove_prefix(1);
        const size_t end =
            std::min(text.find_first_not_of(
                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"),
                     text.size());
        out += end == 0 ? "$" : value_of(text.substr(0, end), request);
        text.remove_prefix(end);
        if (braced && text.starts_with('}')) text.remove_prefix(1);
    }
    return out;
}

HttpResponse nginx_answer(const NginxConfig& config, const HttpRequest& request,
                          const NginxFiles& file) {
    const NginxServer* server = config.server_of(request);
    if (!server) return HttpResponse::error(404);
    const NginxLocation& location = location_of(*server, request.path);
    HttpResponse response;
    if (location.code != 0) {
        response = said(location, request);
    } else if (!location.alias.empty() && request.path.starts_with(location.path)) {
        HttpRequest below = request;
        below.path = cat('/', request.path.substr(location.path.size()));
        response = file(location.alias, below);
    } else {
        response = file(location.root, request);
    }
    if (response.status < 400) {
        for (const auto& [name, value] : location.headers) {
            response.headers.emplace_back(name, expand_nginx(value, request));
        }
    }
    return response;
}

}  // namespace kin::images
