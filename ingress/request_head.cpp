#include "ingress/request_head.h"

#include <algorithm>

#include "core/base/strings.h"

namespace kin::ingress {

using http::Refusal;
using http::RequestHead;

namespace {
Framing framing_of(RequestHead::Body body) {
    if (body == RequestHead::Body::kLength) return Framing::kLength;
    return body == RequestHead::Body::kChunked ? Framing::kChunked : Framing::kNone;
}

bool is_repeatable(std::string_view method) {
    constexpr std::string_view kRepeatable[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"};
    return std::find(std::begin(kRepeatable), std::end(kRepeatable), method) !=
           std::end(kRepeatable);
}

/// The protocol of an upgrade, if it is one that passes: of h2c the proxy would understand nothing
/// that follows, and so guard nothing.
std::string_view wanted_upgrade(const RequestHead& head, const Nominated& nominated) {
    if (head.minor_version == 0 || !nominated.holds("upgrade")) return {};
    const std::string_view protocol = first_of(head.fields, Field::kUpgrade);
    return has_token(protocol, "h2c") ? std::string_view() : protocol;
}

void add(std::string& out, std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
}

void add_framing(const ProxyRequest& request, std::string& out) {
    if (request.framing == Framing::kChunked) {
        add(out, "Transfer-Encoding", "chunked");
    } else if (request.framing == Framing::kLength) {
        add(out, "Content-Length", std::to_string(request.head.length_bytes));
    } else if (!first_of(request.head.fields, Field::kContentLength).empty()) {
        add(out, "Content-Length", "0");
    }
}

void add_client(const ProxyRequest& request, const ClientFacts& client, std::string& out) {
    const bool tls = client.door == Door::kHttps;
    const std::string_view scheme = tls ? "https" : "http";
    add(out, "X-Request-ID", client.request_id);
    add(out, "X-Real-IP", client.address);
    add(out, "X-Forwarded-For", client.address);
    add(out, "X-Forwarded-Host", request.target.host);
    add(out, "X-Forwarded-Port", tls ? "443" : "80");
    add(out, "X-Forwarded-Proto", scheme);
    add(out, "X-Forwarded-Scheme", scheme);
    add(out, "X-Scheme", scheme);
}
}  // namespace

std::variant<ProxyRequest, Refusal> read_request(std::string_view text) {
    auto parsed = http::parse_head(text, kHeadLimits);
    if (auto* refusal = std::get_if<Refusal>(&parsed)) {
        // 501 for another transfer coding is allowed; that it is refused at all is what counts.
        if (refusal->status == 501) refusal->status = 400;
        return *refusal;
    }
    ProxyRequest request;
    request.head = std::move(std::get<RequestHead>(parsed));
    const RequestHead& head = request.head;
    if (head.method == "CONNECT" || head.method == "TRACE")
        return Refusal{405, "this method is not for a gateway"};
    auto target = read_target(head);
    if (auto* refusal = std::get_if<Refusal>(&target)) return *refusal;
    request.target = std::move(std::get<RequestTarget>(target));
    request.framing = framing_of(head.body);
    const Nominated nominated(head.fields);
    request.keep_alive =
        !nominated.close() && (head.minor_version == 1 || nominated.holds("keep-alive"));
    request.upgrade = wanted_upgrade(head, nominated);
    request.repeatable = is_repeatable(head.method);
    return request;
}

std::string endpoint_head(const ProxyRequest& request, std::string_view target,
                          const ClientFacts& client) {
    std::string out;
    out.reserve(1024);
    out.append(request.head.method).append(" ").append(target).append(" HTTP/1.1\r\n");
    // An endpoint may insist on one, even if the client spoke HTTP/1.0 and named none.
    add(out, "Host", request.target.host);
    add_client(request, client, out);
    const Nominated nominated(request.head.fields);
    for (const auto& [name, value] : request.head.fields) {
        const Field field = classify(name);
        // Kept for whoever wants to know, under a name that nobody trusts.
        if (field == Field::kXForwarded && equal_ignoring_case(name, "X-Forwarded-For"))
            add(out, "X-Original-Forwarded-For", value);
        if (is_forwarded(field, name) && !nominated.holds(name)) add(out, name, value);
    }
    add_framing(request, out);
    if (!request.upgrade.empty()) {
        add(out, "Connection", "Upgrade");
        add(out, "Upgrade", request.upgrade);
    }
    return out.append("\r\n");
}

}  // namespace kin::ingress
