#pragma once

#include <string>
#include <string_view>

#include "core/base/json.h"
#include "core/base/result.h"

namespace kin {

/// What a YAML scalar turns out to be.
enum class YamlType { kNull, kBool, kInt, kFloat, kString, kTimestamp };

struct YamlScalar {
    YamlType type = YamlType::kString;
    Json value;  ///< A double only for kFloat, and then only if no integer says the same.
};

/// Plain text (not quoted, without a tag) by go-yaml's rules. Timestamps keep their text.
YamlScalar resolve_plain(std::string_view text);

/// Text with an explicit tag ("tag:yaml.org,2002:int"). Unknown tags leave a string. Fails with
/// kInvalid if the text is nothing that the tag allows.
Result<YamlScalar> resolve_tagged(std::string_view tag, const std::string& text);

/// True if a YAML 1.1 reader could take the text for a number to base 60 ("190:20:30").
bool is_base60(std::string_view text);

/// The shortest text that reads back as the same number, as `kubectl -o yaml` writes it: whole
/// numbers of 64 bits in full, else "1e+21", "0.5".
std::string go_float(double value);
/// As Go's %g writes it with the precision of a float: go-yaml's text for a key that is a number.
std::string go_float32(double value);

}  // namespace kin
