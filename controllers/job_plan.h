#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/api/workload_views.h"
#include "core/base/time.h"

namespace kin::controllers {

/// Pods of a Job that ended and were deleted before the Job did: they still count.
struct PastPods {
    int succeeded = 0, failed = 0;
};

/// What one Job needs now. Pure.
struct JobPlan {
    std::vector<Json> create;
    std::vector<const Pod*> remove;
    Json status;
    /// An Event to record with this step: "Completed", "BackoffLimitExceeded"; "" if there is none.
    std::string event_reason, event_message;
    bool delete_job = false;  ///< ttlSecondsAfterFinished is over.
    /// Something is due then, without any event telling so.
    std::optional<WallTime> again_at;
};

/// `pods` are those that name the Job as their controller.
JobPlan plan_job(const Job& job, const std::vector<const Pod*>& pods, const PastPods& past,
                 WallTime now);

/// {0, 1, 2, 5} as "0-2,5", how status.completedIndexes shows them.
std::string index_ranges(const std::vector<int>& sorted);

}  // namespace kin::controllers
