#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace kin::netns {

/// A resource quantity ("500m", "1.5Gi", "2e3") in thousandths. Enough for what containers are told
/// about their limits; nothing if `text` is no quantity or does not fit.
std::optional<int64_t> parse_milli_quantity(std::string_view text);

}  // namespace kin::netns
