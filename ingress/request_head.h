#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "core/http/head.h"
#include "ingress/body.h"
#include "ingress/fields.h"
#include "ingress/request_target.h"

namespace kin::ingress {

/// Through which of the pod's ports a request came.
enum class Door { kHttp, kHttps, kStatus };

inline constexpr http::HeadLimits kHeadLimits{
    .total_bytes = 32u << 10, .target_bytes = 8u << 10, .field_bytes = 8u << 10, .fields = 100};

/// A request's head, read and understood. Views point into the text that it was read from.
struct ProxyRequest {
    http::RequestHead head;
    RequestTarget target;
    Framing framing = Framing::kNone;
    bool keep_alive = true;    ///< What the client wants.
    std::string_view upgrade;  ///< The protocol that it asks for on this connection; "": none.
    bool repeatable = false;   ///< Doing it twice is doing it once (RFC 9110 section 9.2.2).
};
/// Refuses what the table of RFC 9112 lets two readers understand differently.
std::variant<ProxyRequest, http::Refusal> read_request(std::string_view text);

/// What the proxy tells the endpoint about the client.
struct ClientFacts {
    std::string_view address;  ///< "10.244.1.7"
    Door door = Door::kHttp;
    std::string_view request_id;
};
/// The head as it goes to the endpoint: `target` instead of the client's, the connection's fields
/// replaced by the proxy's, everything else in its order.
std::string endpoint_head(const ProxyRequest& request, std::string_view target,
                          const ClientFacts& client);

}  // namespace kin::ingress
