#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace kin::http {

struct Request;

/// Why a request is not even given to a handler.
struct Refusal {
    int status = 400;
    std::string_view why;
};

/// The head of a request, split but not copied: all views point into the text it was read from.
struct RequestHead {
    enum class Body { kNone, kLength, kChunked };

    std::string_view method;
    std::string_view target;
    int minor_version = 1;  ///< HTTP/1.0 or HTTP/1.1.
    std::vector<std::pair<std::string_view, std::string_view>> fields;
    Body body = Body::kNone;
    uint64_t length_bytes = 0;  ///< Of a kLength body.
    bool keep_alive = true;
    bool expects_continue = false;
};

bool is_token_char(char c);  ///< Of names of fields and of methods (RFC 9110, 5.6.2).
/// Tabs and bytes over 0x7f are allowed inside values; NUL, CR, LF and other controls are not.
bool is_value_char(char c);

struct HeadLimits {
    size_t total_bytes = 64u << 10;
    size_t target_bytes = 32u << 10;  ///< A long `kubectl exec` command line travels in the target.
    size_t field_bytes = 16u << 10;   ///< One line; tokens are long.
    size_t fields = 100;
};

/// Looks for the empty line that ends a head at the start of `received`. Returns the head's size
/// with that line; 0 if more must come; a refusal once it is too long.
std::variant<size_t, Refusal> find_head_end(std::string_view received, const HeadLimits& limits);

/// Reads a complete head as strictly as RFC 9112 allows: whatever two readers could understand
/// differently is refused, because a proxy in front may be the other reader.
std::variant<RequestHead, Refusal> parse_head(std::string_view text, const HeadLimits& limits);

/// Fills method, target, path, query and headers of `request`.
std::optional<Refusal> fill_request(const RequestHead& head, Request& request);

}  // namespace kin::http
