#include "core/api/defaults.h"
#include "core/base/strings.h"

namespace kin {

namespace {

void default_template(Json& object) {
    if (Json* spec = find(object, {"spec", "template", "spec"})) default_pod_spec(*spec);
}

}  // namespace

void default_pod_template(Json& pod_template, const Json*) {
    if (Json* spec = find(pod_template, {"template", "spec"})) default_pod_spec(*spec);
}

void default_replica_set(Json& replica_set, const Json*) { default_template(replica_set); }

void default_deployment(Json& deployment, const Json*) {
    default_template(deployment);
    Json& strategy = deployment["spec"]["strategy"];
    if (string_at(strategy, {"type"}) != "RollingUpdate") return;
    set_missing(strategy["rollingUpdate"], "maxUnavailable", "25%");
    set_missing(strategy["rollingUpdate"], "maxSurge", "25%");
}

/// How often a DaemonSet's template changed; an annotation since it left the spec.
void count_template(Json& daemon_set, const Json* old) {
    constexpr const char* kCount = "deprecated.daemonset.template.generation";
    int64_t count = 1;
    if (old) {
        const std::string held = string_at(*old, {"metadata", "annotations", kCount});
        count = parse_number<int64_t>(held).value_or(1);
        const Json& before = object_at(*old, {"spec", "template"});
        if (object_at(daemon_set, {"spec", "template"}) != before) ++count;
    }
    daemon_set["metadata"]["annotations"][kCount] = cat(count);
}

void default_daemon_set(Json& daemon_set, const Json* old) {
    default_template(daemon_set);
    count_template(daemon_set, old);
    Json& strategy = daemon_set["spec"]["updateStrategy"];
    if (string_at(strategy, {"type"}) != "RollingUpdate") return;
    set_missing(strategy["rollingUpdate"], "maxUnavailable", 1);
    set_missing(strategy["rollingUpdate"], "maxSurge", 0);
}

void default_stateful_set(Json& stateful_set, const Json*) {
    default_template(stateful_set);
    Json& spec = stateful_set["spec"];
    Json& strategy = spec["updateStrategy"];
    if (string_at(strategy, {"type"}) == "RollingUpdate")
        set_missing(strategy["rollingUpdate"], "partition", 0);
    Json* claims = find(spec, "volumeClaimTemplates");
    if (!claims) return;
    for (Json& claim : *claims) {
        set_missing(claim, "apiVersion", "v1");
        set_missing(claim, "kind", "PersistentVolumeClaim");
        set_missing(claim["status"], "phase", "Pending");
    }
}

void default_replication_controller(Json& controller, const Json*) {
    default_template(controller);
    const Json& labels = object_at(controller, {"spec", "template", "metadata", "labels"});
    if (labels.empty()) return;
    const Json copy = labels;
    set_missing(controller["metadata"], "labels", copy);
    set_missing(controller["spec"], "selector", copy);
}

void default_job(Json& job, const Json* old) {
    default_template(job);
    Json& spec = job["spec"];
    if (!spec.contains("completions") && !spec.contains("parallelism")) spec["completions"] = 1;
    set_missing(spec, "parallelism", 1);
    const bool indexed = spec.contains("backoffLimitPerIndex");
    set_missing(spec, "backoffLimit", indexed ? 2147483647 : 6);
    set_missing(spec, "completionMode", "NonIndexed");
    set_missing(spec, "suspend", false);
    set_missing(spec, "podReplacementPolicy",
                spec.contains("podFailurePolicy") ? "Failed" : "TerminatingOrFailed");
    // A new job counts its own pods, found by its uid, unless it manages its selector itself.
    const std::string uid = string_at(job, {"metadata", "uid"});
    if (!old && !uid.empty() && !bool_at(spec, {"manualSelector"})) {
        const std::string name = string_at(job, {"metadata", "name"});
        Json& labels = spec["template"]["metadata"]["labels"];
        for (const char* key : {"controller-uid", "batch.kubernetes.io/controller-uid"})
            set_missing(labels, key, uid);
        for (const char* key : {"job-name", "batch.kubernetes.io/job-name"})
            set_missing(labels, key, name);
        set_missing(spec["selector"]["matchLabels"], "batch.kubernetes.io/controller-uid", uid);
    }
    const Json labels = object_at(spec, {"template", "metadata", "labels"});
    if (!labels.empty()) set_missing(job["metadata"], "labels", labels);
}

void default_cron_job(Json& cron_job, const Json*) {
    if (Json* spec = find(cron_job, {"spec", "jobTemplate", "spec", "template", "spec"}))
        default_pod_spec(*spec);
}

}  // namespace kin
