#include "apiserver/body.h"

#include "core/api/json_text.h"
#include "core/api/protobuf.h"
#include "core/api/yaml.h"
#include "core/base/strings.h"

namespace kin::apiserver {

namespace {
std::string media_type(const http::Request& request) {
    const std::string_view header = request.headers.get("Content-Type");
    return to_lower(trim(header.substr(0, header.find(';'))));
}

Status unreadable(std::string_view expected, const Error& error) {
    return bad_request(cat("the object provided is unrecognized (must be of type ", expected,
                           "): couldn't get version/kind; ", error.text()));
}
}  // namespace

Answer<Body> read_body(const http::Request& request, std::string_view expected) {
    const std::string type = media_type(request);
    if (type == "application/vnd.kubernetes.protobuf" || is_kubernetes_protobuf(request.body)) {
        TRY_ASSIGN(Json json, decode_kubernetes_protobuf(request.body));
        return Body{std::move(json), {}};
    }
    if (type == "application/yaml" || type == "application/apply-patch+yaml") {
        auto json = parse_yaml(request.body);
        if (!json) return unreadable(expected, json.error());
        return Body{std::move(*json), {}};
    }
    if (type.empty() || type == "application/json" || type.ends_with("patch+json")) {
        if (request.body.starts_with("\xEF\xBB\xBF")) {
            return unreadable(expected, Error(Errc::kInvalid,
                                              "json parse error: invalid character 'ï' looking "
                                              "for beginning of value"));
        }
        auto text = parse_json_strict(request.body);
        if (!text) return unreadable(expected, text.error());
        return Body{std::move(text->value), std::move(text->duplicates)};
    }
    return unsupported_media_type(
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json, application/yaml, application/vnd.kubernetes.protobuf");
}

}  // namespace kin::apiserver
