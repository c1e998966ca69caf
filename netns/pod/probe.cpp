#include "netns/pod/probe.h"

#include <algorithm>

#include "core/base/strings.h"

namespace kin::netns {
namespace {

PortRef port_at(const Json& json) {
    const Json* port = find(json, "port");
    if (!port) return {};
    if (port->is_string()) return {0, port->get<std::string>()};
    return {static_cast<uint16_t>(int_at(json, {"port"})), ""};
}

bool has_header(const HttpTarget& target, std::string_view name) {
    return std::any_of(target.headers.begin(), target.headers.end(), [&](const auto& header) {
        return to_lower(header.first) == to_lower(name);
    });
}

std::string in_quotes(const std::string& text) { return cat('"', text, '"'); }

}  // namespace

std::string_view name_of(ProbeKind kind) {
    switch (kind) {
        case ProbeKind::kStartup:
            return "Startup";
        case ProbeKind::kLiveness:
            return "Liveness";
        default:
            return "Readiness";
    }
}

HttpTarget decode_http_target(const Json& http_get) {
    HttpTarget out;
    out.host = string_at(http_get, {"host"});
    out.port = port_at(http_get);
    out.tls = string_at(http_get, {"scheme"}) == "HTTPS";
    out.path = string_at(http_get, {"path"}, "/");
    if (!out.path.starts_with('/')) out.path = '/' + out.path;
    for (const Json& header : array_at(http_get, {"httpHeaders"})) {
        out.headers.emplace_back(string_at(header, {"name"}), string_at(header, {"value"}));
    }
    return out;
}

std::string url_of(const HttpTarget& target, std::string_view address, uint16_t port) {
    return cat(target.tls ? "https://" : "http://", address, ':', port, target.path);
}

HttpQuestion question_of(const HttpTarget& target, std::string_view address, uint16_t port,
                         std::string_view user_agent) {
    HttpQuestion out{target.tls, target.path, cat(address, ':', port), {}};
    if (!has_header(target, "User-Agent")) out.headers.emplace_back("User-Agent", user_agent);
    if (!has_header(target, "Accept")) out.headers.emplace_back("Accept", "*/*");
    for (const auto& [name, value] : target.headers) {
        if (to_lower(name) == "host") {
            out.host = value;
        } else if (!value.empty()) {  // An empty Accept or User-Agent asks for none at all.
            out.headers.emplace_back(name, value);
        }
    }
    return out;
}

uint16_t resolve(const PortRef& port, const std::vector<ContainerPort>& ports) {
    if (port.name.empty()) return port.number;
    for (const ContainerPort& candidate : ports) {
        if (candidate.name == port.name) return candidate.port;
    }
    return parse_number<uint16_t>(port.name).value_or(0);
}

std::optional<ProbeSpec> decode_probe(const Json& probe) {
    if (!probe.is_object()) return {};
    ProbeSpec out;
    if (const Json* http = find(probe, "httpGet")) {
        out.action = ProbeSpec::Action::kHttp;
        out.http = decode_http_target(*http);
    } else if (const Json* tcp = find(probe, "tcpSocket")) {
        out.action = ProbeSpec::Action::kTcp;
        out.http = decode_http_target(*tcp);
    } else if (const Json* grpc = find(probe, "grpc")) {
        out.action = ProbeSpec::Action::kGrpc;
        out.http = decode_http_target(*grpc);
        out.service = string_at(*grpc, {"service"});
    } else {
        for (const Json& word : array_at(probe, {"exec", "command"})) {
            if (word.is_string()) out.command.push_back(word.get<std::string>());
        }
    }
    const auto seconds = [&](std::string_view field, int64_t otherwise) {
        return std::chrono::seconds(int_at(probe, {field}, otherwise));
    };
    out.initial_delay = seconds("initialDelaySeconds", 0);
    out.period = std::max(seconds("periodSeconds", 10), std::chrono::seconds(1));
    out.timeout = std::max(seconds("timeoutSeconds", 1), std::chrono::seconds(1));
    out.success_threshold = static_cast<int>(int_at(probe, {"successThreshold"}, 1));
    out.failure_threshold = static_cast<int>(int_at(probe, {"failureThreshold"}, 3));
    if (find(probe, "terminationGracePeriodSeconds")) {
        out.grace = seconds("terminationGracePeriodSeconds", 0);
    }
    return out;
}

ProbeOutcome outcome_of(const ProbeSpec& probe, const CallResult& result, const std::string& url) {
    switch (probe.action) {
        case ProbeSpec::Action::kHttp:
            if (!result.error.empty()) {
                return {false, cat("Get ", in_quotes(url), ": ", result.error)};
            }
            if (result.code >= 200 && result.code < 400) return {true, ""};
            return {false, cat("HTTP probe failed with statuscode: ", result.code)};
        case ProbeSpec::Action::kExec:
            if (!result.error.empty()) return {false, result.error};
            return {result.code == 0, result.body};
        default:
            return {result.error.empty(), result.error};
    }
}

}  // namespace kin::netns
