#include "apiserver/respond.h"

#include "core/api/yaml.h"
#include "core/base/strings.h"

namespace kin::apiserver {

http::Response object_response(int code, std::string body, Form form) {
    if (form == Form::kYaml) {
        if (const auto json = parse_json(body)) {
            return {code, "application/yaml", to_yaml(*json)};
        }
    }
    body.push_back('\n');
    http::Response response(code, "application/json", std::move(body));
    response.headers.add("Cache-Control", "no-cache, private");
    return response;
}

http::Response json_response(int code, const Json& body) {
    return object_response(code, to_text(body));
}

http::Response text_response(int code, std::string_view text) {
    return {code, "text/plain; charset=utf-8", text};
}

http::Response status_response(const Status& status) {
    http::Response response = json_response(status.code, status.to_json());
    if (status.retry_after_seconds > 0) {
        response.headers.add("Retry-After", cat(status.retry_after_seconds));
    }
    return response;
}

void add_warnings(http::Response& response, const std::vector<std::string>& warnings) {
    // Clients limit the size of all headers together; upstream's limit for warnings is the same.
    constexpr size_t kMostBytes = 4096;
    size_t bytes = 0;
    for (const std::string& text : warnings) {
        std::string quoted;
        for (const char c : text) {
            if (c == '"' || c == '\\') quoted.push_back('\\');
            quoted.push_back(static_cast<unsigned char>(c) < 0x20 ? ' ' : c);
        }
        bytes += quoted.size();
        if (bytes > kMostBytes) break;
        response.headers.add("Warning", cat("299 - \"", quoted, '"'));
    }
}

http::Response refusal(int code, std::string_view why) {
    Status status;
    status.code = code;
    status.message = std::string(why);
    switch (code) {
        case 400:
            status.reason = "BadRequest";
            break;
        case 408:
            status.reason = "Timeout";
            break;
        case 413:
            status.reason = "RequestEntityTooLarge";
            status.message = cat("Request entity too large: ", why);
            break;
        case 500:
            return status_response(internal_error(why));
        default:
            status.reason = std::string(http::reason_phrase(code));
            std::erase(status.reason, ' ');
            break;
    }
    return status_response(status);
}

}  // namespace kin::apiserver
