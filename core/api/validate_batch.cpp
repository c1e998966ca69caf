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
        out.invalid(at.child("spec").child("restartPolicy"), policy,
                    "Required value: valid values: \"OnFailure\", \"Never\"");
}

bool is_schedule(std::string_view text) {
    if (text.starts_with('@')) return true;
    size_t fields = 0;
    for (const std::string_view field : split(text, ' ')) {
        if (field.empty()) continue;
        ++fields;
        if (field.find_first_not_of(
                "0123456789*/,-?LWABCDEFGHIJKMNOPRSTUVYabcdefghijklmnoprstuvwy#") !=
            std::string_view::npos)
            return false;
    }
    return fields == 5;
}

}  // namespace

void validate_job(const Json& object, const Json* old, Findings& out) {
    const FieldPath path("spec");
    const Json& spec = object_at(object, {"spec"});
    validate_job_spec(spec, path, out);
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
    } else if (!is_schedule(schedule)) {
        out.invalid(path.child("schedule"), schedule, "expected exactly 5 fields of a schedule");
    }
    out.check_required_one_of(path.child("concurrencyPolicy"),
                              string_at(spec, {"concurrencyPolicy"}),
                              {"Allow", "Forbid", "Replace"});
    for (const char* key :
         {"startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"})
        out.check_not_negative(path.child(key), find(spec, key));
    validate_job_spec(object_at(spec, {"jobTemplate", "spec"}),
                      path.child("jobTemplate").child("spec"), out);
}

}  // namespace kin
