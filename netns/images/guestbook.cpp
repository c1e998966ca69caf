// Guestbooks: agnhost's (a frontend, a store, or a replica of a store, by its flags), and the page
// of the one in PHP, which keeps its entries in redis.
#include <cstdio>
#include <map>
#include <memory>

#include "core/base/json.h"
#include "core/base/strings.h"
#include "netns/images/dial.h"
#include "netns/images/programs.h"
#include "netns/images/redis_protocol.h"
#include "netns/images/service.h"

namespace kin::images {
namespace {

std::string escape(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
        out += plain ? std::string(1, c) : cat('%', hex({&c, 1}));
    }
    return out;
}

HttpResponse json_response(const Json& body) {
    return HttpResponse::text(to_text(body), "application/json");
}

/// Asks another guestbook; its answer, or 417 as the real one has it.
HttpResponse forwarded(std::string host, std::string port, std::string request) {
    HttpResponse out;
    out.in_child = [host = std::move(host), port = std::move(port), request = std::move(request)] {
        const auto answer = dial_once({host, port, "http", request});
        if (answer) return HttpResponse::text(*answer, "application/json");
        HttpResponse error =
            HttpResponse::text(cat("encountered error: ", answer.error().text(), '\n'));
        error.status = 417;
        return error;
    };
    return out;
}

std::string at(const HttpRequest& request, std::string_view name) {
    return request.parameter(name).value_or("");
}

}  // namespace

int agnhost_guestbook(const Strings& args, const Strings&) {
    const auto port = port_flag(args, "http-port", 80);
    const auto backend = port_flag(args, "backend-port", 6379);
    if (!port || !backend) return 1;
    const std::string primary = flag(args, "replicaof").value_or("");
    const std::string backend_port = cat(*backend);
    auto values = std::make_shared<std::map<std::string, std::string>>();
    const auto answer = [=](const HttpRequest& request) {
        const std::string key = at(request, "key");
        const std::string question =
            cat("?key=", escape(key), "&value=", escape(at(request, "value")));
        if (request.path == "/guestbook") {
            if (at(request, "cmd") == "set") {
                return forwarded("agnhost-primary", backend_port, cat("set", question));
            }
            if (at(request, "cmd") == "get") {
                return forwarded("agnhost-replica", backend_port, cat("get", question));
            }
            return HttpResponse::error(400);
        }
        if (request.path == "/register") return json_response({{"message", "Registered"}});
        // A replica has no copy of its own: it asks its primary each time, so it cannot lag behind.
        if (request.path == "/get") {
            if (!primary.empty()) return forwarded(primary, "6379", cat("get", question));
            const auto found = values->find(key);
            return json_response({{"data", found == values->end() ? "" : found->second}});
        }
        if (request.path == "/set") {
            (*values)[key] = at(request, "value");
            return json_response({{"message", "Updated"}});
        }
        return HttpResponse::error(404);
    };
    Service service;
    if (auto listening = service.listen_http(static_cast<uint16_t>(*port), answer); !listening) {
        std::fprintf(stderr, "%s\n", listening.error().text().c_str());
        return 1;
    }
    if (!primary.empty()) print_line(cat("Registered to node: ", primary));
    return service.run();
}

int php_guestbook_main(const Strings&, const Strings& env) {
    const bool by_env = variable(env, "GET_HOSTS_FROM") == "env";
    const auto host = [&](std::string_view name, std::string_view by_variable) {
        const std::string_view value = variable(env, by_variable);
        return std::string(by_env && !value.empty() ? value : name);
    };
    const std::string leader = host("redis-leader", "REDIS_LEADER_SERVICE_HOST");
    const std::string follower = host("redis-follower", "REDIS_FOLLOWER_SERVICE_HOST");
    Service service;
    const auto answer = [=](const HttpRequest& request) {
        if (request.path == "/" || request.path == "/index.html") {
            return HttpResponse::text(
                "<!DOCTYPE html>\n<html><head><title>Guestbook</title></head>\n<body>"
                "<h1>Guestbook</h1><form action=\"guestbook.php\"><input type=\"hidden\" "
                "name=\"cmd\" value=\"set\"><input name=\"value\"><button>Submit</button></form>"
                "</body></html>\n",
                "text/html; charset=utf-8");
        }
        if (request.path != "/guestbook.php") return HttpResponse::error(404);
        const std::string command = request.parameter("cmd").value_or("");
        const std::string key = request.parameter("key").value_or("guestbook");
        HttpResponse out;
        out.in_child = [=, value = request.parameter("value").value_or("")] {
            const bool set = command == "set";
            const auto reply = set ? redis::ask(leader, "6379", {"SET", key, value})
                                   : redis::ask(follower, "6379", {"GET", key});
            if (!reply) return HttpResponse::error(500);
            const Json body =
                set ? Json{{"message", "Updated"}} : Json{{"data", redis::text_of(*reply)}};
            return HttpResponse::text(cat("{\"", set ? "message" : "data", "\": ",
                                          to_text(set ? body["message"] : body["data"]), "}"),
                                      "application/json");
        };
        return out;
    };
    service.set_log([](const HttpRequest& request, const HttpResponse& response, size_t bytes) {
        print_line(cat(request.peer_address, " - - [", log_time(), "] \"", request.method, ' ',
                       request.target, "\" ", response.status, ' ', bytes));
    });
    if (auto listening = service.listen_http(80, answer); !listening) {
        std::fprintf(stderr, "%s\n", listening.error().text().c_str());
        return 1;
    }
    return service.run();
}

}  // namespace kin::images
