// go-httpbin: tells requests back as JSON, and answers as its path asks.
#include <time.h>

#include <cstdio>

#include "core/base/json.h"
#include "core/base/strings.h"
#include "netns/images/programs.h"
#include "netns/images/service.h"

namespace kin::images {
namespace {

/// Headers, arguments and forms: every value is a list.
void add_value(Json& to, const std::string& name, std::string value) {
    if (!to.contains(name)) to[name] = Json::array();
    to[name].push_back(std::move(value));
}

Json pairs_of(std::string_view text) {
    Json out = Json::object();
    if (text.empty()) return out;
    for (const std::string_view pair : split(text, '&')) {
        const size_t equals = pair.find('=');
        const auto name = percent_decode(pair.substr(0, equals), true);
        const auto value = equals == std::string_view::npos
                               ? std::optional<std::string>("")
                               : percent_decode(pair.substr(equals + 1), true);
        if (name && value) add_value(out, *name, *value);
    }
    return out;
}

Json headers_of(const HttpRequest& request) {
    Json out = Json::object();
    for (const auto& [name, value] : request.headers) {
        std::string canonical = to_lower(name);
        bool start = true;
        for (char& c : canonical) {
            if (start && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
            start = c == '-';
        }
        add_value(out, canonical, value);
    }
    return out;
}

Json about(const HttpRequest& request) {
    Json out{{"args", pairs_of(request.query)},
             {"headers", headers_of(request)},
             {"method", request.method},
             {"origin", request.peer_address},
             {"url", cat("http://", request.header("Host"), request.target)}};
    if (request.method == "GET" || request.method == "HEAD") return out;
    out["data"] = request.body;
    out["files"] = nullptr;
    const bool form = request.header("Content-Type").starts_with("application/x-www-form");
    out["form"] = form ? pairs_of(request.body) : Json::object();
    const auto json = parse_json(request.body);
    out["json"] = json ? *json : Json();
    return out;
}

HttpResponse json_response(const Json& body) {
    return HttpResponse::text(body.dump(2, ' ', false, Json::error_handler_t::replace) + '\n',
                              "application/json; charset=utf-8");
}

HttpResponse later(int64_t delay_ms, HttpResponse response) {
    HttpResponse out;
    out.in_child = [delay_ms, response = std::move(response)] {
        const timespec pause{delay_ms / 1000, delay_ms % 1000 * 1000000};
        ::nanosleep(&pause, nullptr);
        return response;
    };
    return out;
}

/// What stands behind `prefix` in the path.
std::optional<std::string_view> rest(const HttpRequest& request, std::string_view prefix) {
    std::string_view path = request.path;
    if (!path.starts_with(prefix)) return {};
    return path.substr(prefix.size());
}

std::string uuid() {
    unsigned char bytes[16] = {};
    if (FILE* random = std::fopen("/dev/urandom", "r")) {
        (void)!std::fread(bytes, 1, sizeof bytes, random);
        std::fclose(random);
    }
    bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0F) | 0x40);
    bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3F) | 0x80);
    std::string text = hex({reinterpret_cast<const char*>(bytes), sizeof bytes});
    for (const size_t at : {20U, 16U, 12U, 8U}) text.insert(at, "-");
    return text;
}

HttpResponse with_status(std::string_view text) {
    const auto status = parse_number<int>(text);
    if (!status || *status < 200 || *status > 599) return HttpResponse::error(400);
    HttpResponse out;
    out.status = *status;
    if (*status == 418) out = HttpResponse::text("I'm a teapot!\n");
    out.status = *status;
    if (*status >= 301 && *status <= 308) out.headers.emplace_back("Location", "/redirect/1");
    return out;
}

HttpResponse answer(const HttpRequest& request) {
    const std::string& path = request.path;
    if (path == "/") {
        return HttpResponse::text("<!DOCTYPE html><title>httpbin</title><h1>go-httpbin</h1>\n",
                                  "text/html; charset=utf-8");
    }
    if (path == "/headers") return json_response({{"headers", headers_of(request)}});
    if (path == "/ip") return json_response({{"origin", request.peer_address}});
    if (path == "/user-agent") {
        return json_response({{"user-agent", request.header("User-Agent")}});
    }
    if (path == "/hostname") return json_response({{"hostname", host_name()}});
    if (path == "/uuid") return json_response({{"uuid", uuid()}});
    const std::pair<std::string_view, std::string_view> by_method[] = {{"/get", "GET"},
                                                                       {"/post", "POST"},
                                                                       {"/put", "PUT"},
                                                                       {"/patch", "PATCH"},
                                                                       {"/delete", "DELETE"}};
    for (const auto& [name, method] : by_method) {
        if (path == name) {
            return request.method == method ? json_response(about(request))
                                            : HttpResponse::error(405);
        }
    }
    if (path == "/anything" || rest(request, "/anything/")) return json_response(about(request));
    if (const auto status = rest(request, "/status/")) return with_status(*status);
    if (const auto seconds = rest(request, "/delay/")) {
        const auto number = parse_number<int64_t>(seconds->substr(0, seconds->find('s')));
        if (!number || *number < 0 || *number > 10) return HttpResponse::error(400);
        return later(*number * 1000, json_response(about(request)));
    }
    if (const auto size = rest(request, "/bytes/")) {
        const auto number = parse_number<size_t>(*size);
        if (!number || *number > 102400) return HttpResponse::error(400);
        return HttpResponse::text(std::string(*number, 'k'), "application/octet-stream");
    }
    return HttpResponse::error(404);
}

}  // namespace

int httpbin_main(const Strings& args, const Strings& env) {
    int port = parse_number<int>(variable(env, "PORT")).value_or(8080);
    port = port_flag(args, "port", port).value_or(port);
    Service service;
    service.set_log([](const HttpRequest& request, const HttpResponse& response, size_t bytes) {
        print_line(cat("time=\"", log_time(), "\" status=", response.status, " method=\"",
                       request.method, "\" uri=\"", request.target, "\" size_bytes=", bytes,
                       " client_ip=", request.peer_address));
    });
    const auto listening = service.listen_http(static_cast<uint16_t>(port), answer);
    if (!listening) {
        std::fprintf(stderr, "error: %s\n", listening.error().text().c_str());
        return 1;
    }
    print_line(cat("go-httpbin listening on http://0.0.0.0:", port));
    return service.run();
}

}  // namespace kin::images
