#pragma once

#include <string>
#include <string_view>

#include "core/api/kinds.h"
#include "core/api/object_key.h"
#include "core/base/json.h"

namespace kin {

/// A random UUID (RFC 4122 version 4), lower case.
std::string new_uid();
/// generateName's suffix: five characters that spell no words.
std::string random_suffix();

/// Metadata of an object about to be created: uid, time, generation; what only the server may set
/// is removed. The name must be settled.
void prepare_create(const Kind& kind, const ObjectKey& key, Json& object);

/// Metadata of an update taken over from the stored object, and of spec and status the half that
/// this write may not touch. For "status" the result is the stored object with the new status, for
/// "ephemeralcontainers" with the new spec.ephemeralContainers.
void prepare_update(const Kind& kind, const Json& old, std::string_view subresource, Json& object);

/// Counts metadata.generation up if, defaults filled in, the spec changed.
void count_generation(const Kind& kind, const Json& old, Json& object);

/// True if nothing holds the object any more: it is being deleted, without finalizers, and (for
/// pods) the node has let go.
bool ready_to_remove(const Kind& kind, const Json& object);

}  // namespace kin
