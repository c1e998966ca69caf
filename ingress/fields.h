#pragma once

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace kin::ingress {

/// Header fields as the proxy sees them: which are its own business, and which pass.

using FieldList = std::vector<std::pair<std::string_view, std::string_view>>;

/// The fields that the proxy acts on.
enum class Field {
    kOther,
    // How the message is framed, and between whom.
    kConnection,
    kContentLength,
    kExpect,
    kHost,
    kKeepAlive,
    kProxyAuthorization,
    kProxyConnection,
    kTe,
    kTrailer,
    kTransferEncoding,
    kUpgrade,
    // What the proxy says itself; from a client it would be believed.
    kForwarded,
    kProxy,
    kXForwarded,  ///< "X-Forwarded-" and anything
    kXOriginalForwardedFor,
    kXRealIp,
    kXRequestId,
    kXScheme,
    // What is only looked at.
    kReferer,
    kDate,
    kServer,
    kStrictTransportSecurity,
    kUserAgent,
    kHttp2Settings,
};
Field classify(std::string_view name);

/// Says where a message ends, or to whom it goes: never in a trailer.
bool is_framing(Field field);
/// Whether a field of a request is passed on as it is. Names of other letters than [A-Za-z0-9-]
/// are not: with '_' a backend may take them for another field's.
bool is_forwarded(Field field, std::string_view name);

bool equal_ignoring_case(std::string_view left, std::string_view right);
/// Whether the comma-separated list `value` holds `token`.
bool has_token(std::string_view value, std::string_view token);
std::string_view blanks_off(std::string_view text);

struct FieldLine {
    std::string_view name, value;
};
/// "Name: value", without its line end. Nothing if it is no proper field.
std::optional<FieldLine> parse_field(std::string_view line);

/// The value of the only or first field of that kind; "" if there is none.
std::string_view first_of(const FieldList& fields, Field kind);

/// The names that Connection fields list: they end here, too.
class Nominated {
public:
    explicit Nominated(const FieldList& fields);
    bool holds(std::string_view name) const;
    bool close() const { return holds("close"); }

private:
    std::vector<std::string_view> names_;
};

}  // namespace kin::ingress
