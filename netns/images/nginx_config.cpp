#include "netns/images/nginx_config.h"

#include <re2/re2.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "core/base/strings.h"
#include "netns/images/programs.h"

namespace kin::images::nginx {
namespace {

constexpr int kMaxDepth = 16;

Error emergency(const std::string& what, const std::string& where) {
    return Error(Errc::kInvalid, cat(what, " in ", where));
}

class Parser {
public:
    Parser(std::string_view text, std::string file) : text_(text), file_(std::move(file)) {}

    Result<std::vector<Directive>> parse(int depth = 0) {
        std::vector<Directive> out;
        if (depth > kMaxDepth) return emergency("too many blocks", where());
        while (true) {
            TRY_ASSIGN(auto first, next());
            if (first.kind == Kind::kEnd) {
                if (depth > 0) return emergency("unexpected end of file, expecting \"}\"", where());
                return out;
            }
            if (first.kind == Kind::kClose) {
                if (depth == 0) return emergency("unexpected \"}\"", where());
                return out;
            }
            if (first.kind != Kind::kWord) {
                return emergency(cat("unexpected \"", first.text, "\""), where());
            }
            Directive directive{first.text, {}, {}, false, where()};
            TRY(read_rest(directive, depth));
            out.push_back(std::move(directive));
        }
    }

private:
    enum class Kind { kWord, kSemicolon, kOpen, kClose, kEnd };
    struct Token {
        Kind kind = Kind::kEnd;
        std::string text;
    };

    std::string where() const { return cat(file_, ":", line_); }

    Result<> read_rest(Directive& directive, int depth) {
        while (true) {
            TRY_ASSIGN(Token token, next());
            switch (token.kind) {
                case Kind::kWord:
                    directive.args.push_back(std::move(token.text));
                    break;
                case Kind::kSemicolon:
                    return Ok{};
                case Kind::kOpen: {
                    directive.has_block = true;
                    TRY_ASSIGN(directive.block, parse(depth + 1));
                    return Ok{};
                }
                case Kind::kClose:
                    return emergency("unexpected \"}\"", where());
                case Kind::kEnd:
                    return emergency("unexpected end of file, expecting \";\" or \"}\"", where());
            }
        }
    }

    void skip_blanks() {
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (c == '#') {
                at_ = std::min(text_.find('\n', at_), text_.size());
            } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
                line_ += c == '\n' ? 1 : 0;
                ++at_;
            } else {
                return;
            }
        }
    }

    Result<Token> next() {
        skip_blanks();
        if (at_ >= text_.size()) return Token{};
        const char c = text_[at_];
        if (c == ';') return ++at_, Token{Kind::kSemicolon, ";"};
        if (c == '{') return ++at_, Token{Kind::kOpen, "{"};
        if (c == '}') return ++at_, Token{Kind::kClose, "}"};
        if (c == '"' || c == '\'') return quoted(c);
        std::string word;
        for (; at_ < text_.size(); ++at_) {
            const char one = text_[at_];
            // "${name}" belongs to the word.
            const bool variable = one == '{' && word.ends_with('$');
            if (variable) {
                const size_t end = std::min(text_.find('}', at_), text_.size() - 1);
                word += text_.substr(at_, end - at_ + 1);
                at_ = end;
                continue;
            }
            if (std::string_view(" \t\r\n;{").find(one) != std::string_view::npos) break;
            word += one;
        }
        return Token{Kind::kWord, std::move(word)};
    }

    Result<Token> quoted(char quote) {
        std::string word;
        for (++at_; at_ < text_.size(); ++at_) {
            if (text_[at_] == quote) return ++at_, Token{Kind::kWord, std::move(word)};
            line_ += text_[at_] == '\n' ? 1 : 0;
            if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
                ++at_;
                const char escaped = text_[at_];
                if (std::string_view("ntr\\\"'").find(escaped) == std::string_view::npos)
                    word += '\\';
                word += escaped == 'n'   ? '\n'
                        : escaped == 't' ? '\t'
                        : escaped == 'r' ? '\r'
                                         : escaped;
                continue;
            }
            word += text_[at_];
        }
        return emergency("unexpected end of file, expecting a quote", where());
    }

    std::string_view text_;
    std::string file_;
    size_t at_ = 0;
    int line_ = 1;
};

/// Directives that change nothing that a lesson can see here.
bool is_quiet(std::string_view name) {
    static const std::set<std::string_view> kQuiet{"user",
                                                   "worker_processes",
                                                   "pid",
                                                   "error_log",
                                                   "access_log",
                                                   "log_format",
                                                   "sendfile",
                                                   "tcp_nopush",
                                                   "tcp_nodelay",
                                                   "keepalive_timeout",
                                                   "types",
                                                   "types_hash_max_size",
                                                   "charset",
                                                   "server_tokens",
                                                   "worker_connections",
                                                   "gzip",
                                                   "ssl_protocols",
                                                   "ssl_ciphers",
                                                   "ssl_prefer_server_ciphers",
                                                   "ssl_session_cache",
                                                   "ssl_session_timeout",
                                                   "proxy_http_version",
                                                   "proxy_read_timeout",
                                                   "proxy_connect_timeout",
                                                   "proxy_send_timeout",
                                                   "proxy_redirect",
                                                   "proxy_buffering",
                                                   "client_max_body_size",
                                                   "autoindex",
                                                   "resolver",
                                                   "http2",
                                                   "daemon",
                                                   "server_names_hash_bucket_size",
                                                   "include",
                                                   "events",
                                                   "etag",
                                                   "expires"};
    return kQuiet.contains(name);
}

class Compiler {
public:
    explicit Compiler(const Files& files) : files_(files) {}

    Result<Config> compile(const std::string& file) {
        for (const auto& [name, text] : files_(file)) {
            TRY_ASSIGN(const auto directives, Parser(text, name).parse());
            TRY(in_main(directives, 0));
        }
        return std::move(config_);
    }

private:
    void ignore(const std::string& name) {
        auto& names = config_.ignored;
        if (is_quiet(name) || std::find(names.begin(), names.end(), name) != names.end()) return;
        names.push_back(name);
    }

    /// The top of the file and the http block, which differ in nothing that matters here.
    Result<> in_main(const std::vector<Directive>& directives, int depth) {
        for (const Directive& one : directives) {
            if (one.name == "http") {
                TRY(in_main(one.block, depth));
            } else if (one.name == "include" && one.args.size() == 1) {
                TRY(include(one, depth));
            } else if (one.name == "server") {
                TRY(add_server(one));
            } else if (one.name == "upstream" && one.args.size() == 1) {
                for (const Directive& peer : one.block) {
                    if (peer.name != "server" || peer.args.empty()) continue;
                    config_.upstreams[one.args[0]].push_back(peer.args[0]);
                }
            } else if (!read_rule(one, common_)) {
                ignore(one.name);
            }
        }
        return Ok{};
    }

    Result<> include(const Directive& directive, int depth) {
        if (depth > kMaxDepth) return emergency("too many includes", directive.where);
        std::string pattern = directive.args[0];
        if (!pattern.starts_with('/')) pattern = cat("/etc/nginx/", pattern);
        for (const auto& [name, text] : files_(pattern)) {
            TRY_ASSIGN(const auto directives, Parser(text, name).parse());
            TRY(in_main(directives, depth + 1));
        }
        return Ok{};
    }

    Result<> add_server(const Directive& directive) {
        Server server;
        server.rules = common_;
        std::vector<const Directive*> locations;
        for (const Directive& one : directive.block) {
            if (one.name == "listen") {
                TRY(add_listen(one, server));
            } else if (one.name == "server_name") {
                server.names = one.args;
            } else if (one.name == "ssl_certificate" && one.args.size() == 1) {
                server.certificate = one.args[0];
            } else if (one.name == "ssl_certificate_key" && one.args.size() == 1) {
                server.certificate_key = one.args[0];
            } else if (one.name == "location") {
                locations.push_back(&one);
            } else if (!read_rule(one, server.rules)) {
                if (!one.has_block && one.args.empty()) {
                    return emergency(cat("unknown directive \"", one.name, "\""), one.where);
                }
                ignore(one.name);
            }
        }
        // What the server says later in the file holds for its locations, too.
        for (const Directive* location : locations) TRY(add_location(*location, server));
        if (server.listens.empty()) server.listens.push_back({});
        for (const Listen& listen : server.listens) {
            if (listen.tls && server.certificate.empty()) {
                return emergency(
                    "no \"ssl_certificate\" is defined for the \"listen ... ssl\" directive",
                    directive.where);
            }
        }
        config_.servers.push_back(std::move(server));
        return Ok{};
    }

    static Result<> add_listen(const Directive& directive, Server& server) {
        Listen listen;
        if (directive.args.empty()) {
            return emergency("invalid number of arguments in \"listen\" directive",
                             directive.where);
        }
        // "80", "*:80", "127.0.0.1:80", "[::]:80"; every address is listened on.
        const std::string& address = directive.args[0];
        const size_t colon = address.ends_with(']') ? std::string::npos : address.rfind(':');
        const bool only_address = colon == std::string::npos &&
                                  address.find_first_not_of("0123456789") != std::string::npos;
        const auto port = parse_number<uint16_t>(
            colon == std::string::npos ? address : address.substr(colon + 1));
        if (address.starts_with("unix:")) return Ok{};
        if (!only_address && (!port || *port == 0)) {
            return emergency(cat("invalid port in \"", address, "\" of the \"listen\" directive"),
                             directive.where);
        }
        if (!only_address) listen.port = *port;
        for (const std::string& word : directive.args) {
            listen.tls = listen.tls || word == "ssl";
            listen.is_default = listen.is_default || word == "default_server";
        }
        server.listens.push_back(listen);
        return Ok{};
    }

    Result<> add_location(const Directive& directive, Server& server) {
        Location location;
        location.rules = server.rules;
        location.rules.return_status = 0;
        const auto& args = directive.args;
        if (args.empty() || args.size() > 2) {
            return emergency("invalid number of arguments in \"location\" directive",
                             directive.where);
        }
        location.path = args.back();
        if (args.size() == 2) {
            using Match = Location::Match;
            static const std::map<std::string_view, Match> kModifiers{{"=", Match::kExact},
                                                                      {"^~", Match::kFirmPrefix},
                                                                      {"~", Match::kRegex},
                                                                      {"~*", Match::kRegexAnyCase}};
            const auto found = kModifiers.find(args[0]);
            if (found == kModifiers.end()) {
                return emergency(cat("invalid location modifier \"", args[0], "\""),
                                 directive.where);
            }
            location.match = found->second;
        } else if (location.path.starts_with('@')) {
            location.match = Location::Match::kNamed;
        }
        for (const Directive& one : directive.block) {
            if (one.name == "alias" && one.args.size() == 1) {
                location.alias = one.args[0];
            } else if (!read_rule(one, location.rules)) {
                ignore(one.name);
            }
        }
        server.locations.push_back(std::move(location));
        return Ok{};
    }

    /// False for what is no rule.
    static bool read_rule(const Directive& one, Rules& rules) {
        const auto& args = one.args;
        const std::string& name = one.name;
        if (args.empty()) return false;
        if (name == "root") {
            rules.root = args[0];
        } else if (name == "index") {
            rules.index = args;
        } else if (name == "try_files") {
            rules.try_files = args;
        } else if (name == "default_type") {
            rules.default_type = args[0];
        } else if (name == "proxy_pass") {
            rules.proxy_pass = args[0];
            rules.proxy_where = one.where;
        } else if (name == "proxy_set_header" && args.size() == 2) {
            rules.proxy_headers.emplace_back(args[0], args[1]);
        } else if (name == "add_header" && args.size() >= 2) {
            rules.added_headers.emplace_back(args[0], args[1]);
        } else if (name == "error_page" && args.size() >= 2) {
            for (size_t i = 0; i + 1 < args.size(); ++i) {
                rules.error_pages[parse_number<int>(args[i]).value_or(0)] = args.back();
            }
        } else if (name == "return") {
            const auto status = parse_number<int>(args[0]);
            rules.return_status = status ? *status : 302;
            rules.return_text = status ? (args.size() > 1 ? args[1] : "") : args[0];
        } else {
            return false;
        }
        return true;
    }

    const Files& files_;
    Config config_;
    Rules common_;
};

std::string_view without_port(std::string_view host) {
    const size_t colon = host.rfind(':');
    return colon == std::string_view::npos || host.ends_with(']') ? host : host.substr(0, colon);
}

/// How well a host fits: 3 exactly, 2 "*.example.com" or ".example.com", 1 "www.*", 0 not.
int fit_of(const Server& server, std::string_view host) {
    int best = 0;
    for (const std::string_view name : server.names) {
        if (name == host) return 3;
        const std::string_view tail = name.starts_with('*') ? name.substr(1) : name;
        if (tail.starts_with('.') && host.ends_with(tail)) best = std::max(best, 2);
        if (name.starts_with('.') && host == name.substr(1)) best = std::max(best, 2);
        if (name.ends_with(".*") && host.starts_with(name.substr(0, name.size() - 1))) {
            best = std::max(best, 1);
        }
    }
    return best;
}

bool matches(const Location& location, const std::string& path) {
    switch (location.match) {
        case Location::Match::kExact:
            return path == location.path;
        case Location::Match::kPrefix:
        case Location::Match::kFirmPrefix:
            return path.starts_with(location.path);
        case Location::Match::kNamed:
            return false;
        case Location::Match::kRegex:
        case Location::Match::kRegexAnyCase:
            break;
    }
    RE2::Options options(RE2::Quiet);
    options.set_case_sensitive(location.match == Location::Match::kRegex);
    return RE2::PartialMatch(path, RE2(location.path, options));
}

std::string value_of(std::string_view name, const HttpRequest& request, const Server& server) {
    const std::string host = to_lower(without_port(request.header("Host")));
    if (name == "host") {
        return host.empty() && !server.names.empty() ? server.names[0] : host;
    }
    if (name == "remote_addr") return request.peer_address;
    if (name == "remote_port") return cat(request.peer_port);
    if (name == "request_uri") return request.target;
    if (name == "uri" || name == "document_uri") return request.path;
    if (name == "args" || name == "query_string") return request.query;
    if (name == "is_args") return request.query.empty() ? "" : "?";
    if (name == "request_method") return request.method;
    if (name == "scheme") return request.tls ? "https" : "http";
    if (name == "server_port") return cat(request.local_port);
    if (name == "server_name") return server.names.empty() ? "" : server.names[0];
    if (name == "server_protocol") return cat("HTTP/1.", request.minor_version);
    if (name == "hostname") return host_name();
    if (name == "proxy_add_x_forwarded_for") {
        const std::string_view before = request.header("X-Forwarded-For");
        return before.empty() ? request.peer_address : cat(before, ", ", request.peer_address);
    }
    if (name.starts_with("http_")) {
        std::string header(name.substr(5));
        std::replace(header.begin(), header.end(), '_', '-');
        return std::string(request.header(header));
    }
    if (name.starts_with("arg_")) return request.parameter(name.substr(4)).value_or("");
    return "";
}

}  // namespace

Result<std::vector<Directive>> parse_directives(std::string_view text, const std::string& file) {
    return Parser(text, file).parse();
}

Result<Config> read_config(const std::string& file, const Files& files) {
    return Compiler(files).compile(file);
}

const Server* server_for(const Config& config, uint16_t port, std::string_view host) {
    const std::string name = to_lower(without_port(host));
    const Server* otherwise = nullptr;
    const Server* best = nullptr;
    int best_fit = 0;
    for (const Server& server : config.servers) {
        const auto listen = std::find_if(server.listens.begin(), server.listens.end(),
                                         [&](const Listen& one) { return one.port == port; });
        if (listen == server.listens.end()) continue;
        if (!otherwise || listen->is_default) otherwise = &server;
        const int fit = fit_of(server, name);
        if (fit > best_fit) {
            best_fit = fit;
            best = &server;
        }
    }
    return best ? best : otherwise;
}

const Location* location_for(const Server& server, const std::string& path) {
    const Location* longest = nullptr;
    for (const Location& location : server.locations) {
        using Match = Location::Match;
        if (location.match == Match::kExact && matches(location, path)) return &location;
        const bool prefix =
            location.match == Match::kPrefix || location.match == Match::kFirmPrefix;
        if (!prefix || !matches(location, path)) continue;
        if (!longest || location.path.size() > longest->path.size()) longest = &location;
    }
    if (longest && longest->match == Location::Match::kFirmPrefix) return longest;
    for (const Location& location : server.locations) {
        const bool regex = location.match == Location::Match::kRegex ||
                           location.match == Location::Match::kRegexAnyCase;
        if (regex && matches(location, path)) return &location;
    }
    return longest;
}

const Location* named_location(const Server& server, std::string_view name) {
    for (const Location& location : server.locations) {
        if (location.match == Location::Match::kNamed && location.path == name) return &location;
    }
    return nullptr;
}

std::string expand(std::string_view text, const HttpRequest& request, const Server& server) {
    std::string out;
    for (size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '$') {
            out += text[at];
            continue;
        }
        const bool braces = text.substr(at + 1).starts_with('{');
        size_t end = at + 1 + (braces ? 1 : 0);
        const size_t start = end;
        const auto in_name = [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   c == '_';
        };
        while (end < text.size() && in_name(text[end])) ++end;
        out += value_of(text.substr(start, end - start), request, server);
        at = braces && end < text.size() && text[end] == '}' ? end : end - 1;
    }
    return out;
}

}  // namespace kin::images::nginx
