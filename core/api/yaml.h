#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"

namespace kin {

/// Reads YAML as Kubernetes does (YAML 1.1 scalars of go-yaml: y, no, on, 0o17, 1_000 ...), by
/// libyaml. Budgets on bytes, depth, nodes and alias expansion; the Error names line and column.
Result<Json> parse_yaml(std::string_view text);

/// A stream of documents separated by "---"; empty documents are left out. JSON is YAML too.
Result<std::vector<Json>> parse_yaml_documents(std::string_view text);

/// Block style, keys sorted, strings quoted where a reader could take them for something else:
/// what `kubectl get -o yaml` prints for the same object.
std::string to_yaml(const Json& json);

}  // namespace kin
