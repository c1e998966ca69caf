#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/api/workload_views.h"
#include "core/base/time.h"

namespace kin::controllers {

/// What one CronJob needs now. Pure.
struct CronPlan {
    std::optional<Json> create;
    std::vector<const Job*> remove;  ///< Replaced, or beyond the history's limits.
    Json status;
    std::optional<WallTime> again_at;
    std::string problem;  ///< Why nothing is ever due; "" if it is well.
};

/// `jobs` are those that name the CronJob as their controller.
CronPlan plan_cron_job(const CronJob& cron, const std::vector<const Job*>& jobs, WallTime now);

}  // namespace kin::controllers
