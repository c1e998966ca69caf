#include "core/api/status.h"

#include <algorithm>

#include "core/api/kinds.h"
#include "core/base/strings.h"

namespace kin {

namespace {

/// As Go prints a value in such messages: texts in quotes, everything else as JSON.
std::string shown(const Json& value) { return to_text(value); }

Cause cause(std::string_view reason, std::string message, std::string_view field) {
    return {std::string(reason), std::move(message), std::string(field)};
}

Status plain(int code, std::string_view reason, std::string message) {
    Status status;
    status.code = code;
    status.reason = reason;
    status.message = std::move(message);
    return status;
}

/// A Status about one object; details name the resource ("pods"), as upstream does.
Status about(const Kind& kind, std::string_view name, int code, std::string_view reason,
             std::string message) {
    Status status = plain(code, reason, std::move(message));
    status.name = name;
    status.group = kind.group;
    status.kind = kind.plural;
    return status;
}

std::string sentence(const std::vector<Cause>& causes) {
    std::vector<std::string> parts;
    for (const Cause& one : causes) {
        std::string part = one.field.empty() ? one.message : cat(one.field, ": ", one.message);
        if (std::find(parts.begin(), parts.end(), part) == parts.end())
            parts.push_back(std::move(part));
    }
    if (parts.size() == 1) return parts.front();
    return cat('[', join(parts, ", "), ']');
}

}  // namespace

Cause field_required(std::string_view field, std::string_view detail) {
    return cause("FieldValueRequired",
                 detail.empty() ? "Required value" : cat("Required value: ", detail), field);
}

Cause field_invalid(std::string_view field, const Json& value, std::string_view detail) {
    return cause("FieldValueInvalid", cat("Invalid value: ", shown(value), ": ", detail), field);
}

Cause field_not_supported(std::string_view field, const Json& value,
                          const std::vector<std::string>& supported) {
    std::vector<std::string> quoted;
    for (const std::string& one : supported) quoted.push_back(shown(one));
    std::string message = cat("Unsupported value: ", shown(value));
    if (!quoted.empty()) message += cat(": supported values: ", join(quoted, ", "));
    return cause("FieldValueNotSupported", std::move(message), field);
}

Cause field_forbidden(std::string_view field, std::string_view detail) {
    return cause("FieldValueForbidden", cat("Forbidden: ", detail), field);
}

Cause field_duplicate(std::string_view field, const Json& value) {
    return cause("FieldValueDuplicate", cat("Duplicate value: ", shown(value)), field);
}

Cause field_not_found(std::string_view field, const Json& value) {
    return cause("FieldValueNotFound", cat("Not found: ", shown(value)), field);
}

Cause field_too_long(std::string_view field, size_t limit) {
    return cause("FieldValueTooLong", cat("Too long: may not be more than ", limit, " bytes"),
                 field);
}

Cause field_too_many(std::string_view field, size_t actual, size_t limit) {
    return cause("FieldValueTooMany",
                 cat("Too many: ", actual, ": must have at most ", limit, " items"), field);
}

Json Status::to_json() const {
    Json details = Json::object();
    if (!name.empty()) details["name"] = name;
    if (!group.empty()) details["group"] = group;
    if (!kind.empty()) details["kind"] = kind;
    if (!uid.empty()) details["uid"] = uid;
    for (const Cause& one : causes) {
        Json entry = Json::object();
        if (!one.reason.empty()) entry["reason"] = one.reason;
        if (!one.message.empty()) entry["message"] = one.message;
        if (!one.field.empty()) entry["field"] = one.field;
        details["causes"].push_back(std::move(entry));
    }
    if (retry_after_seconds > 0) details["retryAfterSeconds"] = retry_after_seconds;
    Json json = {{"kind", "Status"},
                 {"apiVersion", "v1"},
                 {"metadata", Json::object()},
                 {"status", "Failure"},
                 {"code", code}};
    if (!message.empty()) json["message"] = message;
    if (!reason.empty()) json["reason"] = reason;
    // kubectl debug reads the details of any 404, and crashes if there are none.
    if (!details.empty() || code == 404) json["details"] = std::move(details);
    return json;
}

Status bad_request(std::string message) { return plain(400, "BadRequest", std::move(message)); }

Status not_found(const Kind& kind, std::string_view name) {
    return about(kind, name, 404, "NotFound", cat(kind.resource(), " \"", name, "\" not found"));
}

Status already_exists(const Kind& kind, std::string_view name) {
    return about(kind, name, 409, "AlreadyExists",
                 cat(kind.resource(), " \"", name, "\" already exists"));
}

Status conflict(const Kind& kind, std::string_view name, std::string_view why) {
    return about(
        kind, name, 409, "Conflict",
        cat("Operation cannot be fulfilled on ", kind.resource(), " \"", name, "\": ", why));
}

Status invalid(const Kind& kind, std::string_view name, std::vector<Cause> causes) {
    return invalid_of(kind.group, kind.kind, name, std::move(causes));
}

Status invalid_of(std::string_view group, std::string_view kind, std::string_view name,
                  std::vector<Cause> causes) {
    const std::string full = group.empty() ? std::string(kind) : cat(kind, '.', group);
    Status status =
        plain(422, "Invalid", cat(full, " \"", name, "\" is invalid: ", sentence(causes)));
    status.name = name;
    status.group = group;
    status.kind = kind;
    status.causes = std::move(causes);
    return status;
}

Status forbidden(const Kind& kind, std::string_view name, std::string_view why) {
    const std::string what =
        name.empty() ? kind.resource() : cat(kind.resource(), " \"", name, '"');
    return about(kind, name, 403, "Forbidden", cat(what, " is forbidden: ", why));
}

Status method_not_allowed() {
    return plain(405, "MethodNotAllowed",
                 "the server does not allow this method on the requested resource");
}

Status gone(std::string message) { return plain(410, "Expired", std::move(message)); }

Status unsupported_media_type(std::string message) {
    return plain(415, "UnsupportedMediaType", std::move(message));
}

Status internal_error(std::string_view why) {
    Status status = plain(500, "InternalError", cat("Internal error occurred: ", why));
    status.causes.push_back({"", std::string(why), ""});
    return status;
}

Status internal_error(const Error& error) { return internal_error(error.text()); }

}  // namespace kin
