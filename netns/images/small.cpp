// The small demonstration servers: each shows who answered, or what arrived.
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstdio>

#include "core/base/strings.h"
#include "netns/images/programs.h"
#include "netns/images/service.h"

namespace kin::images {
namespace {

/// Listens for HTTP on one port and serves until the end.
int serve(Service& service, int port, Service::Answer answer) {
    const auto listening = service.listen_http(static_cast<uint16_t>(port), std::move(answer));
    if (!listening) {
        std::fprintf(stderr, "%s\n", listening.error().text().c_str());
        return 1;
    }
    return service.run();
}

std::optional<int> port_of(std::string_view text, int otherwise) {
    if (text.empty()) return otherwise;
    if (const size_t colon = text.rfind(':'); colon != std::string_view::npos) {
        text.remove_prefix(colon + 1);
    }
    const auto number = parse_number<uint16_t>(text);
    if (!number || *number == 0) {
        std::fprintf(stderr, "not a port: %s\n", std::string(text).c_str());
        return {};
    }
    return *number;
}

std::vector<std::string> own_addresses() {
    std::vector<std::string> addresses;
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) < 0) return addresses;
    for (const ifaddrs* entry = list; entry; entry = entry->ifa_next) {
        if (!entry->ifa_addr || entry->ifa_addr->sa_family != AF_INET) continue;
        char text[INET_ADDRSTRLEN] = "";
        const auto& address = reinterpret_cast<const sockaddr_in&>(*entry->ifa_addr);
        ::inet_ntop(AF_INET, &address.sin_addr, text, sizeof text);
        addresses.emplace_back(text);
    }
    ::freeifaddrs(list);
    return addresses;
}

std::string request_text(const HttpRequest& request) {
    std::string text =
        cat(request.method, " ", request.target, " HTTP/1.", request.minor_version, "\n");
    for (const auto& [name, value] : request.headers) text += cat(name, ": ", value, "\n");
    return text;
}

std::string echo_text(const HttpRequest& request, const Strings& env) {
    std::string text = cat("\n\nHostname: ", host_name(), "\n\nPod Information:\n");
    const std::pair<std::string_view, std::string_view> about_pod[] = {
        {"node name", "NODE_NAME"},
        {"pod name", "POD_NAME"},
        {"pod namespace", "POD_NAMESPACE"},
        {"pod IP", "POD_IP"}};
    bool any = false;
    for (const auto& [label, name] : about_pod) {
        const std::string_view value = variable(env, name);
        if (value.empty()) continue;
        any = true;
        text += cat("\t", label, ":\t", value, "\n");
    }
    if (!any) text += "\t-no pod information available-\n";
    text +=
        "\nServer values:\n\tserver_version=nginx: 1.13.3 - lua: 10008\n\nRequest Information:\n";
    const std::string_view host = request.header("Host");
    text +=
        cat("\tclient_address=", request.peer_address, "\n\tmethod=", request.method,
            "\n\treal path=", request.target, "\n\tquery=", request.query, "\n\trequest_version=1.",
            request.minor_version, "\n\trequest_scheme=http\n\trequest_uri=http://", host,
            host.find(':') == std::string_view::npos ? cat(":", request.local_port) : "",
            request.target, "\n\nRequest Headers:\n");
    std::vector<std::string> headers;
    for (const auto& [name, value] : request.headers) {
        headers.push_back(cat("\t", to_lower(name), "=", value, "\n"));
    }
    std::sort(headers.begin(), headers.end());
    for (const std::string& header : headers) text += header;
    text += "\nRequest Body:\n";
    text += request.body.empty() ? "\t-no body in request-" : request.body;
    return text + "\n\n";
}

}  // namespace

int http_echo_main(const Strings& args, const Strings& env) {
    if (flag(args, "version")) {
        print_line("http-echo v1.0.0");
        return 0;
    }
    auto text = flag(args, "text");
    if (!text || text->empty()) text = std::string(variable(env, "ECHO_TEXT"));
    if (text->empty()) {
        std::fprintf(stderr, "Missing -text option!\n");
        return 127;
    }
    const auto port = port_of(flag(args, "listen").value_or(""), 5678);
    if (!port) return 1;
    Service service;
    service.set_log([](const HttpRequest& request, const HttpResponse& response, size_t bytes) {
        print_line(cat(log_time(), " ", request.header("Host"), " ", request.peer_address, ":",
                       request.peer_port, " \"", request.method, " ", request.target, " HTTP/1.",
                       request.minor_version, "\" ", response.status, " ", bytes));
    });
    print_line(cat("[INFO] server is listening on :", *port));
    return serve(service, *port, [&](const HttpRequest& request) {
        if (request.path == "/health") {
            return HttpResponse::text("{\"status\":\"ok\"}\n", "application/json");
        }
        HttpResponse response = HttpResponse::text(cat(*text, "\n"));
        response.headers.emplace_back("X-App-Name", "http-echo");
        return response;
    });
}

int hello_app_main(const Strings&, const Strings& env) {
    const auto port = port_of(variable(env, "PORT"), 8080);
    if (!port) return 1;
    std::string version(variable(env, "KIN_IMAGE_TAG"));
    version = version.empty() || version == "latest" ? "1.0.0" : cat(version, ".0");
    Service service;
    std::fprintf(stderr, "Server listening on port %d\n", *port);
    return serve(service, *port, [&](const HttpRequest& request) {
        std::fprintf(stderr, "Serving request: %s\n", request.path.c_str());
        return HttpResponse::text(
            cat("Hello, world!\nVersion: ", version, "\nHostname: ", host_name(), "\n"));
    });
}

int bootcamp_main(const Strings&, const Strings& env) {
    std::string version(variable(env, "KIN_IMAGE_TAG"));
    if (version.starts_with('v')) version.erase(0, 1);
    if (parse_number<int>(version) == std::nullopt) version = "1";
    Service service;
    print_line(
        cat("Kubernetes Bootcamp App Started At: ", log_time(), " | Running On:  ", host_name()));
    return serve(service, 8080, [&](const HttpRequest& request) {
        print_line(cat("Running On: ", host_name(), " | ", request.method, " ", request.path));
        return HttpResponse::text(
            cat("Hello Kubernetes bootcamp! | Running on: ", host_name(), " | v=", version, "\n"),
            "text/plain");
    });
}

int whoami_main(const Strings& args, const Strings& env) {
    auto port_text = flag(args, "port");
    if (!port_text) port_text = std::string(variable(env, "WHOAMI_PORT_NUMBER"));
    const auto port = port_of(*port_text, 80);
    if (!port) return 1;
    std::string name = flag(args, "name").value_or(std::string(variable(env, "WHOAMI_NAME")));
    Service service;
    print_line(cat("Starting up on port ", *port));
    return serve(service, *port, [&](const HttpRequest& request) {
        if (request.path == "/health") return HttpResponse::text("");
        std::string text = name.empty() ? "" : cat("Name: ", name, "\n");
        text += cat("Hostname: ", host_name(), "\n");
        for (const std::string& address : own_addresses()) text += cat("IP: ", address, "\n");
        text += cat("RemoteAddr: ", Peer{request.peer_address, request.peer_port}.to_string(), "\n",
                    request_text(request), "\n");
        return HttpResponse::text(text);
    });
}

int echoserver_main(const Strings&, const Strings& env) {
    const auto port = port_of(variable(env, "KIN_PORT"), 8080);
    if (!port) return 1;
    Service service;
    service.set_server_name("echoserver");
    return serve(service, *port, [&](const HttpRequest& request) {
        return HttpResponse::text(echo_text(request, env), "text/plain");
    });
}

int tcp_echo_main(const Strings& args, const Strings&) {
    const std::string ports = args.size() > 1 ? args[1] : "9000";
    const std::string prefix = args.size() > 2 ? args[2] : "hello";
    Service service;
    for (const std::string_view text : split(ports, ',')) {
        const auto port = port_of(text, 0);
        if (!port) return 1;
        Service::Lines lines;
        lines.reply = [&](std::string_view line) { return cat(prefix, " ", line, "\n"); };
        if (auto listening = service.listen_lines(static_cast<uint16_t>(*port), lines);
            !listening) {
            std::fprintf(stderr, "%s\n", listening.error().text().c_str());
            return 1;
        }
        print_line(cat("listening on [::]:", *port, ", prefix: ", prefix));
    }
    return service.run();
}

int stand_in_main(const Strings& args, const Strings& env) {
    const std::string image(variable(env, "KIN_IMAGE"));
    Service service;
    service.answer_grpc_health();
    for (size_t i = 1; i < args.size(); ++i) {
        const bool udp = args[i].ends_with("/udp");
        const auto port = port_of(udp ? args[i].substr(0, args[i].size() - 4) : args[i], 0);
        if (!port) return 1;
        const auto number = static_cast<uint16_t>(*port);
        const auto listening =
            udp ? service.listen_udp(
                      number, [](std::string_view text, const Peer&) { return std::string(text); })
                : service.listen_http(number, [&](const HttpRequest& request) {
                      return HttpResponse::text(cat("A stand-in for the image ", image,
                                                    "\nHostname: ", host_name(), "\n\n",
                                                    request_text(request)));
                  });
        if (!listening) {
            std::fprintf(stderr, "%s\n", listening.error().text().c_str());
            return 1;
        }
        print_line(cat("stand-in for ", image, ": listening on ", args[i]));
    }
    return service.run();
}

}  // namespace kin::images
