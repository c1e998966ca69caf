#include "kin/lab_client.h"

#include "core/base/strings.h"
#include "core/http/client.h"

namespace kin {

Result<LabAnswer> lab_request(const LabPaths& paths, const std::string& method,
                              const std::string& target, const std::string& body,
                              const std::string& content_type) {
    TRY(find_running(paths));  // Not somebody else, who would learn what is asked and answer it.
    http::Headers headers;
    if (!body.empty()) headers.add("Content-Type", content_type);
    TRY_ASSIGN(auto answer, http::Client(paths.socket()).send(method, target, headers, body));
    return LabAnswer{answer.status, std::move(answer.body)};
}

Result<Json> lab_get(const LabPaths& paths, const std::string& target) {
    TRY_ASSIGN(const LabAnswer answer, lab_request(paths, "GET", target, ""));
    if (answer.status != 200) {
        return Error(Errc::kSystem, cat("the lab answered ", answer.status, ": ", answer.body));
    }
    return parse_json(answer.body);
}

}  // namespace kin
