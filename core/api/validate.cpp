#include "core/api/validate.h"

#include <algorithm>
#include <array>
#include <utility>

namespace kin {

namespace {

constexpr std::array<std::pair<std::string_view, Rules>, 27> kRules = {{
    {"core.v1.Pod", validate_pod},
    {"core.v1.PodTemplate", validate_pod_template_object},
    {"core.v1.Service", validate_service},
    {"core.v1.Endpoints", validate_endpoints},
    {"core.v1.ConfigMap", validate_config_map},
    {"core.v1.Secret", validate_secret},
    {"core.v1.Namespace", validate_namespace},
    {"core.v1.Node", validate_node},
    {"core.v1.Event", validate_event},
    {"core.v1.PersistentVolumeClaim", validate_persistent_volume_claim},
    {"core.v1.ReplicationController", validate_replication_controller},
    {"apps.v1.Deployment", validate_deployment},
    {"apps.v1.ReplicaSet", validate_replica_set},
    {"apps.v1.DaemonSet", validate_daemon_set},
    {"apps.v1.StatefulSet", validate_stateful_set},
    {"batch.v1.Job", validate_job},
    {"batch.v1.CronJob", validate_cron_job},
    {"networking.v1.NetworkPolicy", validate_network_policy},
    {"networking.v1.Ingress", validate_ingress},
    {"networking.v1.IngressClass", validate_ingress_class},
    {"discovery.v1.EndpointSlice", validate_endpoint_slice},
    {"coordination.v1.Lease", validate_lease},
    {"rbac.v1.Role", validate_role},
    {"rbac.v1.ClusterRole", validate_role},
    {"rbac.v1.RoleBinding", validate_role_binding},
    {"rbac.v1.ClusterRoleBinding", validate_cluster_role_binding},
    {"", nullptr},
}};

bool is_replicated(const Kind& kind) {
    return kind.kind == "Deployment" || kind.kind == "ReplicaSet" || kind.kind == "StatefulSet" ||
           kind.kind == "ReplicationController";
}

}  // namespace

std::vector<Cause> validate(const Kind& kind, const Json& object, const Json* old) {
    Findings out;
    validate_metadata(kind, object, old, out);
    const auto entry = std::find_if(kRules.begin(), kRules.end(),
                                    [&](const auto& one) { return one.first == kind.message; });
    if (entry != kRules.end()) {
        entry->second(object, old, out);
    } else {
        validate_by_schema(kind, object, out);
    }
    return out.take();
}

std::vector<Cause> validate_status(const Kind& kind, const Json& object, const Json& old) {
    Findings out;
    validate_metadata(kind, object, &old, out);
    if (kind.kind == "Pod") validate_pod_status(object, old, out);
    if (kind.kind == "Node") validate_node(object, &old, out);
    if (kind.kind == "Service" || kind.kind == "Ingress")
        validate_load_balancer_status(object, out);
    if (is_replicated(kind)) validate_replica_counts(object, out);
    return out.take();
}

std::vector<Cause> validate_ephemeral_containers(const Kind& kind, const Json& object,
                                                 const Json& old) {
    Findings out;
    validate_metadata(kind, object, &old, out);
    const FieldPath path("spec");
    validate_pod_spec(object_at(object, {"spec"}), path, out);
    validate_ephemeral_update(object_at(object, {"spec"}), object_at(old, {"spec"}), path, out);
    return out.take();
}

}  // namespace kin
