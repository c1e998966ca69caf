#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/http/client.h"

namespace kin::bench {

/// What measurements of a running lab have in common. A failure ends the process.

[[noreturn]] void give_up(const std::string& why);

Json send(const http::Client& api, const std::string& method, const std::string& target,
          const std::string& body = "", const char* type = "application/json");

/// Gives every object that is there and every event from then on to `done`, until it says true.
void watch(const http::Client& api, const std::string& target,
           const std::function<bool(const std::string& type, const Json& object)>& done);

/// The value below which `part` of them are.
double quantile(std::vector<double> values, double part);

}  // namespace kin::bench
