#pragma once

#include <string>
#include <vector>

#include "core/base/json.h"
#include "kin/lab.h"
#include "netns/network/plan.h"

namespace kin {

/// What a lab was when it last ran, as far as its database does not say it: DATA/lab.json.
struct LabMemory {
    std::vector<int> nodes;       ///< their numbers, in order; empty: it never ran
    netns::NetworkShape network;  ///< the default where nothing was chosen yet
};
/// As it is written, in lab.json and in saved labs.
Json to_json(const LabMemory& memory);
/// What is not in `json`, or makes no sense, is not remembered.
LabMemory memory_from(const Json& json);
/// What cannot be read was not remembered.
LabMemory recall(const LabPaths& paths);
Result<> remember(const LabPaths& paths, const LabMemory& memory);

}  // namespace kin
