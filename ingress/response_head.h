#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "ingress/body.h"
#include "ingress/fields.h"

namespace kin::ingress {

/// What the proxy says of itself, in place of what an endpoint says.
inline constexpr std::string_view kServerName = "kin";
/// Of everything that went over TLS, as ingress-nginx has it unless told otherwise (hsts,
/// hsts-max-age, hsts-include-subdomains).
inline constexpr std::string_view kStrictTransport = "max-age=31536000; includeSubDomains";
inline constexpr size_t kMaxResponseHead = 32u << 10;

/// The head of an endpoint's response. Views point into the text that it was read from.
struct ResponseHead {
    int status = 0;
    int minor_version = 1;
    std::string_view reason;
    FieldList fields;
    Framing framing = Framing::kUntilClose;
    uint64_t length_bytes = 0;  ///< Of a kLength body.
    bool keep_alive = true;     ///< The endpoint's connection can be used again.

    bool interim() const { return status < 200 && status != 101; }
};

/// The size of the head at the front of `received`, with its empty line; 0: more must come.
size_t find_response_head(std::string_view received);
/// Lines may end in a bare LF, which small servers send; whatever else could be understood in two
/// ways is refused, and the text says why. `to_head`: it answers a HEAD request.
std::variant<ResponseHead, std::string_view> read_response(std::string_view text, bool to_head);

/// How the client is told the body's end.
struct ClientSide {
    Framing framing = Framing::kNone;
    int minor_version = 1;
    bool keep_alive = true;
    bool tls = false;       ///< Between client and proxy.
    std::string_view date;  ///< For a response that has none (RFC 9110 section 6.6.1); "": none.
};
/// How a response of this head can be sent to a client of HTTP/1.`minor_version`; what ends
/// with the connection ends it.
ClientSide client_side(const ResponseHead& response, int minor_version, bool keep_alive);
/// The head as it goes to the client.
std::string client_head(const ResponseHead& response, const ClientSide& client);

}  // namespace kin::ingress
