#pragma once

#include <string>
#include <vector>

#include "core/base/json.h"

namespace kin::test {

/// The lines of shared/oracle/NAME; empty where they are not at hand.
std::vector<Json> oracle_cases(const std::string& name);

/// Takes out nulls and what the server makes: identity, versions, times, managedFields.
void forget_server_made(Json& json);

/// Takes out of `actual` what newer versions fill in and `expected`, of an older one, has not.
void forget_newer_defaults(Json& actual, const Json& expected);

/// What is different, as a JSON patch; "" if nothing.
std::string difference(const Json& actual, const Json& expected);

}  // namespace kin::test
