#pragma once

#include <string_view>

#include "core/api/status.h"
#include "core/base/json.h"

namespace kin {

/// True if the body starts with the four magic bytes "k8s\0".
bool is_kubernetes_protobuf(std::string_view body);

/// Decodes a request body in application/vnd.kubernetes.protobuf to the JSON it stands for, by the
/// numbers in the schema. Unknown fields are skipped; zero values without meaning are left out.
/// 400 if the bytes are broken or the kind is not in the schema (the message names it).
Answer<Json> decode_kubernetes_protobuf(std::string_view body);

}  // namespace kin
