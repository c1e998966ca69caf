// What makes pods: Deployments, Jobs and their like.

#include "apiserver/table_columns.h"
#include "core/base/strings.h"

namespace kin::apiserver::table {
namespace {
/// Upstream declares a Deployment's counts as strings and sends numbers.
Column number_called_string(std::string_view name, JsonPath path) {
    Column column = integer(name, path);
    column.type = "string";
    return column;
}


/// "2/3": a number of the status out of one of the spec.
Column part(std::string_view name, std::string_view of_status, std::string_view of_spec) {
    return {name, [of_status, of_spec](const Row& row) -> Json {
                return cat(int_at(row.object, {"status", of_status}), '/',
                           int_at(row.object, {"spec", of_spec}));
            }};
}

Columns of_deployment() {
    return {name_column(),
            part("Ready", "readyReplicas", "replicas"),
            number_called_string("Up-to-date", {"status", "updatedReplicas"}),
            number_called_string("Available", {"status", "availableReplicas"}),
            age_column(),
            containers_column({"spec", "template"}),
            images_column({"spec", "template"}),
            wide(selector_column("Selector", {"spec", "selector"}))};
}

/// ReplicaSets and ReplicationControllers.
Columns of_replica_set(Column selector) {
    return {name_column(),
            integer("Desired", {"spec", "replicas"}),
            integer("Current", {"status", "replicas"}),
            integer("Ready", {"status", "readyReplicas"}),
            age_column(),
            containers_column({"spec", "template"}),
            images_column({"spec", "template"}),
            wide(std::move(selector))};
}

Columns of_daemon_set() {
    return {name_column(),
            integer("Desired", {"status", "desiredNumberScheduled"}),
            integer("Current", {"status", "currentNumberScheduled"}),
            integer("Ready", {"status", "numberReady"}),
            integer("Up-to-date", {"status", "updatedNumberScheduled"}),
            integer("Available", {"status", "numberAvailable"}),
            labels_column("Node Selector", {"spec", "template", "spec", "nodeSelector"}),
            age_column(),
            containers_column({"spec", "template"}),
            images_column({"spec", "template"}),
            wide(selector_column("Selector", {"spec", "selector"}))};
}

Json job_status(const Row& row) {
    if (condition_is_true(row.object, "Complete")) return "Complete";
    if (condition_is_true(row.object, "Failed")) return "Failed";
    if (find(row.object, JsonPath{"metadata", "deletionTimestamp"})) return "Terminating";
    for (const char* state : {"Suspended", "FailureTarget", "SuccessCriteriaMet"}) {
        if (condition_is_true(row.object, state)) return state;
    }
    return "Running";
}

Json job_completions(const Row& row) {
    const int64_t succeeded = int_at(row.object, {"status", "succeeded"});
    if (find(row.object, JsonPath{"spec", "completions"})) {
        return cat(succeeded, '/', int_at(row.object, {"spec", "completions"}));
    }
    const int64_t parallelism = int_at(row.object, {"spec", "parallelism"});
    return parallelism > 1 ? cat(succeeded, "/1 of ", parallelism) : cat(succeeded, "/1");
}

Json job_duration(const Row& row) {
    const auto start = parse_rfc3339(string_at(row.object, {"status", "startTime"}));
    if (!start) return "";
    const auto end = parse_rfc3339(string_at(row.object, {"status", "completionTime"}));
    return human_duration(
        std::chrono::duration_cast<std::chrono::seconds>(end.value_or(row.now) - *start));
}

Columns of_job() {
    return {name_column(),
            {"Status", job_status},
            {"Completions", job_completions},
            {"Duration", job_duration},
            age_column(),
            containers_column({"spec", "template"}),
            images_column({"spec", "template"}),
            wide(selector_column("Selector", {"spec", "selector"}))};
}

Json last_schedule(const Row& row) {
    const std::string time = string_at(row.object, {"status", "lastScheduleTime"});
    return time.empty() ? "<none>" : human_age(time, row.now);
}

Columns of_cron_job() {
    return {name_column(),
            text("Schedule", {"spec", "schedule"}),
            text("Timezone", {"spec", "timeZone"}, "<none>"),
            {"Suspend",
             [](const Row& row) -> Json {
                 return bool_at(row.object, {"spec", "suspend"}) ? "True" : "False";
             },
             "boolean"},
            {"Active",
             [](const Row& row) -> Json {
                 return array_at(row.object, {"status", "active"}).size();
             },
             "integer"},
            {"Last Schedule", last_schedule},
            age_column(),
            containers_column({"spec", "jobTemplate", "spec", "template"}),
            images_column({"spec", "jobTemplate", "spec", "template"}),
            wide(selector_column("Selector", {"spec", "jobTemplate", "spec", "selector"}))};
}

Json revision_owner(const Row& row) {
    for (const Json& owner : array_at(row.object, {"metadata", "ownerReferences"})) {
        if (!bool_at(owner, {"controller"})) continue;
        const std::string api_version = string_at(owner, {"apiVersion"});
        const size_t slash = api_version.find('/');
        const std::string group =
            slash == std::string::npos ? "" : '.' + api_version.substr(0, slash);
        return cat(to_lower(cat(string_at(owner, {"kind"}), group)), '/',
                   string_at(owner, {"name"}));
    }
    return "<none>";
}

Json budget_value(const Row& row, std::string_view field) {
    const Json* value = find(row.object, JsonPath{"spec", field});
    return value ? scalar_text(*value) : "N/A";
}

Columns of_disruption_budget() {
    return {name_column(),
            {"Min Available", [](const Row& row) { return budget_value(row, "minAvailable"); }},
            {"Max Unavailable", [](const Row& row) { return budget_value(row, "maxUnavailable"); }},
            integer("Allowed Disruptions", {"status", "disruptionsAllowed"}),
            age_column()};
}

/// "10%/80%", "<unknown>/500m": one metric of an autoscaler, as it is and as it should be.
std::string metric_text(const Json& spec, const Json* status) {
    const std::string type = string_at(spec, {"type"});
    const std::string member = type == "ContainerResource" ? "containerResource" : to_lower(type);
    const Json& target = object_at(spec, {member, "target"});
    const Json current = status ? object_at(*status, {member, "current"}) : Json::object();
    const auto side = [](const Json& value) -> std::string {
        if (find(value, "averageUtilization")) {
            return cat(int_at(value, {"averageUtilization"}), '%');
        }
        for (const char* field : {"averageValue", "value"}) {
            if (const Json* found = find(value, field)) return scalar_text(*found);
        }
        return "<unknown>";
    };
    const std::string name = string_at(spec, {member, "name"});
    const std::string text = cat(side(current), '/', side(target));
    return name.empty() ? text : cat(name, ": ", text);
}

Json autoscaler_targets(const Row& row) {
    const Json& specs = array_at(row.object, {"spec", "metrics"});
    const Json& statuses = array_at(row.object, {"status", "currentMetrics"});
    std::vector<std::string> parts;
    for (size_t i = 0; i < specs.size(); ++i) {
        parts.push_back(metric_text(specs[i], i < statuses.size() ? &statuses[i] : nullptr));
    }
    if (parts.empty()) return "<none>";
    const size_t shown = std::min<size_t>(parts.size(), 2);
    const std::string text = join({parts.begin(), parts.begin() + static_cast<long>(shown)}, ", ");
    return parts.size() == shown ? text : cat(text, " + ", parts.size() - shown, " more...");
}

Columns of_autoscaler() {
    return {name_column(),
            {"Reference",
             [](const Row& row) -> Json {
                 return cat(string_at(row.object, {"spec", "scaleTargetRef", "kind"}), '/',
                            string_at(row.object, {"spec", "scaleTargetRef", "name"}));
             }},
            {"Targets", autoscaler_targets},
            {"MinPods",
             [](const Row& row) -> Json {
                 const Json* least = find(row.object, JsonPath{"spec", "minReplicas"});
                 return least ? scalar_text(*least) : "<unset>";
             }},
            {"MaxPods",
             [](const Row& row) -> Json {
                 return int_at(row.object, {"spec", "maxReplicas"});
             }},
            {"Replicas",
             [](const Row& row) -> Json {
                 return int_at(row.object, {"status", "currentReplicas"});
             }},
            age_column()};
}

}  // namespace

Columns workload_columns(std::string_view kind) {
    if (kind == "Deployment") return of_deployment();
    if (kind == "ReplicaSet")
        return of_replica_set(selector_column("Selector", {"spec", "selector"}));
    if (kind == "ReplicationController") {
        return of_replica_set(labels_column("Selector", {"spec", "selector"}));
    }
    if (kind == "StatefulSet") {
        return {name_column(), part("Ready", "readyReplicas", "replicas"), age_column(),
                containers_column({"spec", "template"}), images_column({"spec", "template"})};
    }
    if (kind == "DaemonSet") return of_daemon_set();
    if (kind == "Job") return of_job();
    if (kind == "CronJob") return of_cron_job();
    if (kind == "PodDisruptionBudget") return of_disruption_budget();
    if (kind == "HorizontalPodAutoscaler") return of_autoscaler();
    if (kind == "ControllerRevision") {
        Column revision = integer("Revision", {"revision"});
        revision.type = "string";
        return {name_column(), {"Controller", revision_owner}, revision, age_column()};
    }
    return {};
}

}  // namespace kin::apiserver::table
