#include "core/base/assert.h"
#include "core/base/strings.h"
#include "ingress/body.h"
#include "ingress/dns_message.h"
#include "ingress/request_head.h"
#include "ingress/response_head.h"
#include "parsers.h"

namespace kin::test {
namespace {

using namespace kin::ingress;

/// What is passed on is a request that the proxy itself would take, and would read in the same way:
/// nothing in the client's can become a second request, another host or another length.
void read_ingress_request(std::string_view bytes) {
    const auto end = http::find_head_end(bytes, kHeadLimits);
    const auto* size = std::get_if<size_t>(&end);
    if (!size || *size == 0) return;
    const auto read = read_request(bytes.substr(0, *size));
    const auto* request = std::get_if<ProxyRequest>(&read);
    if (!request) return;
    const std::string& path = request->target.path;
    KIN_ASSERT(path.starts_with('/') && cat(path, '/').find("/../") == std::string::npos);
    if (request->target.host.empty()) return;
    const std::string head =
        endpoint_head(*request, encode_path(path), {"10.0.0.1", Door::kHttp, "id"});
    KIN_ASSERT(head.find("\r\n\r\n") == head.size() - 4);
    // The proxy's own fields may take it over the limits that hold for clients.
    if (head.size() > kHeadLimits.total_bytes || request->head.fields.size() > 80) return;
    if (encode_path(path).size() > kHeadLimits.target_bytes) return;
    const auto again = read_request(head);
    const auto* passed = std::get_if<ProxyRequest>(&again);
    KIN_ASSERT(passed && passed->framing == request->framing);
    KIN_ASSERT(passed->head.length_bytes == request->head.length_bytes);
    KIN_ASSERT(passed->head.method == request->head.method);
    KIN_ASSERT(passed->target.host == request->target.host && passed->target.path == path);
    KIN_ASSERT(passed->upgrade == request->upgrade);
}

/// What the client is told is what the endpoint said.
void read_ingress_response(std::string_view bytes) {
    const size_t size = find_response_head(bytes);
    if (size == 0) return;
    KIN_ASSERT(size <= bytes.size());
    const auto read = read_response(bytes.substr(0, size), false);
    const auto* response = std::get_if<ResponseHead>(&read);
    // The proxy's own fields may take it over the limit that holds for endpoints.
    if (!response || response->fields.size() > 250) return;
    for (const int minor_version : {0, 1}) {
        const ClientSide side = client_side(*response, minor_version, true);
        const std::string head = client_head(*response, side);
        KIN_ASSERT(find_response_head(head) == head.size());
        const auto again = read_response(head, false);
        const auto* told = std::get_if<ResponseHead>(&again);
        KIN_ASSERT(told && told->status == response->status && told->framing == side.framing);
        KIN_ASSERT(told->framing != Framing::kLength ||
                   told->length_bytes == response->length_bytes);
    }
}

/// Addresses come from answers alone, four bytes each.
void read_dns_answer(std::string_view bytes) {
    const auto answer =
        read_address_answer(0x4142, {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
    if (!answer) return;
    KIN_ASSERT(answer->addresses.size() * 4 <= bytes.size());
    KIN_ASSERT(answer->addresses.empty() == (answer->what != AddressAnswer::What::kAddresses));
}

struct Passed {
    Body::Step step = Body::Step::kMore;
    std::string out;
    size_t used = 0;
};
Passed pass(std::string_view bytes, Framing to, size_t piece) {
    Body body(Framing::kChunked, 0, to);
    Passed passed;
    while (passed.used < bytes.size() && passed.step == Body::Step::kMore) {
        std::string_view part = bytes.substr(passed.used, piece);
        const size_t before = part.size();
        passed.step = body.pass(part, passed.out);
        passed.used += before - part.size();
    }
    return passed;
}

/// A body is the same however the network cuts it, and what is made of it means the same.
void read_ingress_body(std::string_view bytes) {
    const Passed whole = pass(bytes, Framing::kUntilClose, std::max<size_t>(bytes.size(), 1));
    const Passed cut = pass(bytes, Framing::kUntilClose, 1);
    KIN_ASSERT(whole.step == cut.step && whole.used == cut.used && whole.out == cut.out);
    if (whole.step != Body::Step::kDone) return;
    const Passed framed = pass(bytes, Framing::kChunked, 3);
    const Passed again = pass(framed.out, Framing::kUntilClose, 1000);
    KIN_ASSERT(again.step == Body::Step::kDone && again.used == framed.out.size());
    KIN_ASSERT(again.out == whole.out);
}

const std::vector<std::string> kRequests = {
    "GET /a%20b/../c?d=e HTTP/1.1\r\nHost: shop.example.com:8080\r\nX-Forwarded-For: 1\r\n\r\n",
    "POST http://shop/x HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n"
    "Connection: close, X-Hop\r\nX-Hop: 1\r\nExpect: 100-continue\r\n\r\n",
    "GET /ws HTTP/1.1\r\nHost: [::1]\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "PUT / HTTP/1.0\r\nContent-Length: 5\r\nHost: a.\r\nConnection: keep-alive\r\n\r\n"};
const std::vector<std::string> kResponses = {
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nServer: x\r\nConnection: keep-alive\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    "HTTP/1.0 404 Not Found\nSet-Cookie: a=b\n\n",
    "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"};
const std::vector<std::string> kDnsAnswers = {
    std::string("AB\x81\x80\0\1\0\2\0\0\0\0\3web\0\0\1\0\1"
                "\xC0\x0C\0\5\0\1\0\0\0\x1E\0\4\1a\xC0\x0C"
                "\xC0\x21\0\1\0\1\0\0\0\5\0\4\x0A\x60\0\7",
                53)};
const std::vector<std::string> kBodies = {
    "5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1\r\n",
    "a;name=\"value\"\r\n0123456789\r\n1\r\nx\r\n0\r\nA: b\r\nX-Real-IP: 1\r\n\r\n"};
}  // namespace

std::vector<Parser> ingress_parsers() {
    return {{"IngressRequest", read_ingress_request, kRequests},
            {"IngressResponse", read_ingress_response, kResponses},
            {"IngressBody", read_ingress_body, kBodies},
            {"IngressDnsAnswer", read_dns_answer, kDnsAnswers}};
}

}  // namespace kin::test
