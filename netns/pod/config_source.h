#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/api/object_key.h"
#include "core/base/ip.h"
#include "core/base/json.h"

namespace kin::netns {

/// The cluster's objects that environment and volumes are made of. Functions instead of caches, so
/// that what uses them can be tested with values. What they give lives as long as the call.
struct ConfigSource {
    /// The whole object; nullptr if there is none.
    std::function<const Json*(const ObjectKey&)> config_map;
    std::function<const Json*(const ObjectKey&)> secret;
    std::function<const Json*(const ObjectKey&)> claim{};  ///< PersistentVolumeClaims
};

/// All keys and bytes of a ConfigMap (data and binaryData).
std::map<std::string, std::string> config_map_data(const Json& object);
/// All keys and bytes of a Secret, decoded.
std::map<std::string, std::string> secret_data(const Json& object);

}  // namespace kin::netns
