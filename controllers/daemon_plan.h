#pragma once

#include <optional>
#include <string>
#include <vector>

#include "controllers/owned.h"
#include "core/api/views.h"
#include "core/base/time.h"

namespace kin::controllers {

/// What one DaemonSet needs now. Pure.
struct DaemonPlan {
    std::vector<std::string> create_on;  ///< names of nodes that lack their pod
    std::vector<const Pod*> remove;      ///< on the wrong node, too many, failed or outdated
    std::vector<const Pod*> failed;      ///< those of `remove` that failed
    Json status;
    std::optional<WallTime> again_at;  ///< a pod becomes available then
};

/// `owned` are the pods that name the set as their controller.
DaemonPlan plan_daemons(const DaemonSet& set, const std::vector<const Pod*>& owned,
                        const std::vector<const Node*>& nodes, WallTime now);

/// The pod of `set` for `node`: the scheduler puts it there, whatever else the node is for.
Json daemon_pod(const DaemonSet& set, const std::string& node);

/// The revision of the set's template, as its pods are labelled with it.
std::string daemon_hash(const DaemonSet& set);

}  // namespace kin::controllers
