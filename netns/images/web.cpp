// nginx and Apache's httpd: static files, error pages and access logs as people know them.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/base/strings.h"
#include "netns/images/nginx_config.h"
#include "netns/images/programs.h"
#include "netns/images/service.h"

namespace kin::images {
namespace {

constexpr const char* kNginxRoot = "/usr/share/nginx/html";
constexpr const char* kNginxConfigs = "/etc/nginx/conf.d";
constexpr const char* kHttpdRoot = "/usr/local/apache2/htdocs";

std::string or_dash(std::string_view text) { return text.empty() ? "-" : std::string(text); }

/// Text of a client in a log: nothing that could end the line or the quotes.
std::string escape_log(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte >= 0x7f || c == '"' || c == '\\') {
            out += cat("\\x", hex({&c, 1}));
        } else {
            out += c;
        }
    }
    return out;
}

std::string request_line(const HttpRequest& request) {
    if (request.method.empty()) return "";
    return cat(request.method, " ", request.target, " HTTP/1.", request.minor_version);
}

std::string nginx_error_page(int status, const std::string& server) {
    const std::string title = cat(status, " ", reason_phrase(status));
    return cat("<html>\r\n<head><title>", title, "</title></head>\r\n<body>\r\n<center><h1>", title,
               "</h1></center>\r\n<hr><center>", server, "</center>\r\n</body>\r\n</html>\r\n");
}

void add_page(HttpResponse& response, std::string page, std::string_view type) {
    response.headers.emplace_back("Content-Type", type);
    response.body = std::move(page);
}

std::string error_log_time() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    char text[64];
    std::strftime(text, sizeof text, "%Y/%m/%d %H:%M:%S", &parts);
    return text;
}

void nginx_notice(std::string_view text) {
    std::fprintf(stderr, "%s [notice] 1#1: %s\n", error_log_time().c_str(),
                 std::string(text).c_str());
}

void log_missing_file(const HttpRequest& request, int status) {
    if (status != 404 && status != 403) return;
    const bool index = request.path.ends_with('/') && status == 403;
    const std::string path = escape_log(cat(kNginxRoot, request.path));
    const std::string what =
        index ? cat("directory index of \"", path, "\" is forbidden")
              : cat("open() \"", path, "\" failed (",
                    status == 404 ? "2: No such file or directory" : "13: Permission denied", ")");
    std::fprintf(stderr,
                 "%s [error] 29#29: *1 %s, client: %s, server: localhost, request: \"%s\", "
                 "host: \"%s\"\n",
                 error_log_time().c_str(), what.c_str(), request.peer_address.c_str(),
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

void log_common(const HttpRequest& request, const HttpResponse& response, size_t bytes) {
    print_line(cat(request.peer_address, " - - [", log_time(), "] \"",
                   escape_log(request_line(request)), "\" ", response.status, " ",
                   bytes == 0 ? "-" : cat(bytes)));
}

/// The servers of /etc/nginx/conf.d; without that folder the one that every nginx starts with.
Result<NginxConfig> read_nginx_config(uint16_t port) {
    std::error_code error;
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(kNginxConfigs, error)) {
        if (entry.path().extension() == ".conf") files.push_back(entry.path());
    }
    if (error) return default_nginx_config(port);
    std::sort(files.begin(), files.end());
    NginxConfig config;
    for (const std::string& file : files) {
        std::ifstream in(file);
        const std::string text{std::istreambuf_iterator<char>(in), {}};
        TRY(config.add_file(file, text));
    }
    return config;
}

Result<> listen_as(Service& service, const NginxConfig& config, const Service::Answer& answer) {
    for (const uint16_t port : config.ports()) TRY(service.listen_http(port, answer));
    for (const auto& [port, server] : config.tls_ports()) {
        TRY_ASSIGN(const TlsIdentity identity, TlsIdentity::load(server->certificate, server->key));
        TRY(service.listen_https(port, identity, answer));
    }
    return Ok{};
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

}  // namespace

int nginx_main(const Strings& args, const Strings& env) {
    std::string version(variable(env, "NGINX_VERSION"));
    if (version.empty()) version = "1.29.1";
    const std::string server = cat("nginx/", version);
    bool test_only = false;
    for (size_t i = 1; i < args.size(); ++i) {
        if (args[i] == "-v" || args[i] == "-V") {
            std::fprintf(stderr, "nginx version: %s\n", server.c_str());
            return 0;
        }
        test_only = test_only || args[i] == "-t";
        if (args[i] == "-s") return signal_nginx(i + 1 < args.size() ? args[i + 1] : "");
    }
    ::signal(SIGHUP, SIG_IGN);  // Reload: the configuration is read once, when it starts.
    const auto port = parse_number<uint16_t>(variable(env, "KIN_PORT")).value_or(80);
    const auto config = read_nginx_config(port);
    if (!config) {
        std::fprintf(stderr, "%s [emerg] 1#1: %s\n", error_log_time().c_str(),
                     config.error().text().c_str());
        return 1;
    }
    if (test_only) {
        std::fprintf(stderr,
                     "nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\n"
                     "nginx: configuration file /etc/nginx/nginx.conf test is successful\n");
        return 0;
    }
    Service service;
    service.set_server_name(server);
    service.set_log(log_combined);
    const auto answer = [&](const HttpRequest& request) {
        HttpResponse response = nginx_answer(*config, request, file_response);
        log_missing_file(request, response.status);
        if (response.status >= 300 && response.status != 304 && response.body.empty()) {
            add_page(response, nginx_error_page(response.status, server), "text/html");
        }
        return response;
    };
    if (const auto listening = listen_as(service, *config, answer); !listening) {
        std::fprintf(stderr, "%s [emerg] 1#1: %s\n", error_log_time().c_str(),
                     listening.error().text().c_str());
        return 1;
    }
    service.on_stop_signal([&](int number) {
        nginx_notice(cat("signal ", number, number == SIGQUIT ? " (SIGQUIT)" : " (SIGTERM)",
                         number == SIGQUIT ? " received, shutting down" : " received, exiting"));
        service.stop(0);
    });
    nginx_notice(server);
    nginx_notice("start worker processes");
    for (const std::string& warning : config->warnings) {
        std::fprintf(stderr, "%s [warn] 1#1: %s\n", error_log_time().c_str(), warning.c_str());
    }
    return service.run();
}

int httpd_main(const Strings& args, const Strings&) {
    const std::string server = "Apache/2.4.65 (Unix)";
    for (size_t i = 1; i < args.size(); ++i) {
        if (args[i] != "-v") continue;
        print_line(cat("Server version: ", server));
        return 0;
    }
    Service service;
    service.set_server_name(server);
    service.set_log(log_common);
    const auto listening = service.listen_http(80, [](const HttpRequest& request) {
        HttpResponse response = file_response(kHttpdRoot, request);
        if (response.status >= 300 && response.status != 304) {
            const std::string title = cat(response.status, " ", reason_phrase(response.status));
            add_page(response,
                     cat("<!DOCTYPE HTML>\n<html><head>\n<title>", title,
                         "</title>\n</head><body>\n<h1>", reason_phrase(response.status),
                         "</h1>\n</body></html>\n"),
                     "text/html; charset=iso-8859-1");
        }
        return response;
    });
    if (!listening) {
        std::fprintf(stderr, "(98)Address already in use: AH00072: %s\n",
                     listening.error().text().c_str());
        return 1;
    }
    std::fprintf(stderr,
                 "[mpm_event:notice] [pid 1] AH00489: %s configured -- resuming normal "
                 "operations\n",
                 server.c_str());
    return service.run();
}

}  // namespace kin::images
