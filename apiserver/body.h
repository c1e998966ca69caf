#pragma once

#include <string>
#include <vector>

#include "core/api/status.h"
#include "core/base/json.h"
#include "core/http/message.h"

namespace kin::apiserver {

/// A request body as JSON, whatever it was sent as.
struct Body {
    Json json;
    std::vector<std::string> errors;  ///< duplicate fields, for field validation
};

/// Reads JSON (also without a Content-Type), YAML or Kubernetes protobuf; 415 for others, 400 for
/// broken ones. `expected` names the kind in messages.
Answer<Body> read_body(const http::Request& request, std::string_view expected);

}  // namespace kin::apiserver
