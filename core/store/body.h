#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/api/selectors.h"

namespace kin {

/// The few things that the store looks up in an object's text without parsing all of it. The text
/// is compact or spaced JSON, well-formed, with plain keys (no escapes).

/// A piece of a text.
struct TextRange {
    size_t begin = 0;
    size_t size = 0;
};

/// What stands between the quotes of metadata.resourceVersion. Fields of that name elsewhere, and
/// texts that look like it, are not taken for it. Nothing if the object has none.
std::optional<TextRange> find_revision(std::string_view body);

/// `body` with `revision` as its metadata.resourceVersion, which must be there.
std::string with_revision(std::string_view body, uint64_t revision);

/// metadata.labels.
Labels labels_in(std::string_view body);

}  // namespace kin
