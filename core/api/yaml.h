#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"

namespace kin {

/// Reads YAML as Kubernetes does (YAML 1.1 scalars of go-yaml: y, no, on, 0o17, 1_000 ...), by
/// libyaml. An Error names line and column. Budgets, against hostile input: 3 MiB of text, 100
/// levels, 500,000 nodes; aliases may add 100,000 nodes and 16 MiB of text.
Result<Json> parse_yaml(std::string_view text);

/// A stream of documents separated by "---"; empty documents are left out. JSON is YAML too.
Result<std::vector<Json>> parse_yaml_documents(std::string_view text);

/// A document and where it came from.
struct YamlDocument {
    Json value;
    int line = 1;  ///< Of the document's first node, counted from 1.
    /// `line 3: key "a" already set in map`; the last value won.
    std::vector<std::string> duplicates;
};

/// As parse_yaml_documents(), for callers that point at lines or are strict about duplicate keys.
Result<std::vector<YamlDocument>> read_yaml(std::string_view text);

/// Block style, keys in go-yaml's order, strings quoted where a reader could take them for
/// something else: what `kubectl get -o yaml` prints for the same object.
std::string to_yaml(const Json& json);

}  // namespace kin
