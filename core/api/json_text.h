#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"

namespace kin {

struct JsonText {
    Json value;
    /// `duplicate field "spec.ports[0].port"`, once per field; the last value won.
    std::vector<std::string> duplicates;
};

/// Reads a request body: one JSON value, at most 3 MiB and 200 levels. Integers beyond 64 bits
/// become doubles, as in Go. Fails with kInvalid and line and column.
Result<JsonText> parse_json_strict(std::string_view text);

}  // namespace kin
