#pragma once

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/http/message.h"

namespace kin {

/// What the lab's doors answer with.
http::Response json_response(int code, const Json& json);
/// {"message": ...} with the status that fits the error.
http::Response refusal(const Error& error);

}  // namespace kin
