#pragma once

#include <chrono>
#include <string_view>
#include <vector>

#include "core/api/kinds.h"
#include "core/api/status.h"
#include "core/base/json.h"
#include "core/base/time.h"

namespace kin::apiserver {

/// What a Table's rows carry beside their cells.
enum class IncludeObject { kMetadata, kObject, kNone };
/// "" is Metadata; 400 for anything unknown.
Answer<IncludeObject> parse_include_object(std::string_view text);

/// columnDefinitions of a kind: name, type, format, description, priority.
Json table_columns(const Kind& kind);
/// The cells of one object, as many as there are columns. Ages are as of `now`.
std::vector<Json> table_cells(const Kind& kind, const Json& object, WallTime now);
/// {cells, object}.
Json table_row(const Kind& kind, const Json& object, IncludeObject include, WallTime now);

/// "95s", "4m43s", "3h5m", "2d4h": how kubectl prints a duration.
std::string human_duration(std::chrono::seconds duration);

/// The object cut down to kind PartialObjectMetadata and its metadata.
Json partial_metadata(const Json& object);

}  // namespace kin::apiserver
