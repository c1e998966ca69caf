#include "oracle_newer.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "core/base/strings.h"

namespace kin::test {

namespace {
struct NewerCase {
    std::string_view file;
    std::string_view name;  ///< "a*": all that begin so
    Judged judged;
    std::string_view why;
};

constexpr std::string_view kKeeps = "updates keep what the server chose, since 1.21";
constexpr std::string_view kNever = "gone since 1.22";
constexpr std::string_view kUnchecked = "the field was unknown to 1.20 or not checked";

// clang-format off
constexpr NewerCase kCases[] = {
    {"validation", "url-get-unknown-path", Judged::kByReason, "lists the paths of a version"},
    {"validation", "ingress-networking-v1beta1-*", Judged::kNotAtAll, kNever},
    {"validation", "ingress-extensions-v1beta1-*", Judged::kNotAtAll, kNever},
    {"validation", "absent-version-endpointslice-discovery-k8s-io-v1", Judged::kAsAccepted, "served since 1.21"},
    {"validation", "absent-version-event-events-k8s-io-v1beta1", Judged::kNotAtAll, "gone since 1.25"},
    {"validation", "url-delete-collection-services", Judged::kAsAccepted, "exists since 1.23"},
    {"validation", "list-field-service-spec.*", Judged::kAsAccepted, "field selectors of Services came later"},
    {"validation", "list-field-pod-spec.hostnetwork", Judged::kAsAccepted, "since 1.28"},
    {"validation", "service-create-ipfamily-unknown", Judged::kAsRefused, kUnchecked},
    {"validation", "service-create-ipfamily-v6", Judged::kAsRefused, "a cluster's families are always checked since 1.23"},
    {"validation", "service-create-internaltrafficpolicy-unknown", Judged::kAsRefused, kUnchecked},
    {"validation", "service-create-lbranges-bad*", Judged::kByReason, "the field has an index since 1.25"},
    {"validation", "service-update-no-resourceversion*", Judged::kAsAccepted, "needs none since 1.21"},
    {"validation", "service-update-clusterip-empty", Judged::kAsAccepted, kKeeps},
    {"validation", "service-update-clusterip-dropped", Judged::kAsAccepted, kKeeps},
    {"validation", "service-update-headless-dropped", Judged::kAsAccepted, kKeeps},
    {"validation", "service-update-clusterips-change", Judged::kNotAtAll, kKeeps},
    {"validation", "service-update-clusterip-change", Judged::kByReason, "clusterIPs follows clusterIP since 1.21"},
    {"validation", "service-update-clusterip-to-none", Judged::kByReason, "the same"},
    {"validation", "service-update-headless-*", Judged::kByReason, "the same"},
    {"validation", "networkpolicy-create-endport-name", Judged::kAsRefused, kUnchecked},
    {"validation", "node-create-podcidrs-two-v4", Judged::kAsRefused, kUnchecked},
    {"validation", "pod-create-ephemeralcontainers", Judged::kAsRefused, kUnchecked},
    {"validation", "endpointslice-create-port-range", Judged::kAsRefused, kUnchecked},
    {"validation", "endpointslice-create-nodename", Judged::kAsRefused, kUnchecked},
    {"validation", "create-query-fieldvalidation-strict", Judged::kAsRefused, "strict since 1.25"},
    {"validation", "patch-json-replace-absent", Judged::kAsRefused, "the library became strict"},
    {"validation", "pod-create-volume-ephemeral-alpha", Judged::kAsAccepted, "generic ephemeral volumes, since 1.23"},
    {"validation", "pod-create-probe-grpc", Judged::kAsAccepted, "since 1.27"},
    {"validation", "pod-create-dnsconfig-searches-7", Judged::kAsAccepted, "32 search domains since 1.28"},
    {"validation", "pod-create-dnsconfig-search-long", Judged::kByReason, "2048 characters since 1.28"},
    {"validation", "pod-create-initcontainer-lifecycle", Judged::kNotAtAll, "Forbidden, not Invalid, since sidecars"},
    {"validation", "pod-create-annotation-*", Judged::kAsAccepted, "annotations that became fields"},
    {"validation", "pod-eviction-policy-v1", Judged::kAsAccepted, "since 1.22"},
    {"validation", "pod-log-no-kubelet", Judged::kNotAtAll, "nodes are served here"},
    {"validation", "pod-log-bool-text", Judged::kNotAtAll, "nodes are served here"},
    {"validation", "pod-eviction-namespace-mismatch", Judged::kAsRefused, "namespaces are compared since 1.21"},
    {"validation", "statefulset-update-history", Judged::kAsAccepted, "revisionHistoryLimit may change since 1.33"},
    {"validation", "persistentvolumeclaim-update-class", Judged::kAsAccepted, "a class may be given later since 1.26"},
    {"validation", "job-create-ttl-negative", Judged::kAsRefused, kUnchecked},
    {"validation", "cronjob-batch-v1-url", Judged::kAsAccepted, "served since 1.21"},
    {"defaults", "service-update-headless-put-without-clusterip", Judged::kAsAccepted, kKeeps},
    {"defaults", "service-update-lb-local-put-without-healthcheckport", Judged::kAsAccepted, kKeeps},
    {"defaults", "service-update-selector-removed-without-clusterip", Judged::kAsAccepted, kKeeps},
    {"defaults", "pod-seccomp-field", Judged::kNotAtAll, "no longer copied since 1.27"},
    {"validation", "apply-service-port-missing", Judged::kAsRefused, "protocol has a default in the schema, so the port is the missing key"},
    {"validation", "apply-deployment-container-no-name", Judged::kAsRefused, "a missing list key is 400 since 1.22"},
    {"defaults", "pod-seccomp-annotation", Judged::kNotAtAll, "no longer copied since 1.27"},
    {"defaults", "service-internaltrafficpolicy-dropped", Judged::kAsAccepted, "kept since 1.22"},
    {"defaults", "service-update-clusterip-*-without-clusterip", Judged::kAsAccepted, kKeeps},
    {"defaults", "service-update-nodeport-given-kept", Judged::kAsAccepted, kKeeps},
    {"defaults", "service-update-chain-put", Judged::kAsAccepted, kKeeps},
    {"patches", "strategic-status-ignored", Judged::kAsAccepted, "writes nothing since 1.22: status is reset first"},
    {"patches", "strategic-service-clusterip-null", Judged::kAsAccepted, kKeeps},
    {"patches", "json-service-clusterip-remove", Judged::kAsAccepted, kKeeps},
    {"patches", "json-replace-root", Judged::kAsAccepted, "the library follows RFC 6902"},
    {"apply", "deployment-scale-then-apply", Judged::kNotAtAll, "scale owns replicas since 1.22"},
    {"apply", "deployment-status-in-main-apply", Judged::kAsAccepted, "status is reset first since 1.22"},
    {"apply", "service-port-protocol-omitted", Judged::kAsAccepted, "protocol has a default in the schema"},
    {"apply", "deployment-container-insert-first", Judged::kAsAccepted, "the order of what is applied is kept"},
    {"apply", "deployment-ports-key", Judged::kAsAccepted, "the same"},
    {"apply", "other-version-of-same-object", Judged::kNotAtAll, kNever},
    {"watch", "two-versions-of-one-object", Judged::kNotAtAll, kNever},
    {"watch", "too-old-cached*", Judged::kNotAtAll, "kin keeps its history longer than that server's cache reached"},
    {"watch", "too-old-after-compaction-cached-kind-still-served", Judged::kNotAtAll, "that server's cache outlived the compaction"},
};
// clang-format on

struct NewField {
    std::string_view kinds;  ///< "Pod,Job"; "": all
    std::string_view key;
    std::string_view value;  ///< as JSON; "": any
    std::string_view why;
};

constexpr NewField kNewFields[] = {
    {"", "internalTrafficPolicy", "\"Cluster\"", "default since 1.22"},
    {"", "ipFamilies", "", "filled in since 1.20's dual-stack gate opened"},
    {"", "ipFamilyPolicy", "\"SingleStack\"", "the same"},
    {"", "ipFamilyPolicy", "\"RequireDualStack\"", "the same, headless without selector"},
    {"", "allocateLoadBalancerNodePorts", "true", "default since 1.22"},
    {"Namespace", "labels", "", "a label of every namespace since 1.21"},
    {"", "kubernetes.io/metadata.name", "", "the same"},
    {"", "scope", "\"Cluster\"", "default of IngressClass parameters since 1.22"},
    {"StatefulSet", "persistentVolumeClaimRetentionPolicy", "", "since 1.27"},
    {"StatefulSet", "availableReplicas", "0", "since 1.22"},
    {"Job,CronJob", "completionMode", "\"NonIndexed\"", "since 1.21"},
    {"Job,CronJob", "suspend", "false", "since 1.21"},
    {"Job", "podReplacementPolicy", "\"TerminatingOrFailed\"", "since 1.28"},
    {"Job", "batch.kubernetes.io/controller-uid", "", "labels since 1.27"},
    {"Job", "batch.kubernetes.io/job-name", "", "the same"},
    {"Pod,Job,CronJob", "generation", "", "Pods since 1.33, Jobs since 1.21"},
    {"", "ipMode", "\"VIP\"", "load balancer status since 1.29"},
    {"DaemonSet", "maxSurge", "0", "since 1.21"},
    {"", "subresource", "", "managedFields since 1.22"},
    {"", "f:internalTrafficPolicy", "", "owned as it is there"},
    {"", "f:allocateLoadBalancerNodePorts", "", "the same"},
    {"", "f:persistentVolumeClaimRetentionPolicy", "", "the same"},
    {"", "f:maxSurge", "", "the same"},
    {"", "f:completionMode", "", "the same"},
    {"", "f:suspend", "", "the same"},
    {"", "f:podReplacementPolicy", "", "the same"},
    {"", "f:reportingComponent", "", "always written in Events"},
    {"", "f:reportingInstance", "", "the same"},
    {"Namespace", "managedFields", "", "the new label's"},
};

struct GoneField {
    std::string_view part;  ///< of the field's path
    std::string_view why;
};

constexpr GoneField kGoneFields[] = {
    {".f:spec.f:selector.", "a Service's selector is owned as a whole since 1.22"},
    {".f:nodeSelector.", "the same"},
    {".f:involvedObject.", "references are owned as a whole since 1.22"},
    {".f:roleRef.", "the same"},
    {".f:lastTransitionTime", "empty times are not sent any more"},
    {".f:lastUpdateTime", "the same"},
    {".f:metadata.f:creationTimestamp", "the same"},
    {".matchLabels.controller-uid", "batch.kubernetes.io/controller-uid since 1.27"},
    {"metadata.finalizers", "kin protects no volumes: it has no controller to end that"},
};

constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kGroups = {{
    {"discovery.k8s.io/v1beta1", "discovery.k8s.io/v1"},
    {"policy/v1beta1", "policy/v1"},
    {"batch/v1beta1", "batch/v1"},
    {"\"group\": \"extensions\"", "\"group\": \"networking.k8s.io\""},
    {"Ingress.extensions", "Ingress.networking.k8s.io"},
    {"NetworkPolicy.extensions", "NetworkPolicy.networking.k8s.io"},
}};

bool matches(std::string_view pattern, std::string_view name) {
    const size_t star = pattern.find('*');
    if (star == pattern.npos) return pattern == name;
    return name.size() + 1 >= pattern.size() && name.starts_with(pattern.substr(0, star)) &&
           name.ends_with(pattern.substr(star + 1));
}
}  // namespace

Judged judged_today(std::string_view file, std::string_view name) {
    for (const NewerCase& one : kCases)
        if (one.file == file && matches(one.name, name)) return one.judged;
    return Judged::kWhole;
}

std::string with_todays_groups(std::string line) {
    for (const auto& [old, now] : kGroups)
        for (size_t at = line.find(old); at != line.npos; at = line.find(old, at + now.size()))
            line.replace(at, old.size(), now);
    return line;
}

bool is_new_field(std::string_view kind, std::string_view, const std::string& key,
                  const Json& value) {
    return std::any_of(std::begin(kNewFields), std::end(kNewFields), [&](const NewField& field) {
        const auto kinds = split(field.kinds, ',');
        const bool about =
            field.kinds.empty() || std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
        return about && field.key == key && (field.value.empty() || field.value == to_text(value));
    });
}

bool is_gone_field(std::string_view path) {
    return std::any_of(std::begin(kGoneFields), std::end(kGoneFields),
                       [&](const GoneField& field) { return path.find(field.part) != path.npos; });
}

bool is_newer_value(std::string_view path, const Json& expected, const Json& actual) {
    // RESTARTS is text since 1.22: "2 (5m ago)".
    const bool cell = path.find(".cells[3]") != path.npos;
    if (cell && expected.is_number() && actual == to_text(expected)) return true;
    const bool type = path.find("columnDefinitions[3].type") != path.npos;
    return type && expected == "integer" && actual == "string";
}

}  // namespace kin::test
