#include "core/api/views.h"

#include <algorithm>

#include "core/api/view_fields.h"
#include "core/base/strings.h"

namespace kin {

namespace {
uint16_t port_at(const Json& json, std::string_view key) {
    const int64_t number = int_at(json, {key});
    return number > 0 && number <= 65535 ? static_cast<uint16_t>(number) : uint16_t{0};
}

std::vector<std::string> strings_at(const Json& json, JsonPath path) {
    std::vector<std::string> out;
    for (const Json& item : array_at(json, path)) {
        if (item.is_string()) out.push_back(item.get<std::string>());
    }
    return out;
}

/// How long a client stays with its endpoint; three hours unless said otherwise.
uint32_t affinity_seconds(const Json& spec) {
    if (string_at(spec, {"sessionAffinity"}) != "ClientIP") return 0;
    return static_cast<uint32_t>(
        int_at(spec, {"sessionAffinityConfig", "clientIP", "timeoutSeconds"}, 10'800));
}

PortRef port_ref(const Json& json, std::string_view key) {
    PortRef ref;
    ref.name = string_at(json, {key});
    ref.number = port_at(json, key);
    return ref;
}

bool condition(const Json& object, std::string_view type) {
    for (const Json& item : array_at(object, {"status", "conditions"})) {
        if (string_at(item, {"type"}) == type) return string_at(item, {"status"}) == "True";
    }
    return false;
}
}  // namespace

const OwnerReference* Metadata::controller() const {
    const auto found = std::find_if(owners.begin(), owners.end(),
                                    [](const OwnerReference& owner) { return owner.controller; });
    return found == owners.end() ? nullptr : &*found;
}

const Json& View::spec() const { return object_at(*object, {"spec"}); }
const Json& View::status() const { return object_at(*object, {"status"}); }

std::string_view name_of(Protocol protocol) {
    switch (protocol) {
        case Protocol::kTcp:
            return "TCP";
        case Protocol::kUdp:
            return "UDP";
        case Protocol::kSctp:
            return "SCTP";
    }
    return "TCP";
}

Protocol protocol_of(std::string_view name) {
    if (name == "UDP") return Protocol::kUdp;
    if (name == "SCTP") return Protocol::kSctp;
    return Protocol::kTcp;
}

bool pod_condition(const Json& pod, std::string_view type) { return condition(pod, type); }

Metadata decode_metadata(const Json& object) {
    const Json& json = object_at(object, {"metadata"});
    Metadata meta;
    meta.key = {string_at(json, {"namespace"}), string_at(json, {"name"})};
    meta.uid = string_at(json, {"uid"});
    meta.generate_name = string_at(json, {"generateName"});
    meta.revision = parse_number<uint64_t>(string_at(json, {"resourceVersion"})).value_or(0);
    meta.generation = int_at(json, {"generation"});
    meta.created = string_at(json, {"creationTimestamp"});
    meta.deleted = string_at(json, {"deletionTimestamp"});
    if (const Json* grace = find(json, "deletionGracePeriodSeconds"); grace && grace->is_number()) {
        meta.deletion_grace_seconds = grace->get<int64_t>();
    }
    meta.labels = string_map_at(json, {"labels"});
    meta.annotations = string_map_at(json, {"annotations"});
    for (const Json& owner : array_at(json, {"ownerReferences"})) {
        meta.owners.push_back({string_at(owner, {"apiVersion"}), string_at(owner, {"kind"}),
                               string_at(owner, {"name"}), string_at(owner, {"uid"}),
                               bool_at(owner, {"controller"}),
                               bool_at(owner, {"blockOwnerDeletion"})});
    }
    meta.finalizers = strings_at(json, {"finalizers"});
    return meta;
}

template <>
Namespace decode(std::shared_ptr<const Json> object) {
    auto view = with_metadata<Namespace>(std::move(object));
    view.phase = string_at(view.status(), {"phase"});
    return view;
}

template <>
Node decode(std::shared_ptr<const Json> object) {
    auto view = with_metadata<Node>(std::move(object));
    view.pod_cidr = string_at(view.spec(), {"podCIDR"});
    view.unschedulable = bool_at(view.spec(), {"unschedulable"});
    for (const Json& address : array_at(view.status(), {"addresses"})) {
        if (string_at(address, {"type"}) == "InternalIP") {
            view.internal_ip = string_at(address, {"address"});
            break;
        }
    }
    view.ready = condition(*view.object, "Ready");
    return view;
}

template <>
Pod decode(std::shared_ptr<const Json> object) {
    auto view = with_metadata<Pod>(std::move(object));
    const Json& spec = view.spec();
    view.node = string_at(spec, {"nodeName"});
    view.host_network = bool_at(spec, {"hostNetwork"});
    view.hostname = string_at(spec, {"hostname"});
    view.subdomain = string_at(spec, {"subdomain"});
    view.ip = string_at(view.status(), {"podIP"});
    view.phase = string_at(view.status(), {"phase"});
    view.ready = condition(*view.object, "Ready");
    for (const Json& container : array_at(spec, {"containers"})) {
        for (const Json& port : array_at(container, {"ports"})) {
            view.ports.push_back({string_at(port, {"name"}), port_at(port, "containerPort"),
                                  port_at(port, "hostPort"),
                                  protocol_of(string_at(port, {"protocol"}))});
        }
    }
    return view;
}

template <>
Service decode(std::shared_ptr<const Json> object) {
    auto view = with_metadata<Service>(std::move(object));
    const Json& spec = view.spec();
    view.type = string_at(spec, {"type"}, "ClusterIP");
    view.cluster_ip = string_at(spec, {"clusterIP"});
    view.cluster_ips = strings_at(spec, {"clusterIPs"});
    view.selector = string_map_at(spec, {"selector"});
    view.external_name = string_at(spec, {"externalName"});
    view.publish_not_ready = bool_at(spec, {"publishNotReadyAddresses"});
    view.external_local = string_at(spec, {"externalTrafficPolicy"}) == "Local";
    view.internal_local = string_at(spec, {"internalTrafficPolicy"}) == "Local";
    view.affinity_seconds = affinity_seconds(spec);
    view.external_ips = strings_at(spec, {"externalIPs"});
    view.load_balancer_class = string_at(spec, {"loadBalancerClass"});
    view.load_balancer_ip = string_at(spec, {"loadBalancerIP"});
    view.source_ranges = strings_at(spec, {"loadBalancerSourceRanges"});
    for (const Json& ingress : array_at(view.status(), {"loadBalancer", "ingress"})) {
        const std::string ip = string_at(ingress, {"ip"});
        if (!ip.empty()) view.load_balancer_ips.push_back(ip);
    }
    view.health_check_node_port = port_at(spec, "healthCheckNodePort");
    for (const Json& port : array_at(spec, {"ports"})) {
        view.ports.push_back({string_at(port, {"name"}), protocol_of(string_at(port, {"protocol"})),
                              port_at(port, "port"), port_ref(port, "targetPort"),
                              port_at(port, "nodePort"), string_at(port, {"appProtocol"})});
    }
    return view;
}

template <>
EndpointSlice decode(std::shared_ptr<const Json> object) {
    auto view = with_metadata<EndpointSlice>(std::move(object));
    const auto label = view.meta.labels.find("kubernetes.io/service-name");
    if (label != view.meta.labels.end()) view.service = label->second;
    view.address_type = string_at(*view.object, {"addressType"});
    for (const Json& item : array_at(*view.object, {"endpoints"})) {
        EndpointSlice::Endpoint endpoint;
        endpoint.addresses = strings_at(item, {"addresses"});
        // A condition that is not said counts as ready (discovery/v1: nil means true).
        endpoint.ready = bool_at(item, {"conditions", "ready"}, true);
        endpoint.serving = bool_at(item, {"conditions", "serving"}, endpoint.ready);
        endpoint.terminating = bool_at(item, {"conditions", "terminating"});
        endpoint.hostname = string_at(item, {"hostname"});
        endpoint.node = string_at(item, {"nodeName"});
        if (string_at(item, {"targetRef", "kind"}) == "Pod") {
            endpoint.target = {string_at(item, {"targetRef", "namespace"}),
                               string_at(item, {"targetRef", "name"})};
        }
        view.endpoints.push_back(std::move(endpoint));
    }
    for (const Json& port : array_at(*view.object, {"ports"})) {
        view.ports.push_back({string_at(port, {"name"}), port_at(port, "port"),
                              protocol_of(string_at(port, {"protocol"}))});
    }
    return view;
}

template <>
Deployment decode(std::shared_ptr<const Json> object) {
    auto view = with_metadata<Deployment>(std::move(object));
    view.replicas = static_cast<int>(int_at(view.spec(), {"replicas"}, 1));
    view.selector = LabelSelector::from_json(object_at(view.spec(), {"selector"}));
    view.paused = bool_at(view.spec(), {"paused"});
    return view;
}

template <>
ReplicaSet decode(std::shared_ptr<const Json> object) {
    auto view = with_metadata<ReplicaSet>(std::move(object));
    view.replicas = static_cast<int>(int_at(view.spec(), {"replicas"}, 1));
    view.selector = LabelSelector::from_json(object_at(view.spec(), {"selector"}));
    return view;
}

template <>
DaemonSet decode(std::shared_ptr<const Json> object) {
    auto view = with_metadata<DaemonSet>(std::move(object));
    view.selector = LabelSelector::from_json(object_at(view.spec(), {"selector"}));
    return view;
}

#define KIN_PLAIN_VIEW(T)                           \
    template <>                                     \
    T decode(std::shared_ptr<const Json> object) {  \
        return with_metadata<T>(std::move(object)); \
    }
KIN_PLAIN_VIEW(Endpoints)
KIN_PLAIN_VIEW(ConfigMap)
KIN_PLAIN_VIEW(Secret)
KIN_PLAIN_VIEW(ServiceAccount)
#undef KIN_PLAIN_VIEW

}  // namespace kin
