#pragma once

#include <optional>

#include "apiserver/api_path.h"
#include "apiserver/auth.h"
#include "apiserver/negotiate.h"
#include "apiserver/routes.h"

namespace kin::apiserver {

/// One request with what is known about it so far.
struct Routes::Call {
    http::Request& request;
    http::Responder& responder;
    User user;
    ApiPath path;  ///< of requests under /api and /apis
    Form form = Form::kJson;

    Target target() const { return {path.kind, {path.ns, path.name}, path.subresource}; }
};

/// The options that every write's query may carry; a Status if one is malformed.
/// `options_kind` ("CreateOptions") names them in messages.
Answer<WriteOptions> parse_write_options(const http::Request& request,
                                         std::string_view options_kind);

/// What a write gave, as an HTTP response in the form that the call asks for.
http::Response written_response(Answer<Written> written, const Kind& kind,
                                const http::Request& request, Form form);

}  // namespace kin::apiserver
