#pragma once

#include "core/registry/registry.h"

namespace kin {

/// Reads meta/v1 DeleteOptions; an empty object gives the defaults. 400 for what is of the wrong
/// type, 422 for values that contradict each other or do not exist.
Answer<DeleteOptions> read_delete_options(const Json& body);

}  // namespace kin
