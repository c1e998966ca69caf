#pragma once

#include <string>
#include <string_view>

#include "core/api/kinds.h"
#include "core/api/schema.h"
#include "core/api/status.h"
#include "core/base/json.h"

namespace kin {

// All four are pure: a stored object and a patch give the new object or a Status.

/// RFC 6902, strictly; as upstream also negative indices, which count from the end. At most 10,000
/// operations (413), and copies of at most 3 MiB in all. 400 if the patch is malformed; 422 with
/// upstream's words if an operation cannot be done or a test fails.
Answer<Json> json_patch(const Json& object, const Json& patch);

/// RFC 7386: null deletes. A patch that is no object becomes the result; callers refuse it.
Json merge_patch(Json object, const Json& patch);

/// Strategic merge as the API server does it: lists merge by the schema's merge keys; the
/// directives $patch, $setElementOrder/x, $retainKeys and $deleteFromPrimitiveList/x act and are
/// never stored. 400 if a directive is malformed.
Answer<Json> strategic_merge_patch(const Message& type, const Json& object, const Json& patch);

/// Who writes, for managedFields.
struct FieldWriter {
    std::string manager;      ///< fieldManager, or the User-Agent up to the first '/'
    std::string subresource;  ///< "status", "scale" or ""
    std::string time;         ///< RFC 3339, now
};

enum class ApplyForce { kNo, kYes };

/// Server-side apply of `applied` (the caller's whole intent) onto `live` (nullptr: create).
/// Returns the merged object with its managedFields; 409 with one cause per conflict.
Answer<Json> server_side_apply(const Kind& kind, const Json* live, const Json& applied,
                               const FieldWriter& writer, ApplyForce force);

/// Returns `updated` with metadata.managedFields brought up to date after an ordinary write
/// (operation Update): what differs from `live` (nullptr: created) now belongs to the writer.
/// managedFields [] or [{}] in `updated` resets the tracking.
Json track_update(const Kind& kind, const Json* live, Json updated, const FieldWriter& writer);

}  // namespace kin
