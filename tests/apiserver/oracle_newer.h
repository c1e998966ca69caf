#pragma once

#include <string>
#include <string_view>

#include "core/base/json.h"

namespace kin::test {

// The recordings are of version 1.20, kin emulates 1.35. Everything that is judged differently for
// that reason stands in oracle_newer.cpp, as a rule or as a case by its name, with the reason.

/// What is left of a recorded answer to compare with.
enum class Judged {
    kWhole,
    kByReason,    ///< code and reason, not the fields
    kAsRefused,   ///< accepted then, refused now: 400, 409 or 422
    kAsAccepted,  ///< refused then, accepted now: 200 or 201
    kNotAtAll,    ///< there is no such thing any more
};
Judged judged_today(std::string_view file, std::string_view name);

/// A recorded line with the group versions that are gone replaced by their successors.
std::string with_todays_groups(std::string line);

/// True if today's answers about a `kind` have this field and the recorded ones could not.
bool is_new_field(std::string_view kind, std::string_view path, const std::string& key,
                  const Json& value);
/// True if only the recorded answers have this field. `path` ends with its name.
bool is_gone_field(std::string_view path);
/// True if the recorded value reads `actual` today.
bool is_newer_value(std::string_view path, const Json& expected, const Json& actual);

}  // namespace kin::test
