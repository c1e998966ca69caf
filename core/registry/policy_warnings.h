#pragma once

#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/store/store.h"

namespace kin {

/// What the writer of a NetworkPolicy should know, because it is what goes wrong most: that it
/// selects no pod, or that it takes DNS from pods that it selects.
std::vector<std::string> network_policy_warnings(const Json& policy, const StoreTransaction& store);

}  // namespace kin
