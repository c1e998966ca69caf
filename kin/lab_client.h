#pragma once

#include <string>

#include "core/base/json.h"
#include "core/base/result.h"
#include "kin/lab.h"

namespace kin {

/// GET of an address on the running lab's socket, answered with JSON.
Result<Json> lab_get(const LabPaths& paths, const std::string& target);

struct LabAnswer {
    int status = 0;
    std::string body;
};
/// Any request on the running lab's socket.
Result<LabAnswer> lab_request(const LabPaths& paths, const std::string& method,
                              const std::string& target, const std::string& body,
                              const std::string& content_type = "application/json");

}  // namespace kin
