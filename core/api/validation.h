#pragma once

#include <string>
#include <vector>

#include "core/api/kinds.h"
#include "core/api/status.h"
#include "core/base/json.h"

namespace kin {

/// What reading a body against its kind's schema found.
struct StrictErrors {
    std::vector<std::string> unknown;  ///< `unknown field "spec.foo"`
};

/// Checks every value's JSON type and removes from `object` what the schema does not know (and
/// nulls). A wrong type is 400 with upstream's words: `Deployment in version "v1" cannot be
/// handled as a Deployment: json: cannot unmarshal string into Go struct field
/// DeploymentSpec.spec.replicas of type int32`.
Answer<StrictErrors> conform(const Kind& kind, Json& object);

/// Fills in what upstream fills in. `old` is the stored object on an update, else nullptr.
/// Allocated values (addresses, ports) are not set here. Pure.
void set_defaults(const Kind& kind, Json& object, const Json* old);

/// Everything wrong with an object that is about to be created (old == nullptr) or updated,
/// after conform() and set_defaults(); metadata rules included. Empty: valid. Pure.
std::vector<Cause> validate(const Kind& kind, const Json& object, const Json* old);
/// The same for a write to /status.
std::vector<Cause> validate_status(const Kind& kind, const Json& object, const Json& old);

/// Texts of warnings that upstream or kin gives for an accepted object (deprecated fields,
/// things that kin stores but does not act on). Pure.
std::vector<std::string> warnings_for(const Kind& kind, const Json& object, const Json* old);

}  // namespace kin
