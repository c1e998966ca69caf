#include <algorithm>

#include "core/api/selectors.h"
#include "core/api/validate.h"
#include "core/base/strings.h"

namespace kin {

namespace {

/// How messages call the kind: in texts about its selector, and about deadlines of its pods.
struct WorkloadNames {
    std::string_view selector, deadline;
};

bool is_percent(const Json& value) { return value.is_string(); }

/// The number of a percentage, or the number itself; -1 if it is neither.
int64_t amount_of(const Json& value) {
    if (!is_percent(value)) return value.get<int64_t>();
    std::string_view text = value.get_ref<const std::string&>();
    if (!text.ends_with('%')) return -1;
    return parse_number<int64_t>(text.substr(0, text.size() - 1)).value_or(-1);
}

void validate_share(const Json* value, const FieldPath& path, Findings& out) {
    if (!value) return;
    if (is_percent(*value)) {
        out.invalid(path, *value, check_percent(value->get_ref<const std::string&>()));
    } else {
        out.check_not_negative(path, value);
    }
}

void validate_at_most_all(const Json* value, const FieldPath& path, Findings& out) {
    if (value && is_percent(*value) && amount_of(*value) > 100)
        out.invalid(path, *value, "must not be greater than 100%");
}

void validate_selector(const Json& spec, std::string_view kind, const FieldPath& path,
                       Findings& out) {
    const Json* selector = find(spec, "selector");
    const FieldPath at = path.child("selector");
    const FieldPath labels_path = path.child("template").child("metadata").child("labels");
    const Json& labels = object_at(spec, {"template", "metadata", "labels"});
    const bool daemons = kind == "daemonset";
    if (!selector) {
        // Of a DaemonSet's only the mismatch is told.
        if (!daemons) out.required(at);
    } else {
        const size_t before = out.count();
        validate_label_selector(*selector, at, out);
        if (out.count() > before && !daemons) out.invalid(at, *selector, "invalid label selector");
        if (LabelSelector::from_json(*selector).empty())
            out.invalid(at, *selector, cat("empty selector is invalid for ", kind));
        if (out.count() > before) return;
        if (LabelSelector::from_json(*selector).matches(
                string_map_at(spec, {"template", "metadata", "labels"})))
            return;
    }
    out.invalid(labels_path, labels, "`selector` does not match template `labels`");
}

/// The template as its pods will be: a StatefulSet's claims are volumes of theirs.
Json with_claims(Json pod_template, const Json& spec) {
    Json& volumes = pod_template["spec"]["volumes"];
    if (!volumes.is_array()) volumes = Json::array();
    for (const Json& claim : array_at(spec, {"volumeClaimTemplates"})) {
        const std::string name = string_at(claim, {"metadata", "name"});
        const bool is_there = std::ranges::any_of(
            volumes, [&](const Json& volume) { return string_at(volume, {"name"}) == name; });
        if (!is_there) volumes.push_back({{"name", name}, {"emptyDir", Json::object()}});
    }
    return pod_template;
}

/// Pods of a workload are kept running: they always restart and have no deadline.
void validate_lasting_template(const Json& spec, std::string_view kind, const FieldPath& path,
                               Findings& out) {
    const FieldPath at = path.child("template");
    const Json& pod_template = object_at(spec, {"template"});
    if (kind == "StatefulSet" && !find(pod_template, {"spec", "containers"})) {
        // Without a pod at all, as upstream, only the selector is told.
    } else if (spec.contains("volumeClaimTemplates")) {
        validate_pod_template(with_claims(pod_template, spec), at, out);
    } else {
        validate_pod_template(pod_template, at, out);
    }
    const std::string policy = string_at(pod_template, {"spec", "restartPolicy"});
    if (policy != "Always" && (kind != "StatefulSet" || !policy.empty()))
        out.not_supported(at.child("spec").child("restartPolicy"), policy, {"Always"});
    if (find(pod_template, {"spec", "activeDeadlineSeconds"}))
        out.forbidden(at.child("spec").child("activeDeadlineSeconds"),
                      cat("activeDeadlineSeconds in ", kind, " is not Supported"));
}

void validate_workload(const Json& object, const Json* old, WorkloadNames names, Findings& out) {
    const FieldPath path("spec");
    const Json& spec = object_at(object, {"spec"});
    for (const char* key : {"replicas", "minReadySeconds", "revisionHistoryLimit"})
        out.check_not_negative(path.child(key), find(spec, key));
    validate_selector(spec, names.selector, path, out);
    validate_lasting_template(spec, names.deadline, path, out);
    if (old)
        out.check_immutable(path.child("selector"), find(spec, "selector"),
                            find(*old, {"spec", "selector"}));
}

void validate_rolling_deployment(const Json& rolling, const FieldPath& path, Findings& out) {
    const Json* surge = find(rolling, "maxSurge");
    const Json* unavailable = find(rolling, "maxUnavailable");
    validate_share(unavailable, path.child("maxUnavailable"), out);
    validate_share(surge, path.child("maxSurge"), out);
    if (surge && unavailable && amount_of(*surge) == 0 && amount_of(*unavailable) == 0)
        out.invalid(path.child("maxUnavailable"), *unavailable,
                    "may not be 0 when `maxSurge` is 0");
    validate_at_most_all(unavailable, path.child("maxUnavailable"), out);
}

void validate_strategy(const Json& strategy, const FieldPath& path, Findings& out) {
    const std::string type = string_at(strategy, {"type"});
    const Json* rolling = find(strategy, "rollingUpdate");
    const FieldPath at = path.child("rollingUpdate");
    if (type == "Recreate") {
        if (rolling) out.forbidden(at, "may not be specified when strategy `type` is 'Recreate'");
    } else if (type == "RollingUpdate") {
        if (rolling) validate_rolling_deployment(*rolling, at, out);
    } else {
        out.not_supported(path.child("type"), type, {"Recreate", "RollingUpdate"});
    }
}

void validate_rolling_daemon_set(const Json& rolling, const FieldPath& path, Findings& out) {
    const Json* surge = find(rolling, "maxSurge");
    const Json* unavailable = find(rolling, "maxUnavailable");
    for (const auto& [key, value] :
         {std::pair{"maxUnavailable", unavailable}, {"maxSurge", surge}}) {
        validate_share(value, path.child(key), out);
        validate_at_most_all(value, path.child(key), out);
    }
    if (!surge || !unavailable) return;
    const bool surges = amount_of(*surge) > 0;
    const bool misses = amount_of(*unavailable) > 0;
    if (surges && misses)
        out.invalid(path.child("maxSurge"), *surge,
                    "may not be set when maxUnavailable is non-zero");
    if (!surges && !misses && amount_of(*surge) == 0 && amount_of(*unavailable) == 0)
        out.required(path.child("maxUnavailable"), "cannot be 0 when maxSurge is 0");
}

}  // namespace

void validate_deployment(const Json& object, const Json* old, Findings& out) {
    validate_workload(object, old, {"deployment", "ReplicaSet"}, out);
    const FieldPath path("spec");
    const Json& spec = object_at(object, {"spec"});
    validate_strategy(object_at(spec, {"strategy"}), path.child("strategy"), out);
    const Json* deadline = find(spec, "progressDeadlineSeconds");
    if (!deadline) return;
    out.check_not_negative(path.child("progressDeadlineSeconds"), deadline);
    if (deadline->get<int64_t>() <= int_at(spec, {"minReadySeconds"}))
        out.invalid(path.child("progressDeadlineSeconds"), *deadline,
                    "must be greater than minReadySeconds");
}

void validate_replica_set(const Json& object, const Json* old, Findings& out) {
    validate_workload(object, old, {"deployment", "ReplicaSet"}, out);
}

void validate_daemon_set(const Json& object, const Json* old, Findings& out) {
    validate_workload(object, old, {"daemonset", "DaemonSet"}, out);
    const FieldPath path = FieldPath("spec");
    const Json& strategy = object_at(object, {"spec", "updateStrategy"});
    const std::string type = string_at(strategy, {"type"});
    const FieldPath at = path.child("updateStrategy");
    if (type == "RollingUpdate") {
        if (!strategy.contains("rollingUpdate")) return out.required(at.child("rollingUpdate"));
        validate_rolling_daemon_set(strategy["rollingUpdate"], at.child("rollingUpdate"), out);
    } else if (type != "OnDelete") {
        out.not_supported(at, strategy, {"RollingUpdate", "OnDelete"});
    }
}

void validate_stateful_set(const Json& object, const Json* old, Findings& out) {
    validate_workload(object, old, {"statefulset", "StatefulSet"}, out);
    const FieldPath path("spec");
    const Json& spec = object_at(object, {"spec"});
    const std::string management = string_at(spec, {"podManagementPolicy"});
    if (management.empty()) {
        out.required(path.child("podManagementPolicy"));
    } else if (management != "OrderedReady" && management != "Parallel") {
        out.invalid(path.child("podManagementPolicy"), management,
                    "must be 'OrderedReady' or 'Parallel'");
    }
    const FieldPath strategy = path.child("updateStrategy");
    const std::string type = string_at(spec, {"updateStrategy", "type"});
    if (type != "RollingUpdate" && type != "OnDelete")
        out.invalid(strategy, object_at(spec, {"updateStrategy"}),
                    "must be 'RollingUpdate' or 'OnDelete'");
    const Json* rolling = find(spec, {"updateStrategy", "rollingUpdate"});
    if (type == "OnDelete" && rolling)
        out.invalid(strategy.child("rollingUpdate"), *rolling,
                    "only allowed for updateStrategy 'RollingUpdate'");
    out.check_not_negative(strategy.child("rollingUpdate").child("partition"),
                           find(spec, {"updateStrategy", "rollingUpdate", "partition"}));
    if (!old) return;
    Json expected = object_at(*old, {"spec"});
    for (const char* key : {"replicas", "template", "updateStrategy", "minReadySeconds", "ordinals",
                            "persistentVolumeClaimRetentionPolicy", "revisionHistoryLimit"}) {
        expected.erase(key);
        if (spec.contains(key)) expected[key] = spec[key];
    }
    if (expected != spec)
        out.forbidden(path,
                      "updates to statefulset spec for fields other than 'replicas', 'ordinals', "
                      "'template', 'updateStrategy', 'revisionHistoryLimit', "
                      "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden");
}

void validate_replication_controller(const Json& object, const Json*, Findings& out) {
    const FieldPath path("spec");
    const Json& spec = object_at(object, {"spec"});
    for (const char* key : {"replicas", "minReadySeconds"})
        out.check_not_negative(path.child(key), find(spec, key));
    const Labels selector = string_map_at(spec, {"selector"});
    if (selector.empty()) out.required(path.child("selector"));
    if (!spec.contains("template")) return out.required(path.child("template"));
    const Labels labels = string_map_at(spec, {"template", "metadata", "labels"});
    if (!selector.empty() && !LabelSelector::from_map(selector).matches(labels))
        out.invalid(path.child("template").child("metadata").child("labels"),
                    object_at(spec, {"template", "metadata", "labels"}),
                    "`selector` does not match template `labels`");
    validate_lasting_template(spec, "ReplicationController", path, out);
}

void validate_replica_counts(const Json& object, Findings& out) {
    const FieldPath path("status");
    const Json& status = object_at(object, {"status"});
    for (const auto& [key, value] : status.items()) out.check_not_negative(path.child(key), &value);
    const int64_t all = int_at(status, {"replicas"});
    for (const char* key :
         {"fullyLabeledReplicas", "readyReplicas", "availableReplicas", "updatedReplicas"})
        if (const int64_t count = int_at(status, {key}, all); count > all)
            out.invalid(path.child(key), count, "cannot be greater than status.replicas");
    const int64_t available = int_at(status, {"availableReplicas"});
    if (available > int_at(status, {"readyReplicas"}))
        out.invalid(path.child("availableReplicas"), available,
                    "cannot be greater than readyReplicas");
}

}  // namespace kin
