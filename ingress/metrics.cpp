#include "ingress/metrics.h"

#include <algorithm>
#include <iterator>

#include "core/base/strings.h"

namespace kin::ingress {

namespace {
/// Methods that clients make up are counted together.
std::string_view known(std::string_view method) {
    constexpr std::string_view kMethods[] = {"GET",    "HEAD",  "POST",   "PUT",
                                             "DELETE", "PATCH", "OPTIONS"};
    const auto found = std::find(std::begin(kMethods), std::end(kMethods), method);
    return found == std::end(kMethods) ? "other" : *found;
}

std::string in_quotes(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        if (c == '\n')
            out += "\\n";
        else
            out += c;
    }
    return out + "\"";
}

/// "shop/web" as a pair; what has no '/' is all name.
std::pair<std::string_view, std::string_view> split_key(std::string_view key) {
    const size_t slash = key.find('/');
    if (slash == std::string_view::npos) return {"", key};
    return {key.substr(0, slash), key.substr(slash + 1)};
}
}  // namespace

void Metrics::count(const AccessRecord& record, std::chrono::steady_clock::time_point ended) {
    const std::tuple key(record.ingress, record.path, record.backend, known(record.method),
                         record.status);
    auto found = counters_.find(key);
    if (found == counters_.end())
        found = counters_
                    .emplace(Key(std::string(record.ingress), std::string(record.path),
                                 std::string(record.backend), std::string(known(record.method)),
                                 record.status),
                             Counters())
                    .first;
    Counters& counters = found->second;
    ++counters.requests;
    counters.request_bytes += record.request_bytes;
    counters.response_bytes += record.body_bytes;
    counters.seconds += std::chrono::duration<double>(ended - record.began).count();
}

std::string Metrics::to_text(size_t connections, size_t idle_endpoint_connections) const {
    const auto family = [this](std::string_view name, std::string_view type, auto value) {
        std::string out = cat("# TYPE ", name, " ", type, "\n");
        for (const auto& [key, counters] : counters_) {
            const auto& [ingress, path, backend, method, status] = key;
            const auto [ns, ingress_name] = split_key(ingress);
            const auto [backend_ns, service] = split_key(backend);
            out += cat(name, "{namespace=", in_quotes(ns), ",ingress=", in_quotes(ingress_name),
                       ",path=", in_quotes(path),
                       ",service=", in_quotes(service.substr(0, service.find(':'))),
                       ",method=", in_quotes(method), ",status=\"", status, "\"} ", value(counters),
                       "\n");
        }
        return out;
    };
    std::string out = family("nginx_ingress_controller_requests", "counter",
                             [](const Counters& c) { return c.requests; });
    out += family("nginx_ingress_controller_request_bytes_total", "counter",
                  [](const Counters& c) { return c.request_bytes; });
    out += family("nginx_ingress_controller_response_bytes_total", "counter",
                  [](const Counters& c) { return c.response_bytes; });
    out += family("nginx_ingress_controller_request_seconds_total", "counter",
                  [](const Counters& c) { return std::to_string(c.seconds); });
    out += cat("# TYPE nginx_ingress_controller_nginx_process_connections gauge\n",
               "nginx_ingress_controller_nginx_process_connections{state=\"active\"} ", connections,
               "\n# TYPE kin_ingress_idle_endpoint_connections gauge\n",
               "kin_ingress_idle_endpoint_connections ", idle_endpoint_connections, "\n");
    return out;
}

}  // namespace kin::ingress
