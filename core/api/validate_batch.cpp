#include <algorithm>

#include "core/api/cron_schedule.h"
#include "core/api/selectors.h"
#include "core/api/validate.h"
#include "core/base/strings.h"

namespace kin {

namespace {

void validate_job_spec(const Json& spec, const FieldPath& path, Findings& out) {
    for (const char* key : {"parallelism", "completions", "activeDeadlineSeconds", "backoffLimit",
                            "ttlSecondsAfterFinished", "backoffLimitPerIndex"})
        out.check_not_negative(path.child(key), find(spec, key));
    const std::string mode = string_at(spec, {"completionMode"});
    out.check_one_of(path.child("completionMode"), mode, {"Indexed", "NonIndexed"});
    if (mode == "Indexed" && !spec.contains("completions"))
        out.required(path.child("completions"), "when completion mode is Indexed");
    const FieldPath at = path.child("template");
    const Json& pod_template = object_at(spec, {"template"});
    validate_pod_template(pod_template, at, out);
    // A job's pods end.
    const std::string policy = string_at(pod_template, {"spec", "restartPolicy"});
    if (policy != "OnFailure" && policy != "Never")
        out.required(at.child("spec").child("restartPolicy"),
                     "valid values: \"OnFailure\", \"Never\"");
}

/// A job that does not bring its own selector has the one that was made of its uid.
void validate_generated_selector(const Json& object, const FieldPath& path, Findings& out) {
    const Json& spec = object_at(object, {"spec"});
    const Json* selector = find(spec, "selector");
    if (bool_at(spec, {"manualSelector"}) || !selector) return;
    const std::string uid = string_at(object, {"metadata", "uid"});
    const FieldPath labels = path.child("template").child("metadata").child("labels");
    const std::pair<std::string, std::string> wanted[] = {
        {"controller-uid", uid}, {"job-name", string_at(object, {"metadata", "name"})}};
    for (const auto& [key, value] : wanted) {
        const Json* held = find(spec, {"template", "metadata", "labels", key});
        if (!held) {
            out.required(labels.key(key), cat("must be '", value, "'"));
        } else if (*held != value) {
            out.invalid(labels.key(key), *held, cat("must be '", value, "'"));
        }
    }
    const Labels chosen = string_map_at(*selector, {"matchLabels"});
    const bool generated = std::any_of(chosen.begin(), chosen.end(), [&](const auto& label) {
        return label.first.ends_with("controller-uid") && label.second == uid;
    });
    if (!generated) out.invalid(path.child("selector"), *selector, "`selector` not auto-generated");
}

/// Whether made or given, the selector must find the job's pods.
void validate_job_selector(const Json& spec, const FieldPath& path, Findings& out) {
    const Json* selector = find(spec, "selector");
    if (!selector) {
        out.required(path.child("selector"));
    } else {
        validate_label_selector(*selector, path.child("selector"), out);
    }
    if (selector && LabelSelector::from_json(*selector).matches(
                        string_map_at(spec, {"template", "metadata", "labels"})))
        return;
    out.invalid(path.child("template").child("metadata").child("labels"),
                object_at(spec, {"template", "metadata", "labels"}),
                "`selector` does not match template `labels`");
}

}  // namespace

void validate_job(const Json& object, const Json* old, Findings& out) {
    const FieldPath path("spec");
    const Json& spec = object_at(object, {"spec"});
    validate_generated_selector(object, path, out);
    validate_job_spec(spec, path, out);
    validate_job_selector(spec, path, out);
    if (!old) return;
    for (const char* key : {"selector", "completionMode"})
        out.check_immutable(path.child(key), find(spec, key), find(*old, {"spec", key}));
    if (!bool_at(*old, {"spec", "suspend"}))
        out.check_immutable(path.child("template"), find(spec, "template"),
                            find(*old, {"spec", "template"}));
    if (string_at(spec, {"completionMode"}) != "Indexed")
        out.check_immutable(path.child("completions"), find(spec, "completions"),
                            find(*old, {"spec", "completions"}));
}

void validate_cron_job(const Json& object, const Json*, Findings& out) {
    const FieldPath path("spec");
    const Json& spec = object_at(object, {"spec"});
    const std::string schedule = string_at(spec, {"schedule"});
    if (schedule.empty()) {
        out.required(path.child("schedule"));
    } else if (!CronSchedule::parse(schedule)) {
        out.invalid(
            path.child("schedule"), schedule,
            "expected minute, hour, day of month, month and day of week, each in its range");
    }
    out.check_required_one_of(path.child("concurrencyPolicy"),
                              string_at(spec, {"concurrencyPolicy"}),
                              {"Allow", "Forbid", "Replace"});
    for (const char* key :
         {"startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"})
        out.check_not_negative(path.child(key), find(spec, key));
    const FieldPath job = path.child("jobTemplate").child("spec");
    const Json& job_spec = object_at(spec, {"jobTemplate", "spec"});
    validate_job_spec(job_spec, job, out);
    if (bool_at(job_spec, {"manualSelector"}))
        out.not_supported(job.child("manualSelector"), true, {"nil", "false"});
}

}  // namespace kin
