#pragma once

#include <set>
#include <string>

#include "core/api/kinds.h"
#include "core/api/schema.h"
#include "core/base/json.h"

namespace kin::apiserver::openapi {

/// "io.k8s.api.apps.v1.Deployment" for "apps.v1.Deployment".
std::string type_name(const Message& message);

/// The schema of one type as OpenAPI 3.0 has it; refs begin with `ref_prefix`
/// ("#/components/schemas/").
Json schema_of(const Message& message, const std::string& ref_prefix);

/// Everything that `messages` refer to, directly or not: names to schemas.
Json schemas_of(const std::set<const Message*>& messages, const std::string& ref_prefix);

/// {"group", "version", "kind"}.
Json group_version_kind(const Kind& kind);

}  // namespace kin::apiserver::openapi
