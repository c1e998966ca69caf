// Apache's httpd: static files, error pages and its access log as people know them.
#include <cstdio>

#include "core/base/strings.h"
#include "netns/images/programs.h"
#include "netns/images/service.h"

namespace kin::images {
namespace {

constexpr const char* kHttpdRoot = "/usr/local/apache2/htdocs";

void add_page(HttpResponse& response, std::string page, std::string_view type) {
    response.headers.emplace_back("Content-Type", type);
    response.body = std::move(page);
}

void log_common(const HttpRequest& request, const HttpResponse& response, size_t bytes) {
    print_line(cat(request.peer_address, " - - [", log_time(), "] \"",
                   escape_log(request_line(request)), "\" ", response.status, " ",
                   bytes == 0 ? "-" : cat(bytes)));
}

}  // namespace

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
