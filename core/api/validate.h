#pragma once

#include "core/api/findings.h"
#include "core/api/validation.h"

namespace kin {

// The rules, by kind, as upstream has them. Each function adds what is wrong with one object or
// part; `old` is the stored object on an update, else nullptr. Objects come here after conform()
// and set_defaults(), so types are right and static defaults are there.

using Rules = void (*)(const Json& object, const Json* old, Findings& out);

// Whole objects; metadata is checked apart.
void validate_metadata(const Kind& kind, const Json& object, const Json* old, Findings& out);
void validate_pod(const Json& object, const Json* old, Findings& out);
void validate_pod_template_object(const Json& object, const Json* old, Findings& out);
void validate_service(const Json& object, const Json* old, Findings& out);
void validate_endpoints(const Json& object, const Json* old, Findings& out);
void validate_endpoint_slice(const Json& object, const Json* old, Findings& out);
void validate_config_map(const Json& object, const Json* old, Findings& out);
void validate_secret(const Json& object, const Json* old, Findings& out);
void validate_namespace(const Json& object, const Json* old, Findings& out);
void validate_node(const Json& object, const Json* old, Findings& out);
void validate_event(const Json& object, const Json* old, Findings& out);
void validate_lease(const Json& object, const Json* old, Findings& out);
void validate_deployment(const Json& object, const Json* old, Findings& out);
void validate_replica_set(const Json& object, const Json* old, Findings& out);
void validate_daemon_set(const Json& object, const Json* old, Findings& out);
void validate_stateful_set(const Json& object, const Json* old, Findings& out);
void validate_replication_controller(const Json& object, const Json* old, Findings& out);
void validate_job(const Json& object, const Json* old, Findings& out);
void validate_cron_job(const Json& object, const Json* old, Findings& out);
void validate_persistent_volume_claim(const Json& object, const Json* old, Findings& out);
void validate_network_policy(const Json& object, const Json* old, Findings& out);
void validate_ingress(const Json& object, const Json* old, Findings& out);
void validate_ingress_class(const Json& object, const Json* old, Findings& out);
void validate_role(const Json& object, const Json* old, Findings& out);
void validate_role_binding(const Json& object, const Json* old, Findings& out);
void validate_cluster_role_binding(const Json& object, const Json* old, Findings& out);

/// Required fields and enumerations, for kinds without rules of their own.
void validate_by_schema(const Kind& kind, const Json& object, Findings& out);

// Statuses.
void validate_pod_status(const Json& object, const Json& old, Findings& out);
void validate_load_balancer_status(const Json& object, Findings& out);
/// Counts may not be negative, and parts not larger than the whole.
void validate_replica_counts(const Json& object, Findings& out);

// Parts.
void validate_labels(const Json& labels, const FieldPath& path, Findings& out);
void validate_annotations(const Json& annotations, const FieldPath& path, Findings& out);
void validate_label_selector(const Json& selector, const FieldPath& path, Findings& out);
void validate_pod_template(const Json& pod_template, const FieldPath& path, Findings& out);
void validate_pod_spec(const Json& spec, const FieldPath& path, Findings& out);
/// All containers, init containers and ephemeral containers of a pod.
void validate_containers(const Json& spec, const FieldPath& path, Findings& out);
void validate_volumes(const Json& spec, const FieldPath& path, Findings& out);
/// Node selectors, affinity, tolerations, spreading.
void validate_scheduling(const Json& spec, const FieldPath& path, Findings& out);
void validate_pod_security(const Json& context, const FieldPath& path, Findings& out);
void validate_container_security(const Json& context, const FieldPath& path, Findings& out);
void validate_resources(const Json& resources, const FieldPath& path, Findings& out);
/// `what` is the resource's name or a field path of a pod in an environment or file.
void validate_field_ref(const Json& ref, const std::vector<std::string>& allowed,
                        const FieldPath& path, Findings& out);
void validate_resource_field_ref(const Json& ref, bool needs_container, const FieldPath& path,
                                 Findings& out);
void validate_pod_update(const Json& spec, const Json& old, const FieldPath& path, Findings& out);
/// Ephemeral containers only come: the others stay as they are, and are not taken away.
void validate_ephemeral_update(const Json& spec, const Json& old, const FieldPath& path,
                               Findings& out);
void validate_taints(const Json& taints, const FieldPath& path, Findings& out);
/// An address that traffic can be sent to: not loopback, link-local or unspecified.
void validate_routable_ip(std::string_view ip, const FieldPath& path, Findings& out);

inline const std::vector<std::string> kProtocols = {"SCTP", "TCP", "UDP"};
constexpr std::string_view kNotAnIp =
    "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
constexpr std::string_view kNotACidr =
    "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

/// Calls visit(item, path of the item) for each item of the list object[key].
template <class Visit>
void each(const Json& object, std::string_view key, const FieldPath& path, Visit&& visit) {
    const FieldPath list = path.child(key);
    const Json& items = array_at(object, {key});
    for (size_t i = 0; i < items.size(); ++i) visit(items[i], list.index(i));
}

/// A port given as a number or as the name of a container's port.
void validate_port_or_name(const Json& port, const FieldPath& path, Findings& out);
/// Required, then the rule.
void validate_required(const Json& object, const char* key, Complaints (*rule)(std::string_view),
                       const FieldPath& path, Findings& out);

}  // namespace kin
