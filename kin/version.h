#pragma once

namespace kin {

inline constexpr const char* kVersion = "0.1.0";

}  // namespace kin
