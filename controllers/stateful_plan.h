#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "controllers/revisions.h"
#include "core/api/workload_views.h"
#include "core/base/time.h"

namespace kin::controllers {

/// What one StatefulSet needs now. Pure.
struct StatefulPlan {
    /// A pod and the claims it lacks, which are to be made first.
    struct Create {
        Json pod;
        std::vector<Json> claims;
    };
    std::vector<Create> create;
    std::vector<const Pod*> remove;
    std::vector<const Pod*> failed;  ///< Of `remove`: those that ended and are made anew.
    std::vector<ObjectKey> remove_claims;
    History history;
    std::vector<const ControllerRevision*> forget;
    Json status;
    /// A pod becomes available then, without any event telling so.
    std::optional<WallTime> again_at;
};

/// `pods` are those that name the set as their controller, `revisions` its ControllerRevisions,
/// `claims` the names of all claims of its namespace.
StatefulPlan plan_stateful(const StatefulSet& set, const std::vector<const Pod*>& pods,
                           const std::vector<const ControllerRevision*>& revisions,
                           const std::set<std::string>& claims, WallTime now);

/// 3 of "web-3"; nothing for names that are none of this set's.
std::optional<int> ordinal_of(const std::string& set_name, const std::string& pod_name);

}  // namespace kin::controllers
