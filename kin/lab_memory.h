#pragma once

#include <string>
#include <vector>

#include "core/base/json.h"
#include "kin/lab.h"
#include "kin/pki.h"
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
Result<> remember(const LabPaths& paths, const LabMemory& memory, Durable durable = Durable::kNow);
/// Remembers what will be the lab's once `database`, a file beside the lab's own, has been renamed
/// to it: the database and what is remembered change in one step. Until then, and if that never
/// comes, the lab is remembered as it was.
Result<> remember_with(const LabPaths& paths, const LabMemory& memory, const std::string& database);

}  // namespace kin
