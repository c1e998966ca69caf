#pragma once

#include "core/api/findings.h"
#include "core/api/validation.h"

namespace kin {

// The rules, by kind. Each function adds what is wrong with one object; `old` is the stored object
// on an update, else nullptr. metadata is checked apart, by validate_metadata().

void validate_metadata(const Kind& kind, const Json& object, const Json* old, Findings& out);
/// Labels at `path`: keys and values.
void validate_labels(const Json& labels, const FieldPath& path, Findings& out);
void validate_annotations(const Json& annotations, const FieldPath& path, Findings& out);

using Rules = void (*)(const Json& object, const Json* old, Findings& out);

/// Required fields and enumerations by the schema, then the rules of the kinds that kin acts on.
std::vector<Cause> validate_kind(const Kind& kind, const Json& object, const Json* old);

}  // namespace kin
