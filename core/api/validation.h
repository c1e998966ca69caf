#pragma once

#include <string>
#include <vector>

#include "core/api/kinds.h"
#include "core/api/schema.h"
#include "core/api/status.h"
#include "core/base/json.h"

namespace kin {

/// What reading a body against its kind's schema found.
struct StrictErrors {
    std::vector<std::string> unknown;  ///< `unknown field "spec.foo"`, the first 100
};

/// Checks every value's JSON type and removes from `object` what the schema does not know (and
/// nulls). A wrong type is 400 with upstream's words: `Deployment in version "v1" cannot be
/// handled as a Deployment: json: cannot unmarshal string into Go struct field
/// DeploymentSpec.spec.replicas of type int32`.
///
/// Values without meaning ("", 0, false, empty lists and maps where the schema has no `*` or `!`)
/// are removed too, as storing and reading them does upstream, and quantities and times get their
/// one form. With ZeroValues::kKeep they stay: server-side apply needs to see what was said.
enum class ZeroValues { kDrop, kKeep };
Answer<StrictErrors> conform(const Kind& kind, Json& object,
                             ZeroValues zero_values = ZeroValues::kDrop);
/// The same for bodies that are no kind of their own (DeleteOptions, Scale, Eviction ...).
Answer<StrictErrors> conform(const Message& message, Json& object,
                             ZeroValues zero_values = ZeroValues::kDrop);

/// Fills in what upstream fills in after conform(), once the registry has dropped or restored
/// status: static defaults, those that depend on other fields, and the first status of a new
/// object. `old` is the stored object on an update, else nullptr: then values that a client may
/// leave out (a Service's addresses and ports) are taken from it, and those that its new type has
/// no use for are removed. New addresses and ports are not chosen here. Pure.
void set_defaults(const Kind& kind, Json& object, const Json* old);

/// Everything wrong with an object that is about to be created (old == nullptr) or updated,
/// after conform() and set_defaults(); metadata rules included. Empty: valid. Pure.
std::vector<Cause> validate(const Kind& kind, const Json& object, const Json* old);
/// The same for a write to /status.
std::vector<Cause> validate_status(const Kind& kind, const Json& object, const Json& old);
/// The same for a write to a pod's /ephemeralcontainers.
std::vector<Cause> validate_ephemeral_containers(const Kind& kind, const Json& object,
                                                 const Json& old);

/// Texts of warnings that upstream or kin gives for an accepted object (deprecated fields,
/// things that kin stores but does not act on). Pure.
std::vector<std::string> warnings_for(const Kind& kind, const Json& object, const Json* old);

}  // namespace kin
