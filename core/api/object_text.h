#pragma once

#include <string>

#include "core/api/kinds.h"
#include "core/base/json.h"

namespace kin {

/// The text of an object as it is stored and sent: compact, kind and apiVersion first, so that a
/// list can leave them out by their length alone.
std::string object_text(const Kind& kind, const Json& object);

/// How every stored body of a kind begins: {"kind":"Pod","apiVersion":"v1",
std::string type_prefix(const Kind& kind);

}  // namespace kin
