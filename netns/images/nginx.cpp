// nginx: its configuration from /etc/nginx, files, redirects, TLS and passing on, with its logs and
// error pages.
#include <glob.h>
#include <netdb.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <set>
#include <sstream>

#include "core/base/strings.h"
#include "netns/images/nginx_config.h"
#include "netns/images/nginx_proxy.h"
#include "netns/images/programs.h"
#include "netns/images/service.h"

namespace kin::images {
namespace {

using nginx::Config;
using nginx::Location;
using nginx::Rules;
using nginx::Server;

constexpr const char* kConfigFile = "/etc/nginx/nginx.conf";
constexpr int kMaxRedirects = 5;

std::string error_log_time() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    char text[64];
    std::strftime(text, sizeof text, "%Y/%m/%d %H:%M:%S", &parts);
    return text;
}

void log_at(std::string_view level, std::string_view text) {
    std::fprintf(stderr, "%s [%s] 1#1: %s\n", error_log_time().c_str(), std::string(level).c_str(),
                 std::string(text).c_str());
}

void log_request_error(const HttpRequest& request, std::string_view what) {
    std::fprintf(stderr,
                 "%s [error] 29#29: *1 %s, client: %s, server: localhost, request: \"%s\", "
                 "host: \"%s\"\n",
                 error_log_time().c_str(), std::string(what).c_str(), request.peer_address.c_str(),
                 escape_log(request_line(request)).c_str(),
                 escape_log(request.header("Host")).c_str());
}

void log_combined(const HttpRequest& request, const HttpResponse& response, size_t bytes) {
    print_line(cat(request.peer_address, " - - [", log_time(), "] \"",
                   escape_log(request_line(request)), "\" ", response.status, " ", bytes, " \"",
                   or_dash(escape_log(request.header("Referer"))), "\" \"",
                   or_dash(escape_log(request.header("User-Agent"))), "\" \"",
                   or_dash(escape_log(request.header("X-Forwarded-For"))), "\""));
}

/// nginx -s quit: signals the one that runs as the container's first process.
int signal_nginx(const std::string& what) {
    const int number = what == "quit"     ? SIGQUIT
                       : what == "stop"   ? SIGTERM
                       : what == "reload" ? SIGHUP
                                          : 0;
    if (number == 0) {
        std::fprintf(stderr, "nginx: invalid option: \"-s %s\"\n", what.c_str());
        return 1;
    }
    return ::kill(1, number) == 0 ? 0 : 1;
}

std::vector<std::pair<std::string, std::string>> files_of(const std::string& pattern) {
    std::vector<std::pair<std::string, std::string>> out;
    glob_t found{};
    if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; ++i) {
            std::ifstream file(found.gl_pathv[i]);
            std::stringstream text;
            text << file.rdbuf();
            out.emplace_back(found.gl_pathv[i], text.str());
        }
    }
    ::globfree(&found);
    return out;
}

bool is_regular(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

bool has_address(const std::string& host) {
    addrinfo* list = nullptr;
    if (::getaddrinfo(host.c_str(), nullptr, nullptr, &list) != 0) return false;
    ::freeaddrinfo(list);
    return true;
}

/// As nginx, which wants all names at its start, so that a Service that comes later needs a
/// restart.
Result<> find_upstreams(const Config& config) {
    const auto find = [&](const Rules& rules) -> Result<> {
        if (rules.proxy_pass.empty() || rules.proxy_pass.find('$') != std::string::npos)
            return Ok{};
        TRY_ASSIGN(const auto forward, nginx::parse_upstream(rules.proxy_pass));
        const auto group = config.upstreams.find(forward.host);
        std::vector<std::string> hosts{forward.host};
        if (group != config.upstreams.end()) hosts = group->second;
        for (const std::string& host : hosts) {
            if (has_address(host.substr(0, host.rfind(':')))) continue;
            return Error(Errc::kInvalid,
                         cat("host not found in upstream \"", host, "\" in ", rules.proxy_where));
        }
        return Ok{};
    };
    for (const Server& server : config.servers) {
        for (const Location& location : server.locations) TRY(find(location.rules));
    }
    return Ok{};
}

class Nginx {
public:
    explicit Nginx(std::string version) : name_(cat("nginx/", version)) {
        service_.set_server_name(name_);
        service_.set_log(log_combined);
    }

    int run(const std::string& file) {
        if (auto loaded = load(file); !loaded) {
            log_at("emerg", loaded.error().text());
            return 1;
        }
        service_.on_stop_signal([this](int number) {
            log_at("notice",
                   cat("signal ", number, number == SIGQUIT ? " (SIGQUIT)" : " (SIGTERM)",
                       number == SIGQUIT ? " received, shutting down" : " received, exiting"));
            service_.stop(0);
        });
        service_.on_hangup([this, file] {
            log_at("notice", "signal 1 (SIGHUP) received, reconfiguring");
            if (auto loaded = load(file); !loaded) log_at("emerg", loaded.error().text());
        });
        log_at("notice", name_);
        log_at("notice", "start worker processes");
        return service_.run();
    }

private:
    /// Takes a configuration over, whole or not at all; ports that are no longer named stay open.
    Result<> load(const std::string& file) {
        TRY_ASSIGN(Config config, nginx::read_config(file, files_of));
        TRY(find_upstreams(config));
        if (!config.ignored.empty()) {
            log_at("warn", cat("kin's nginx does not act on: ", join(config.ignored, ", ")));
        }
        const auto answer = [this](const HttpRequest& request) { return this->answer(request); };
        for (const Server& server : config.servers) {
            for (const nginx::Listen& listen : server.listens) {
                if (ports_.contains(listen.port)) continue;
                if (listen.tls) {
                    TRY_ASSIGN(const TlsIdentity identity,
                               TlsIdentity::load(server.certificate, server.certificate_key));
                    TRY(service_.listen_https(listen.port, identity, answer));
                } else {
                    TRY(service_.listen_http(listen.port, answer));
                }
                ports_.insert(listen.port);
            }
        }
        config_ = std::move(config);
        return Ok{};
    }

    HttpResponse answer(const HttpRequest& request) {
        const Server* server =
            nginx::server_for(config_, request.local_port, request.header("Host"));
        if (!server) return error_page(404);
        if (server->rules.return_status != 0) return returned(server->rules, request, *server);
        return by_location(*server, nginx::location_for(*server, request.path), request, 0);
    }

    HttpResponse by_location(const Server& server, const Location* location,
                             const HttpRequest& request, int depth) {
        const Rules& rules = location ? location->rules : server.rules;
        if (rules.return_status != 0) return returned(rules, request, server);
        if (!rules.proxy_pass.empty()) return passed_on(rules, location, request, server);
        if (!rules.try_files.empty()) return tried(rules, location, request, server, depth);
        return file(rules, location, request, server, depth);
    }

    HttpResponse returned(const Rules& rules, const HttpRequest& request, const Server& server) {
        HttpResponse out;
        const std::string text = nginx::expand(rules.return_text, request, server);
        if (rules.return_status >= 301 && rules.return_status <= 308) {
            out = error_page(rules.return_status);
            out.headers.emplace_back("Location", text);
        } else if (text.empty() && rules.return_status >= 400) {
            out = error_page(rules.return_status);
        } else {
            out = HttpResponse::text(
                text, rules.default_type.empty() ? "application/octet-stream" : rules.default_type);
            out.status = rules.return_status;
        }
        add_headers(out, rules, request, server);
        return out;
    }

    HttpResponse file(const Rules& rules, const Location* location, const HttpRequest& request,
                      const Server& server, int depth) {
        HttpRequest wanted = request;
        std::string root = rules.root;
        if (location && !location->alias.empty()) {
            root = location->alias;
            wanted.path =
                cat(root.ends_with('/') ? "/" : "", request.path.substr(location->path.size()));
            if (root.ends_with('/')) root.pop_back();
            if (!wanted.path.starts_with('/')) wanted.path = cat("/", wanted.path);
        }
        HttpResponse out = file_response(root, wanted, rules.index);
        if (out.status == 404 || out.status == 403) {
            const std::string path = escape_log(cat(root, wanted.path));
            const bool index = wanted.path.ends_with('/') && out.status == 403;
            log_request_error(request, index
                                           ? cat("directory index of \"", path, "\" is forbidden")
                                           : cat("open() \"", path, "\" failed (",
                                                 out.status == 404 ? "2: No such file or directory"
                                                                   : "13: Permission denied",
                                                 ")"));
        }
        return finished(std::move(out), rules, request, server, depth);
    }

    HttpResponse finished(HttpResponse out, const Rules& rules, const HttpRequest& request,
                          const Server& server, int depth) {
        if (out.status >= 300 && out.status != 304) {
            const auto page = rules.error_pages.find(out.status);
            if (page != rules.error_pages.end() && page->second.starts_with('/') && depth == 0) {
                HttpRequest other = request;
                other.path = page->second;
                other.method = "GET";
                HttpResponse shown =
                    by_location(server, nginx::location_for(server, other.path), other, depth + 1);
                if (shown.status == 200) shown.status = out.status;
                return shown;
            }
            HttpResponse shown = error_page(out.status);
            shown.headers.insert(shown.headers.end(), out.headers.begin(), out.headers.end());
            return shown;
        }
        add_headers(out, rules, request, server);
        return out;
    }

    HttpResponse tried(const Rules& rules, const Location* location, const HttpRequest& request,
                       const Server& server, int depth) {
        Rules plain = rules;
        plain.try_files.clear();
        for (size_t i = 0; i + 1 < rules.try_files.size(); ++i) {
            HttpRequest other = request;
            other.path = nginx::expand(rules.try_files[i], request, server);
            const bool directory = other.path.ends_with('/') &&
                                   is_regular(cat(rules.root, other.path, rules.index[0]));
            if (directory || is_regular(cat(rules.root, other.path))) {
                return file(plain, location && location->alias.empty() ? location : nullptr, other,
                            server, depth);
            }
        }
        const std::string& last = rules.try_files.back();
        if (last.starts_with('=')) {
            HttpResponse out;
            out.status = parse_number<int>(std::string_view(last).substr(1)).value_or(404);
            return finished(std::move(out), rules, request, server, depth);
        }
        if (depth >= kMaxRedirects) return error_page(500);
        if (last.starts_with('@')) {
            const Location* named = nginx::named_location(server, last);
            return named ? by_location(server, named, request, depth + 1) : error_page(500);
        }
        HttpRequest other = request;
        const std::string target = nginx::expand(last, request, server);
        other.path = target.substr(0, target.find('?'));
        return by_location(server, nginx::location_for(server, other.path), other, depth + 1);
    }

    HttpResponse passed_on(const Rules& rules, const Location* location, const HttpRequest& request,
                           const Server& server) {
        auto forward = nginx::parse_upstream(nginx::expand(rules.proxy_pass, request, server));
        if (!forward) {
            log_request_error(request, forward.error().text());
            return error_page(500);
        }
        const std::string named = forward->host;
        HttpHeaders headers{
            {"Host", cat(named, forward->port == "80" ? "" : cat(":", forward->port))}};
        for (const auto& [name, value] : rules.proxy_headers) {
            if (to_lower(name) == "host")
                headers[0].second = nginx::expand(value, request, server);
            else
                headers.emplace_back(name, nginx::expand(value, request, server));
        }
        forward->headers = std::move(headers);
        if (forward->target.empty()) {
            forward->target = request.target;
        } else if (location && location->match != Location::Match::kRegex &&
                   request.target.starts_with(location->path)) {
            // The part of the path that the location names is replaced.
            forward->target += request.target.substr(location->path.size());
        }
        if (const auto group = config_.upstreams.find(named);
            group != config_.upstreams.end() && !group->second.empty()) {
            const std::string& peer = group->second[turn_++ % group->second.size()];
            const size_t colon = peer.rfind(':');
            forward->host = peer.substr(0, colon);
            forward->port = colon == std::string::npos ? "80" : peer.substr(colon + 1);
        }
        HttpResponse out;
        out.in_child = [this, &rules, &server, forward = *forward, request] {
            auto answer = nginx::forward_to(forward, request);
            HttpResponse result =
                answer ? *answer : upstream_failed(answer.error(), forward, request);
            add_headers(result, rules, request, server);
            log_combined(request, result, request.method == "HEAD" ? 0 : result.body.size());
            return result;
        };
        return out;
    }

    HttpResponse upstream_failed(const Error& error, const nginx::Forward& forward,
                                 const HttpRequest& request) {
        const int number = error.error_number();
        log_request_error(request, cat(error.text(), " (", number, ": ", std::strerror(number),
                                       ") while connecting to upstream, upstream: \"http://",
                                       forward.host, ":", forward.port, forward.target, "\""));
        return error_page(number == ETIMEDOUT ? 504 : 502);
    }

    static void add_headers(HttpResponse& out, const Rules& rules, const HttpRequest& request,
                            const Server& server) {
        if (out.status >= 400) return;
        for (const auto& [name, value] : rules.added_headers) {
            out.headers.emplace_back(name, nginx::expand(value, request, server));
        }
    }

    HttpResponse error_page(int status) const {
        const std::string title = cat(status, " ", reason_phrase(status));
        HttpResponse out = HttpResponse::text(
            cat("<html>\r\n<head><title>", title, "</title></head>\r\n<body>\r\n<center><h1>",
                title, "</h1></center>\r\n<hr><center>", name_,
                "</center>\r\n</body>\r\n</html>\r\n"),
            "text/html");
        out.status = status;
        return out;
    }

    std::string name_;
    Service service_;
    Config config_;
    std::set<uint16_t> ports_;
    size_t turn_ = 0;
};

int test_config(const std::string& file) {
    const auto config = nginx::read_config(file, files_of);
    const auto found = config ? find_upstreams(*config) : Result<>(config.error());
    if (!found) {
        std::fprintf(stderr, "nginx: [emerg] %s\nnginx: configuration file %s test failed\n",
                     found.error().text().c_str(), file.c_str());
        return 1;
    }
    std::fprintf(stderr,
                 "nginx: the configuration file %s syntax is ok\n"
                 "nginx: configuration file %s test is successful\n",
                 file.c_str(), file.c_str());
    return 0;
}

}  // namespace

int nginx_main(const Strings& args, const Strings& env) {
    std::string version(variable(env, "NGINX_VERSION"));
    if (version.empty()) version = "1.29.1";
    std::string file = kConfigFile;
    bool test = false;
    for (size_t i = 1; i < args.size(); ++i) {
        if (args[i] == "-v" || args[i] == "-V") {
            std::fprintf(stderr, "nginx version: nginx/%s\n", version.c_str());
            return 0;
        }
        if (args[i] == "-t") test = true;
        if (args[i] == "-c" && i + 1 < args.size()) file = args[++i];
        if (args[i] == "-s") return signal_nginx(i + 1 < args.size() ? args[i + 1] : "");
    }
    return test ? test_config(file) : Nginx(version).run(file);
}

}  // namespace kin::images
