#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kin::images {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

/// One HTTP/1.x request, whole.
struct HttpRequest {
    std::string method;
    std::string target;  ///< As it came, without scheme and authority.
    std::string path;    ///< Decoded, without the query; starts with '/'.
    std::string query;   ///< Undecoded.
    int minor_version = 1;
    HttpHeaders headers;  ///< In their order; names as they came.
    std::string body;
    bool keep_alive = true;
    std::string peer_address;  ///< "10.244.1.7"; an IPv4 client is written as one.
    uint16_t peer_port = 0;
    uint16_t local_port = 0;
    bool tls = false;  ///< It came by TLS.

    /// The first header of that name, case-insensitively; "" if there is none.
    std::string_view header(std::string_view name) const;
    /// The first value of a query parameter, decoded.
    std::optional<std::string> parameter(std::string_view name) const;
};

struct HttpResponse {
    int status = 200;
    HttpHeaders headers;
    std::string body;
    bool close = false;
    /// Set: the answer takes time (it asks others, it sleeps). It is worked out in a forked child,
    /// which answers the client itself; all else here is ignored.
    std::function<HttpResponse()> in_child;

    /// 200 with a Content-Type.
    static HttpResponse text(std::string body, std::string_view type = "text/plain; charset=utf-8");
    static HttpResponse error(int status);  ///< With a short text as body.
};

/// What the bytes of a connection amount to so far.
struct HttpParse {
    enum class State { kIncomplete, kRequest, kInvalid };
    State state = State::kIncomplete;
    HttpRequest request;
    size_t consumed = 0;          ///< kRequest: bytes that belong to it.
    int error_status = 400;       ///< kInvalid.
    bool wants_continue = false;  ///< kIncomplete: the client waits for "100 Continue".
};

constexpr size_t kMaxHead = 16 << 10;  ///< Request line and headers; above: 431, 414.
constexpr size_t kMaxHeaders = 100;
constexpr size_t kMaxBody = 8 << 20;  ///< Above: 413.

/// Pure. Refuses what servers and proxies could understand differently: both lengths, repeated
/// lengths, folded headers, blanks before a colon, bare CR.
HttpParse parse_http(std::string_view bytes);

/// Head and body as they go out. `server` is the Server header, "" for none.
std::string serialize(const HttpResponse& response, const HttpRequest& request,
                      std::string_view server);

std::string_view reason_phrase(int status);
/// "%41+b" -> "A b"; nothing if a % is not followed by two hex digits.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_blank);
/// "Sun, 06 Nov 1994 08:49:37 GMT".
std::string http_date(int64_t unix_seconds);
/// Text that may stand in HTML.
std::string escape_html(std::string_view text);

}  // namespace kin::images
