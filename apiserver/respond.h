#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apiserver/negotiate.h"
#include "core/api/status.h"
#include "core/base/json.h"
#include "core/http/message.h"
#include "core/http/server.h"

namespace kin::apiserver {

/// `body` is compact JSON; sent as such or as YAML.
http::Response object_response(int code, std::string body, Form form = Form::kJson);
http::Response json_response(int code, const Json& body);
http::Response text_response(int code, std::string_view text);
http::Response status_response(const Status& status);
/// One Warning header each, as RFC 7234 section 5.5 has it: 299 - "text".
void add_warnings(http::Response& response, const std::vector<std::string>& warnings);
/// The body of what the HTTP server refuses by itself: a Status.
http::Response refusal(int code, std::string_view why);

}  // namespace kin::apiserver
