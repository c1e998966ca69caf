#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace kin {

using WallTime = std::chrono::system_clock::time_point;

/// "2026-01-02T03:04:05Z", as Kubernetes writes metav1.Time (RFC 3339, UTC, whole seconds).
std::string rfc3339(WallTime time);
/// "2026-01-02T03:04:05.000006Z", as Kubernetes writes metav1.MicroTime.
std::string rfc3339_micro(WallTime time);
/// "2026-01-02T03:04:05.000000006Z", as `kubectl logs --timestamps` shows.
std::string rfc3339_nano(WallTime time);
/// Any RFC 3339 time with fraction and offset.
std::optional<WallTime> parse_rfc3339(std::string_view text);

}  // namespace kin
