#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/workload_views.h"
#include "core/base/json.h"

namespace kin::controllers {

/// The stored pod templates of a StatefulSet or DaemonSet, for updates in steps and for going back.
/// Pure.

struct RevisionOwner {
    std::string_view api_version, kind;
    const View& object;
    int64_t collisions = 0;  ///< status.collisionCount
};

/// How the history stands to the present template.
struct History {
    std::string update;                         ///< name of the revision of the present template
    std::optional<Json> create;                 ///< that revision, where it is not stored yet
    const ControllerRevision* raise = nullptr;  ///< an older one is current again: gets `number`
    int64_t number = 0;
};

/// `stored` are the owner's revisions.
History plan_history(const RevisionOwner& owner,
                     const std::vector<const ControllerRevision*>& stored);

/// The pod template in a revision; nullptr if `name` is none of `stored`.
const Json* find_template(const std::vector<const ControllerRevision*>& stored,
                          const std::string& name);

/// Revisions that nobody uses beyond spec.revisionHistoryLimit, oldest first. `in_use` are names.
std::vector<const ControllerRevision*> surplus_revisions(
    const RevisionOwner& owner, std::vector<const ControllerRevision*> stored,
    const std::vector<std::string>& in_use);

}  // namespace kin::controllers
