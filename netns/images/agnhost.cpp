// The test image of Kubernetes' own end-to-end tests: one program, a subcommand per purpose.
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>

#include "core/base/json.h"
#include "core/base/strings.h"
#include "core/base/time.h"
#include "core/base/unique_fd.h"
#include "netns/images/dial.h"
#include "netns/images/grpc_health.h"
#include "netns/images/programs.h"
#include "netns/images/service.h"

namespace kin::images {
namespace {

HttpResponse json_response(const Json& json) {
    return HttpResponse::text(to_text(json), "text/plain; charset=utf-8");
}

int parameter_number(const HttpRequest& request, std::string_view name, int otherwise) {
    const auto text = request.parameter(name);
    if (!text) return otherwise;
    return parse_number<int>(*text).value_or(otherwise);
}

bool complain(const Result<>& listening) {
    if (listening) return false;
    std::fprintf(stderr, "%s\n", listening.error().text().c_str());
    return true;
}

/// Runs a shell command and gives its output, as /shell answers.
Json run_shell(const std::string& command) {
    FILE* pipe = ::popen(command.c_str(), "r");
    if (!pipe) return {{"error", "cannot start a shell"}};
    std::string output;
    char buffer[4096];
    for (size_t length; (length = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
        output.append(buffer, length);
    }
    const int status = ::pclose(pipe);
    Json json{{"output", output}};
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0) {
        json["error"] = cat("exit status ", WEXITSTATUS(status));
    }
    return json;
}

class Netexec {
public:
    explicit Netexec(const Strings& args) : args_(args) {}

    int run() {
        const auto http_port = port_flag(args_, "http-port", 8080);
        const auto udp_port = port_flag(args_, "udp-port", 8081);
        const int delay_s =
            parse_number<int>(flag(args_, "delay-shutdown").value_or("0")).value_or(0);
        if (!http_port || !udp_port) return 1;
        if (complain(
                service_.listen_http(static_cast<uint16_t>(*http_port),
                                     [this](const auto& request) { return answer(request); }))) {
            return 1;
        }
        if (*udp_port > 0 &&
            complain(service_.listen_udp(static_cast<uint16_t>(*udp_port),
                                         [](std::string_view text, const Peer& peer) {
                                             return answer_datagram(text, peer);
                                         }))) {
            return 1;
        }
        service_.on_stop_signal([this, delay_s](int) {
            // Goes on serving meanwhile, as a server that drains does.
            service_.after(delay_s * 1000, [this] { service_.stop(0); });
        });
        print_line(cat("Started HTTP server on port ", *http_port));
        if (*udp_port > 0) print_line(cat("Started UDP server on port ", *udp_port));
        return service_.run();
    }

private:
    static std::string answer_datagram(std::string_view text, const Peer& peer) {
        const std::string_view command = trim(text);
        if (to_lower(command) == "hostname") return host_name();
        if (command.starts_with("echo ")) return std::string(command.substr(5));
        if (command == "clientip") return peer.to_string();
        return "";
    }

    HttpResponse answer(const HttpRequest& request) {
        const std::string& path = request.path;
        print_line(cat("GET ", path));
        if (path == "/hostname" || path == "/hostName") return HttpResponse::text(host_name());
        if (path == "/clientip") {
            return HttpResponse::text(Peer{request.peer_address, request.peer_port}.to_string());
        }
        if (path == "/healthz") return HttpResponse::text("");
        if (path == "/echo") return echo(request);
        if (path == "/header") {
            const auto key = request.parameter("key").value_or("");
            return HttpResponse::text(std::string(request.header(key)));
        }
        if (path == "/serverport") return HttpResponse::text(cat(request.local_port));
        if (path == "/redirect") return redirect(request);
        if (path == "/exit" || path == "/shutdown") return leave(request);
        if (path == "/shell") return shell(request);
        if (path == "/dial") return dial(request);
        if (path == "/upload") {
            return HttpResponse::error(501);
        }
        return HttpResponse::text(cat("NOW: ", rfc3339(std::chrono::system_clock::now()), "\n"));
    }

    static HttpResponse echo(const HttpRequest& request) {
        HttpResponse response = HttpResponse::text(request.parameter("msg").value_or(""));
        const int code = parameter_number(request, "code", 200);
        response.status = code >= 200 && code <= 999 ? code : 400;
        return response;
    }

    static HttpResponse redirect(const HttpRequest& request) {
        HttpResponse response = HttpResponse::text("");
        const int code = parameter_number(request, "code", 302);
        response.status = code >= 300 && code < 400 ? code : 302;
        std::string location = request.parameter("location").value_or("/");
        std::erase_if(location, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
        response.headers.emplace_back("Location", location);
        return response;
    }

    /// /exit?code=3&timeout=5s&wait=2s: the end comes after `wait`.
    HttpResponse leave(const HttpRequest& request) {
        const int code = request.path == "/shutdown" ? 0 : parameter_number(request, "code", 0);
        std::string wait = request.parameter("wait").value_or("0");
        if (wait.ends_with('s')) wait.pop_back();
        const int wait_s = std::max(parse_number<int>(wait).value_or(0), 0);
        service_.after(std::min(wait_s, 3600) * 1000, [this, code] { service_.stop(code); });
        return HttpResponse::text("");
    }

    static HttpResponse shell(const HttpRequest& request) {
        const auto command = request.parameter("cmd").value_or("");
        HttpResponse response;
        response.in_child = [command] { return json_response(run_shell(command)); };
        return response;
    }

    static HttpResponse dial(const HttpRequest& request) {
        DialRequest dialed;
        dialed.host = request.parameter("host").value_or("");
        dialed.port = request.parameter("port").value_or("");
        dialed.protocol = request.parameter("protocol").value_or("http");
        dialed.request = request.parameter("request").value_or("hostname");
        dialed.tries = std::clamp(parameter_number(request, "tries", 1), 1, 1000);
        HttpResponse response;
        response.in_child = [dialed] { return json_response(dial_text(dialed)); };
        return response;
    }

    static Json dial_text(const DialRequest& dialed) {
        Json responses = Json::array(), errors = Json::array();
        for (int i = 0; i < dialed.tries; ++i) {
            auto answer = dial_once(dialed);
            if (answer) {
                responses.push_back(*answer);
            } else {
                errors.push_back(answer.error().text());
            }
        }
        Json json{{"responses", responses}};
        if (!errors.empty()) json["errors"] = errors;
        return json;
    }

    const Strings& args_;
    Service service_;
};

int serve_hostname(const Strings& args) {
    const auto port = port_flag(args, "port", 9376);
    if (!port) return 1;
    const auto number = static_cast<uint16_t>(*port);
    const auto is_on = [&](std::string_view name) {
        const auto value = flag(args, name);
        return value && *value != "false";
    };
    const bool tcp = is_on("tcp"), udp = is_on("udp");
    Service service;
    if (udp && complain(service.listen_udp(
                   number, [](std::string_view, const Peer&) { return host_name(); }))) {
        return 1;
    }
    if (tcp) {
        Service::Lines lines;
        lines.greeting = [](const Peer&) { return cat(host_name(), "\n"); };
        lines.close_after_greeting = is_on("close");
        if (complain(service.listen_lines(number, lines))) return 1;
    }
    const bool http = !tcp && (!udp || is_on("http"));
    if (http && complain(service.listen_http(number, [](const HttpRequest& request) {
            HttpResponse response = HttpResponse::text(host_name());
            response.close = request.header("Connection") == "close";
            return response;
        }))) {
        return 1;
    }
    print_line(cat("Serving on port ", *port, "."));
    return service.run();
}

int liveness() {
    const std::time_t start = std::time(nullptr);
    Service service;
    print_line("Serving /healthz on port 8080: well for 10 s, then ill.");
    if (complain(service.listen_http(8080, [&](const HttpRequest& request) {
            const std::time_t age = std::time(nullptr) - start;
            if (request.path != "/healthz") return HttpResponse::text(cat(age, "s\n"));
            HttpResponse response = HttpResponse::text("ok");
            if (age > 10) {
                response.status = 500;
                response.body = cat("error: ", age);
            }
            return response;
        }))) {
        return 1;
    }
    return service.run();
}

/// A port per variable SERVE_PORT_n, which answers the variable's value.
int porter(const Strings& env) {
    Service service;
    for (const std::string_view entry : env) {
        constexpr std::string_view kPrefix = "SERVE_PORT_";
        if (!entry.starts_with(kPrefix)) continue;
        const size_t equals = entry.find('=');
        const auto port = parse_number<uint16_t>(entry.substr(
            kPrefix.size(), equals == std::string_view::npos ? 0 : equals - kPrefix.size()));
        if (!port) continue;
        const std::string value(entry.substr(equals + 1));
        if (complain(service.listen_http(
                *port, [value](const HttpRequest&) { return HttpResponse::text(value); }))) {
            return 1;
        }
    }
    return service.run();
}

/// Health by gRPC on one port, and on another /make-serving and /make-not-serving to change it.
int grpc_health_checking(const Strings& args) {
    const auto port = port_flag(args, "port", 5000);
    const auto http_port = port_flag(args, "http-port", 8080);
    if (!port || !http_port) return 1;
    bool serving = true;
    Service service;
    if (complain(service.listen_sessions(
            static_cast<uint16_t>(*port),
            [&] { return grpc_health_session([&] { return serving; }); })) ||
        complain(service.listen_http(static_cast<uint16_t>(*http_port), [&](const auto& request) {
            if (request.path == "/make-serving") serving = true;
            if (request.path == "/make-not-serving") serving = false;
            return HttpResponse::text(serving ? "SERVING\n" : "NOT_SERVING\n");
        }))) {
        return 1;
    }
    print_line(cat("gRPC server starting to listen on :", *port));
    return service.run();
}

/// connect HOST:PORT: exit 0, or a word for what went wrong and exit 1.
int connect_to(const Strings& args) {
    runs();
    std::string target;
    for (size_t i = 2; i < args.size(); ++i) {
        if (args[i].starts_with("-")) {
            if (args[i].find('=') == std::string::npos) ++i;
            continue;
        }
        target = args[i];
    }
    std::string timeout = flag(args, "timeout").value_or("0");
    int unit_ms = 1000;
    if (timeout.ends_with("ms")) {
        unit_ms = 1;
        timeout.pop_back();
    }
    if (timeout.ends_with('s')) timeout.pop_back();
    const int timeout_ms = parse_number<int>(timeout).value_or(0) * unit_ms;
    const size_t colon = target.rfind(':');
    if (colon == std::string::npos) {
        print_line("OTHER");
        return 1;
    }
    const std::string protocol = flag(args, "protocol").value_or("tcp");
    if (protocol != "tcp") {
        std::fprintf(stderr, "protocol %s is not supported here\n", protocol.c_str());
        print_line("UNKNOWN");
        return 1;
    }
    const auto connected = connect_tcp(target.substr(0, colon), target.substr(colon + 1),
                                       timeout_ms > 0 ? timeout_ms : 60000);
    if (connected) return 0;
    switch (connected.error().code()) {
        case Errc::kNotFound:
            print_line("DNS");
            break;
        default:
            print_line(connected.error().error_number() == ECONNREFUSED ? "REFUSED"
                       : connected.error().error_number() == ETIMEDOUT  ? "TIMEOUT"
                                                                        : "OTHER");
    }
    std::fprintf(stderr, "%s\n", connected.error().text().c_str());
    return 1;
}

}  // namespace

int agnhost_main(const Strings& args, const Strings& env) {
    const std::string command = args.size() > 1 ? args[1] : "pause";
    if (command == "netexec") return Netexec(args).run();
    if (command == "serve-hostname") return serve_hostname(args);
    if (command == "pause") return pause_main(args, env);
    if (command == "liveness") return liveness();
    if (command == "porter") return porter(env);
    if (command == "connect") return connect_to(args);
    if (command == "grpc-health-checking") return grpc_health_checking(args);
    if (command == "guestbook") return agnhost_guestbook(args, env);
    if (command == "--version") {
        print_line("agnhost version 2.53");
        return 0;
    }
    std::fprintf(stderr,
                 "agnhost: this lab has no \"%s\"; it has: netexec, serve-hostname, pause, "
                 "liveness, porter, connect, guestbook, grpc-health-checking\n",
                 command.c_str());
    return 1;
}

}  // namespace kin::images
