// Small applications that tutorials put behind Services.
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "core/base/json.h"
#include "core/base/strings.h"
#include "netns/images/programs.h"
#include "netns/images/service.h"

namespace kin::images {
namespace {

int listen_and_run(Service& service, int port, Service::Answer answer) {
    const auto listening = service.listen_http(static_cast<uint16_t>(port), std::move(answer));
    if (!listening) {
        std::fprintf(stderr, "%s\n", listening.error().text().c_str());
        return 1;
    }
    return service.run();
}

int number_in(const Strings& env, std::string_view name, int otherwise) {
    return parse_number<int>(variable(env, name)).value_or(otherwise);
}

HttpResponse json_response(const Json& body) {
    return HttpResponse::text(to_text(body), "application/json");
}

void log_requests(Service& service) {
    service.set_log([](const HttpRequest& request, const HttpResponse& response, size_t bytes) {
        print_line(cat(request.peer_address, " [", log_time(), "] ", request.method, ' ',
                       request.target, ' ', response.status, ' ', bytes));
    });
}

/// Answers between two times, as an application does that is slow now and then.
HttpResponse after_a_while(const Strings& env, HttpResponse response) {
    const int least = number_in(env, "HEALTH_MIN", 0), most = number_in(env, "HEALTH_MAX", 0);
    if (most <= 0) return response;
    HttpResponse later;
    later.in_child = [least, most, response = std::move(response)] {
        const int range = std::max(most - least, 0) + 1;
        timespec pause{0, 0};
        std::timespec_get(&pause, TIME_UTC);
        const int delay_ms = least + static_cast<int>(pause.tv_nsec / 1000 % range);
        pause = {delay_ms / 1000, delay_ms % 1000 * 1000000L};
        ::nanosleep(&pause, nullptr);
        return response;
    };
    return later;
}

}  // namespace

int simple_service_main(const Strings&, const Strings& env) {
    std::string version(variable(env, "SIMPLE_SERVICE_VERSION"));
    if (version.empty()) version = "0.5.0";
    const int port = number_in(env, "PORT0", 9876);
    Service service;
    log_requests(service);
    return listen_and_run(service, port, [&](const HttpRequest& request) {
        const Json about{
            {"host", request.header("Host")}, {"version", version}, {"from", request.peer_address}};
        if (request.path == "/health") {
            return after_a_while(env, json_response({{"healthy", true}}));
        }
        if (request.path == "/info") return json_response(about);
        if (request.path == "/env") {
            Json variables = Json::object();
            for (const std::string& line : env) {
                variables[line.substr(0, line.find('='))] = line.substr(line.find('=') + 1);
            }
            return json_response({{"version", version}, {"env", variables}});
        }
        if (request.path == "/endpoint0") {
            Json result = about;
            result["result"] = "all is well";
            return json_response(result);
        }
        return HttpResponse::error(404);
    });
}

int hello_node_main(const Strings&, const Strings&) {
    Service service;
    log_requests(service);
    print_line("Magic happens on port 3000");
    return listen_and_run(service, 3000, [](const HttpRequest&) {
        return HttpResponse::text("Hello World", "text/html; charset=utf-8");
    });
}

int simple_app_main(const Strings&, const Strings& env) {
    Service service;
    log_requests(service);
    return listen_and_run(service, number_in(env, "PORT", 8080), [](const HttpRequest&) {
        return HttpResponse::text(cat("Hello world from ", host_name(), " and version 2.0"));
    });
}

int two_ports_main(const Strings&, const Strings&) {
    Service service;
    log_requests(service);
    const auto metrics = service.listen_http(5000, [](const HttpRequest& request) {
        if (request.path != "/metrics") return HttpResponse::error(404);
        return HttpResponse::text("http.requests=3\ngo.goroutines=5\ngo.cpus=1\n");
    });
    if (!metrics) {
        std::fprintf(stderr, "%s\n", metrics.error().text().c_str());
        return 1;
    }
    return listen_and_run(service, 8000, [](const HttpRequest&) {
        return HttpResponse::text("Hello from HTTP server.\n");
    });
}

int kuard_main(const Strings&, const Strings& env) {
    const std::string version(variable(env, "KIN_IMAGE_TAG"));
    Service service;
    log_requests(service);
    print_line(cat("Starting kuard version: ", version));
    print_line("Serving on :8080");
    return listen_and_run(service, 8080, [&](const HttpRequest& request) {
        if (request.path == "/healthy" || request.path == "/ready") return HttpResponse::text("ok");
        if (request.path == "/env/api") {
            Json variables = Json::object();
            for (const std::string& line : env) {
                if (line.starts_with("KIN_")) continue;
                variables[line.substr(0, line.find('='))] = line.substr(line.find('=') + 1);
            }
            return json_response({{"env", variables}});
        }
        if (request.path != "/") return HttpResponse::error(404);
        return HttpResponse::text(cat("<!DOCTYPE html>\n<html><head><title>KUAR "
                                      "Demo</title></head>\n<body>\n<h1>kuard</h1>",
                                      "\n<p>Demo application version <i>", escape_html(version),
                                      "</i></p>\n<p>Serving on ", host_name(), "</p>\n<p>Client ",
                                      request.peer_address, "</p>\n<pre>",
                                      escape_html(cat(request.method, ' ', request.target,
                                                      "\nHost: ", request.header("Host"))),
                                      "</pre>\n</body></html>\n"),
                                  "text/html; charset=utf-8");
    });
}

int starwars_main(const Strings&, const Strings&) {
    Service service;
    log_requests(service);
    return listen_and_run(service, 80, [](const HttpRequest& request) {
        if (request.path == "/v1/request-landing" && request.method == "POST") {
            return HttpResponse::text("Ship landed\n");
        }
        if (request.path == "/v1/exhaust-port" && request.method == "PUT") {
            HttpResponse boom = HttpResponse::text("Panic: deathstar exploded\n");
            boom.status = 503;
            return boom;
        }
        if (request.path == "/v1/" || request.path == "/v1") {
            return json_response({{"name", "Death Star"},
                                  {"hostname", host_name()},
                                  {"model", "DS-1 Orbital Battle Station"}});
        }
        return HttpResponse::error(404);
    });
}

}  // namespace kin::images
