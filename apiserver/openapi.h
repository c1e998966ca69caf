#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace kin::apiserver {

/// OpenAPI documents made from the schema, each once, when first asked for. Thread-safe.
/// Bytes are shared and immutable.
using DocumentBytes = std::shared_ptr<const std::string>;

/// /openapi/v3: {"paths":{"api/v1":{"serverRelativeURL":"/openapi/v3/api/v1?hash=..."}}}.
DocumentBytes openapi_v3_index();
/// /openapi/v3/api/v1 or /openapi/v3/apis/GROUP/VERSION; nullptr: no such document.
DocumentBytes openapi_v3_document(std::string_view path);
/// /openapi/v2, in protobuf as kubectl wants it.
DocumentBytes openapi_v2_protobuf();
/// A strong ETag of a document's bytes: "\"...\"".
std::string etag_of(std::string_view bytes);

}  // namespace kin::apiserver
