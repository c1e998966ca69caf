#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/api/kinds.h"

namespace kin::apiserver {

/// Where under /api or /apis a request points.
struct ApiPath {
    std::string group, version;
    std::string ns;                 ///< "": all namespaces, or a cluster-scoped kind
    std::string plural;             ///< "": the group version itself (discovery)
    std::string name;               ///< "": the collection
    std::string subresource;        ///< "log"
    bool watch = false;             ///< the old addresses of watches: /api/v1/watch/pods
    std::vector<std::string> rest;  ///< what follows a subresource: pods/x/proxy/a/b
    const Kind* kind = nullptr;     ///< nullptr: no such resource
};

/// Reads the decoded segments of a path that begins with "api" or "apis" and names at least a
/// group version. nullopt: that is no address of the API.
std::optional<ApiPath> parse_api_path(const std::vector<std::string>& segments);

}  // namespace kin::apiserver
