#pragma once

#include <string>

#include "core/base/result.h"
#include "netns/images/http.h"

namespace kin::images::nginx {

/// Where a request is passed to, and as what.
struct Forward {
    std::string host;
    std::string port;
    std::string target;   ///< "/api/items?x=1"
    HttpHeaders headers;  ///< Set in place of the client's; Host among them.
};
/// "http://api:8080/v1/" in its parts, with an empty target if there is no path. kInvalid: another
/// scheme than http. Pure.
Result<Forward> parse_upstream(const std::string& url);
/// What goes out to the other server. Pure.
std::string forwarded_text(const HttpRequest& request, const Forward& forward);
/// What came back, whole. kInvalid if it is no answer of HTTP. Pure.
Result<HttpResponse> parse_answer(const std::string& bytes);
/// Asks the other server. Blocks until its answer is there.
Result<HttpResponse> forward_to(const Forward& forward, const HttpRequest& request);

}  // namespace kin::images::nginx
