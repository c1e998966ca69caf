#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "apiserver/negotiate.h"
#include "core/base/json.h"

namespace kin::apiserver {

/// {"kind":"APIVersions",...} of /api.
Json core_versions(std::string_view server_address);
/// APIGroupList of /apis, APIGroup of /apis/GROUP (nullopt: no such group).
Json group_list();
std::optional<Json> group(std::string_view name);
/// APIResourceList of /api/v1 or /apis/GROUP/VERSION; nullopt: no such group version.
std::optional<Json> resource_list(std::string_view group, std::string_view version);
/// APIGroupDiscoveryList of /api (core group only) or /apis (all others).
enum class DiscoveryRoot { kApi, kApis };
Json aggregated(DiscoveryRoot root, Form form);
/// The Content-Type that makes clients recognise it.
std::string aggregated_content_type(Form form);
/// /version.
Json version_info();
/// {"paths":[...]} of /.
Json root_paths();

}  // namespace kin::apiserver
