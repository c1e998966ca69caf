#include "core/api/kinds.h"

#include "core/base/strings.h"

namespace kin {

namespace {

using Names = std::vector<std::string_view>;

constexpr std::string_view kCore = "";
constexpr std::string_view kApps = "apps";
constexpr std::string_view kBatch = "batch";
constexpr std::string_view kNetworking = "networking.k8s.io";
constexpr std::string_view kRbac = "rbac.authorization.k8s.io";

const Names kAll = {"all"};
const Names kReadWrite = {"get", "patch", "update"};
const Names kConnect = {"create", "get"};
const Names kProxy = {"create", "delete", "get", "patch", "update"};
const Subresource kStatus = {"status", "", "", "", kReadWrite};
const Subresource kScale = {"scale", "autoscaling", "v1", "Scale", kReadWrite};

constexpr std::string_view kNoEffect = "kin stores this object but does not act on it yet";
constexpr std::string_view kNoRights = "kin stores this object but does not check rights by it yet";

/// The subresources of pods, as discovery lists them.
std::vector<Subresource> pod_subresources() {
    return {{"attach", "", "", "PodAttachOptions", kConnect},
            {"binding", "", "", "Binding", {"create"}},
            {"ephemeralcontainers", "", "", "", kReadWrite},
            {"eviction", "policy", "v1", "Eviction", {"create"}},
            {"exec", "", "", "PodExecOptions", kConnect},
            {"log", "", "", "", {"get"}},
            {"portforward", "", "", "PodPortForwardOptions", kConnect},
            {"proxy", "", "", "PodProxyOptions", kProxy},
            kStatus};
}

/// Fluent over Kind, so that the table below says only what is special.
struct Entry : Kind {
    Entry(std::string_view in_group, std::string_view the_kind, std::string_view the_plural,
          std::string_view the_singular, std::string_view the_message) {
        group = in_group;
        version = "v1";
        kind = the_kind;
        plural = the_plural;
        singular = the_singular;
        message = the_message;
    }
    Entry& cluster() { return namespaced = false, *this; }
    Entry& shorts(Names names) { return short_names = std::move(names), *this; }
    Entry& in_all() { return categories = kAll, *this; }
    Entry& counted() { return has_generation = true, *this; }
    Entry& born_with_status() { return status_on_create = true, *this; }
    Entry& made_by_put() { return create_on_update = true, *this; }
    Entry& needs_version() { return unconditional_update = false, *this; }
    Entry& warns(std::string_view text) { return stored_only_warning = text, *this; }
    Entry& with(std::vector<Subresource> more) {
        for (Subresource& one : more) {
            if (one.name == "status") has_status = true;
            subresources.push_back(std::move(one));
        }
        return *this;
    }
};

// clang-format off
std::vector<Kind> core_kinds() {
    return {
        Entry(kCore, "ConfigMap", "configmaps", "configmap", "core.v1.ConfigMap").shorts({"cm"}),
        Entry(kCore, "Endpoints", "endpoints", "endpoints", "core.v1.Endpoints").shorts({"ep"}).made_by_put(),
        Entry(kCore, "Event", "events", "event", "core.v1.Event").shorts({"ev"}).made_by_put(),
        Entry(kCore, "LimitRange", "limitranges", "limitrange", "core.v1.LimitRange").shorts({"limits"}).made_by_put().warns(kNoEffect),
        Entry(kCore, "Namespace", "namespaces", "namespace", "core.v1.Namespace").shorts({"ns"}).cluster()
            .with({{"finalize", "", "", "", {"update"}}, kStatus}),
        Entry(kCore, "Node", "nodes", "node", "core.v1.Node").shorts({"no"}).cluster()
            .born_with_status().with({{"proxy", "", "", "NodeProxyOptions", kProxy}, kStatus}),
        Entry(kCore, "PersistentVolumeClaim", "persistentvolumeclaims", "persistentvolumeclaim", "core.v1.PersistentVolumeClaim")
            .shorts({"pvc"}).with({kStatus}),
        Entry(kCore, "PersistentVolume", "persistentvolumes", "persistentvolume", "core.v1.PersistentVolume")
            .shorts({"pv"}).cluster().with({kStatus}),
        Entry(kCore, "Pod", "pods", "pod", "core.v1.Pod").shorts({"po"}).in_all().counted().with(pod_subresources()),
        Entry(kCore, "PodTemplate", "podtemplates", "podtemplate", "core.v1.PodTemplate"),
        Entry(kCore, "ReplicationController", "replicationcontrollers", "replicationcontroller", "core.v1.ReplicationController")
            .shorts({"rc"}).in_all().counted().with({kScale, kStatus}),
        Entry(kCore, "ResourceQuota", "resourcequotas", "resourcequota", "core.v1.ResourceQuota")
            .shorts({"quota"}).with({kStatus}).warns(kNoEffect),
        Entry(kCore, "Secret", "secrets", "secret", "core.v1.Secret"),
        Entry(kCore, "ServiceAccount", "serviceaccounts", "serviceaccount", "core.v1.ServiceAccount").shorts({"sa"})
            .with({{"token", "authentication.k8s.io", "v1", "TokenRequest", {"create"}}}),
        Entry(kCore, "Service", "services", "service", "core.v1.Service").shorts({"svc"}).in_all().made_by_put()
            .with({{"proxy", "", "", "ServiceProxyOptions", kProxy}, kStatus}),
    };
}

std::vector<Kind> workload_kinds() {
    return {
        Entry(kApps, "ControllerRevision", "controllerrevisions", "controllerrevision", "apps.v1.ControllerRevision"),
        Entry(kApps, "DaemonSet", "daemonsets", "daemonset", "apps.v1.DaemonSet").shorts({"ds"}).in_all().counted().with({kStatus}),
        Entry(kApps, "Deployment", "deployments", "deployment", "apps.v1.Deployment").shorts({"deploy"}).in_all().counted()
            .with({kScale, kStatus}),
        Entry(kApps, "ReplicaSet", "replicasets", "replicaset", "apps.v1.ReplicaSet").shorts({"rs"}).in_all().counted()
            .with({kScale, kStatus}),
        Entry(kApps, "StatefulSet", "statefulsets", "statefulset", "apps.v1.StatefulSet").shorts({"sts"}).in_all().counted()
            .with({kScale, kStatus}),
        Entry(kBatch, "CronJob", "cronjobs", "cronjob", "batch.v1.CronJob").shorts({"cj"}).in_all().counted()
            .with({kStatus}),
        Entry(kBatch, "Job", "jobs", "job", "batch.v1.Job").in_all().counted().with({kStatus}),
    };
}

std::vector<Kind> other_kinds() {
    Entry hpa("autoscaling", "HorizontalPodAutoscaler", "horizontalpodautoscalers", "horizontalpodautoscaler",
              "autoscaling.v2.HorizontalPodAutoscaler");
    hpa.version = "v2";
    return {
        hpa.shorts({"hpa"}).in_all().with({kStatus}).warns(kNoEffect),
        Entry("coordination.k8s.io", "Lease", "leases", "lease", "coordination.v1.Lease").made_by_put().needs_version(),
        Entry("discovery.k8s.io", "EndpointSlice", "endpointslices", "endpointslice", "discovery.v1.EndpointSlice").counted(),
        Entry(kNetworking, "IngressClass", "ingressclasses", "ingressclass", "networking.v1.IngressClass").cluster().counted(),
        Entry(kNetworking, "Ingress", "ingresses", "ingress", "networking.v1.Ingress").shorts({"ing"}).counted().with({kStatus}),
        Entry(kNetworking, "NetworkPolicy", "networkpolicies", "networkpolicy", "networking.v1.NetworkPolicy").shorts({"netpol"})
            .counted(),
        Entry("policy", "PodDisruptionBudget", "poddisruptionbudgets", "poddisruptionbudget", "policy.v1.PodDisruptionBudget")
            .shorts({"pdb"}).counted().needs_version().with({kStatus}).warns(kNoEffect),
        Entry(kRbac, "ClusterRoleBinding", "clusterrolebindings", "clusterrolebinding", "rbac.v1.ClusterRoleBinding").cluster()
            .made_by_put().warns(kNoRights),
        Entry(kRbac, "ClusterRole", "clusterroles", "clusterrole", "rbac.v1.ClusterRole").cluster().made_by_put().warns(kNoRights),
        Entry(kRbac, "RoleBinding", "rolebindings", "rolebinding", "rbac.v1.RoleBinding").made_by_put().warns(kNoRights),
        Entry(kRbac, "Role", "roles", "role", "rbac.v1.Role").made_by_put().warns(kNoRights),
        Entry("scheduling.k8s.io", "PriorityClass", "priorityclasses", "priorityclass", "scheduling.v1.PriorityClass").shorts({"pc"})
            .cluster().counted().warns(kNoEffect),
        Entry("storage.k8s.io", "StorageClass", "storageclasses", "storageclass", "storage.v1.StorageClass").shorts({"sc"})
            .cluster(),
    };
}
// clang-format on

std::vector<Kind> build_table() {
    std::vector<Kind> table;
    for (auto* part : {core_kinds, workload_kinds, other_kinds})
        for (Kind& kind : part()) table.push_back(std::move(kind));
    return table;
}

template <class Matches>
const Kind* first(Matches matches) {
    for (const Kind& kind : all_kinds())
        if (matches(kind)) return &kind;
    return nullptr;
}

}  // namespace

std::string Kind::api_version() const {
    return group.empty() ? std::string(version) : cat(group, '/', version);
}

std::string Kind::resource() const {
    return group.empty() ? std::string(plural) : cat(plural, '.', group);
}

std::span<const Kind> all_kinds() {
    static const std::vector<Kind> kTable = build_table();
    return kTable;
}

const Kind* find_kind(std::string_view group, std::string_view version, std::string_view plural) {
    return first([&](const Kind& kind) {
        return kind.plural == plural && kind.group == group && kind.version == version;
    });
}

const Kind* find_kind_of(std::string_view api_version, std::string_view kind_name) {
    const size_t slash = api_version.find('/');
    const bool core = slash == std::string_view::npos;
    const std::string_view group = core ? "" : api_version.substr(0, slash);
    const std::string_view version = core ? api_version : api_version.substr(slash + 1);
    return first([&](const Kind& kind) {
        return kind.kind == kind_name && kind.group == group && kind.version == version;
    });
}

const Kind* find_resource(std::string_view resource) {
    const size_t dot = resource.find('.');
    const std::string_view plural = resource.substr(0, dot);
    const std::string_view group = dot == std::string_view::npos ? "" : resource.substr(dot + 1);
    return first([&](const Kind& kind) { return kind.plural == plural && kind.group == group; });
}

}  // namespace kin
