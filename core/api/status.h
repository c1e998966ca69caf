#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"

namespace kin {

struct Kind;

/// One field that is wrong, as Status.details.causes shows it.
struct Cause {
    std::string reason;   ///< "FieldValueInvalid"
    std::string message;  ///< "Invalid value: 70000: must be between 1 and 65535, inclusive"
    std::string field;    ///< "spec.ports[0].port"
};

Cause field_required(std::string_view field, std::string_view detail = "");
Cause field_invalid(std::string_view field, const Json& value, std::string_view detail);
Cause field_not_supported(std::string_view field, const Json& value,
                          const std::vector<std::string>& supported);
Cause field_forbidden(std::string_view field, std::string_view detail);
Cause field_duplicate(std::string_view field, const Json& value);
Cause field_not_found(std::string_view field, const Json& value);
Cause field_too_long(std::string_view field, size_t limit);  ///< limit in bytes
Cause field_too_many(std::string_view field, size_t actual, size_t limit);

/// What a client of the API is told when a request fails (meta/v1 Status).
struct Status {
    int code = 500;
    std::string reason;
    std::string message;
    std::string name, group, kind, uid;  ///< details
    std::vector<Cause> causes;
    int retry_after_seconds = 0;

    Json to_json() const;
    /// So that Expected<T, Status> works with .context(); a Status needs none.
    Status context(std::string_view) && { return std::move(*this); }
};

template <class T>
using Answer = Expected<T, Status>;

Status bad_request(std::string message);
Status not_found(const Kind& kind, std::string_view name);
Status already_exists(const Kind& kind, std::string_view name);
/// "Operation cannot be fulfilled on pods "x": ...".
Status conflict(const Kind& kind, std::string_view name, std::string_view why);
/// 422 with one cause per field; the message is made of them.
Status invalid(const Kind& kind, std::string_view name, std::vector<Cause> causes);
/// The same for option kinds: invalid_of("meta.k8s.io", "ListOptions", "", causes).
Status invalid_of(std::string_view group, std::string_view kind, std::string_view name,
                  std::vector<Cause> causes);
Status forbidden(const Kind& kind, std::string_view name, std::string_view why);
Status method_not_allowed();
Status gone(std::string message);  ///< 410 Expired
Status unsupported_media_type(std::string message);
Status internal_error(std::string_view why);
Status internal_error(const Error& error);

}  // namespace kin
