#include "apiserver/proxy_target.h"

#include <algorithm>
#include <random>

#include "core/api/views.h"
#include "core/base/strings.h"

namespace kin::apiserver {

namespace {
Status unavailable(std::string message) {
    Status status;
    status.code = 503;
    status.reason = "ServiceUnavailable";
    status.message = std::move(message);
    return status;
}

struct ProxyName {
    std::string name, port;
};

/// "name", "name:port", "scheme:name:port"; a scheme with the default port is "http:name:".
Answer<ProxyName> parse_name(const std::string& text, std::string_view what) {
    const auto pieces = split(text, ':');
    const std::vector<std::string> parts(pieces.begin(), pieces.end());
    if (parts.size() > 3 || parts[0].empty())
        return bad_request(cat("invalid ", what, " request \"", text, '"'));
    if (parts.size() < 3) return ProxyName{parts[0], parts.size() == 2 ? parts[1] : ""};
    if (parts[0] == "https")
        return bad_request(cat("kin speaks http with a ", what, "'s port, not https"));
    if (parts[0] != "http") return bad_request(cat("invalid ", what, " request \"", text, '"'));
    return ProxyName{parts[1], parts[2]};
}

std::string first_port(const Json& pod) {
    for (const Json& container : array_at(pod, {"spec", "containers"}))
        for (const Json& port : array_at(container, {"ports"}))
            return std::to_string(int_at(port, {"containerPort"}));
    return "80";
}

Answer<ProxyTarget> pod_target(const Store& store, const ApiPath& path) {
    TRY_ASSIGN(const ProxyName wanted, parse_name(path.name, "pod"));
    const StoredPtr stored = store.find("pods", {path.ns, wanted.name});
    if (!stored) return not_found(*find_kind_of("v1", "Pod"), wanted.name);
    const auto pod = json_of(*stored);
    const auto port =
        parse_number<uint16_t>(wanted.port.empty() ? first_port(*pod) : wanted.port);
    if (!port || *port == 0) return bad_request(cat("invalid port \"", wanted.port, '"'));
    const std::string ip = string_at(*pod, {"status", "podIP"});
    if (ip.empty()) return bad_request("address not allowed");
    return ProxyTarget{{path.ns, wanted.name}, *port, cat(ip, ':', *port)};
}

/// The name of the Service's port that the client means by name or number.
Answer<std::string> port_name(const Service& service, const std::string& wanted) {
    const auto number = parse_number<int>(wanted);
    if (!number) return wanted;
    for (const ServicePort& port : service.ports)
        if (port.port == *number) return port.name;
    return unavailable(
        cat("no service port ", *number, " found for service \"", service.key().name, '"'));
}

Answer<ProxyTarget> service_target(const Store& store, const ApiPath& path) {
    TRY_ASSIGN(const ProxyName wanted, parse_name(path.name, "service"));
    const StoredPtr stored = store.find(Service::kResource, {path.ns, wanted.name});
    if (!stored) return not_found(*find_kind_of("v1", "Service"), wanted.name);
    TRY_ASSIGN(const std::string port, port_name(decode<Service>(json_of(*stored)), wanted.port));
    std::vector<ProxyTarget> targets;
    for (const StoredPtr& one : store.list(EndpointSlice::kResource, path.ns).objects) {
        const auto label = one->labels.find("kubernetes.io/service-name");
        if (label == one->labels.end() || label->second != wanted.name) continue;
        const auto slice = decode<EndpointSlice>(json_of(*one));
        for (const EndpointsPort& way : slice.ports) {
            if (way.name != port || way.port == 0) continue;
            for (const auto& endpoint : slice.endpoints)
                if (endpoint.ready && !endpoint.target.name.empty() && !endpoint.addresses.empty())
                    targets.push_back({endpoint.target, static_cast<uint16_t>(way.port),
                                       cat(endpoint.addresses[0], ':', way.port)});
        }
    }
    if (targets.empty())
        return unavailable(cat("no endpoints available for service \"", path.name, '"'));
    thread_local std::minstd_rand random{std::random_device{}()};
    return targets[random() % targets.size()];
}

/// What is between the client and this server only, or says who the client is here.
bool stays_here(std::string_view name) {
    static constexpr std::string_view kNames[] = {
        "host",    "connection", "keep-alive",     "te",           "trailer",      "transfer-encoding",
        "upgrade", "expect",     "content-length", "authorization", "x-kin-page"};
    const std::string lower = to_lower(name);
    return std::ranges::find(kNames, lower) != std::end(kNames) || lower.starts_with("proxy-") ||
           lower.starts_with("impersonate-") || lower.starts_with("x-remote-") ||
           lower.starts_with("x-forwarded-");
}

std::string_view upgrade_of(const http::Request& request) {
    return request.headers.has_token("Connection", "upgrade") ? request.headers.get("Upgrade") : "";
}
}  // namespace

Answer<ProxyTarget> find_proxy_target(const Store& store, const ApiPath& path) {
    return path.plural == "pods" ? pod_target(store, path) : service_target(store, path);
}

std::string_view proxy_prefix(std::string_view path) {
    constexpr int kSegments = 7;  // api v1 namespaces NS pods NAME proxy
    size_t at = 0;
    for (int i = 0; i < kSegments; ++i) {
        at = path.find_first_not_of('/', at);
        if (at == std::string_view::npos) return path;
        at = std::min(path.find('/', at), path.size());
    }
    return path.substr(0, at);
}

std::string proxied_request(const http::Request& request, const ProxyTarget& target) {
    const std::string_view prefix = proxy_prefix(request.raw_path);
    const std::string_view path = std::string_view(request.target).substr(prefix.size());
    std::string out = cat(request.method, ' ', path.starts_with('/') ? "" : "/", path,
                          " HTTP/1.1\r\nHost: ", target.host, "\r\n");
    for (const auto& [name, value] : request.headers)
        if (!stays_here(name)) out += cat(name, ": ", value, "\r\n");
    const std::string& client = request.peer.address;
    if (!client.empty())
        out += cat("X-Forwarded-For: ", client.substr(0, client.rfind(':')), "\r\n");
    out += cat("X-Forwarded-Uri: ", request.raw_path, "\r\nX-Forwarded-Host: ",
               request.headers.get("Host"), "\r\nX-Forwarded-Proto: ",
               request.peer.door == http::Peer::Door::kTls ? "https" : "http", "\r\n");
    const bool has_body = !request.body.empty() || request.method == "POST" ||
                          request.method == "PUT" || request.method == "PATCH";
    if (has_body) out += cat("Content-Length: ", request.body.size(), "\r\n");
    const std::string_view upgrade = upgrade_of(request);
    if (upgrade.empty())
        out += "Connection: close\r\n";
    else
        out += cat("Connection: Upgrade\r\nUpgrade: ", upgrade, "\r\n");
    return cat(out, "\r\n", request.body);
}

std::string proxied_answer(std::string_view head, std::string_view prefix) {
    size_t end = head.find("\r\n");
    std::string out(head.substr(0, end));
    if (!out.starts_with("HTTP/1.")) return {};
    const bool switches = out.substr(std::min<size_t>(9, out.size())).starts_with("101");
    out += "\r\n";
    while (end != std::string_view::npos && end + 2 < head.size()) {
        const size_t begin = end + 2;
        end = head.find("\r\n", begin);
        const std::string_view line = head.substr(begin, end - begin);
        const size_t colon = line.find(':');
        if (line.empty() || colon == std::string_view::npos) continue;
        const std::string name = to_lower(line.substr(0, colon));
        const std::string_view value = trim(line.substr(colon + 1));
        if (!switches && (name == "connection" || name == "keep-alive")) continue;
        const bool here = name == "location" && value.starts_with('/') && !value.starts_with("//");
        out += here ? cat("Location: ", prefix, value) : std::string(line);
        out += "\r\n";
    }
    return cat(out, switches ? "" : "Connection: close\r\n", "\r\n");
}

}  // namespace kin::apiserver
