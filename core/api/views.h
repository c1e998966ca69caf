#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/object_key.h"
#include "core/api/selectors.h"
#include "core/base/ip.h"
#include "core/base/json.h"

namespace kin {

/// Typed views of the objects that components read: decoded once, structs afterwards. What is
/// stored has passed validation, so decoding cannot fail; a field that is missing or strange is
/// its type's zero.

struct OwnerReference {
    std::string api_version, kind, name, uid;
    bool controller = false;
    bool block_owner_deletion = false;
};

struct Metadata {
    ObjectKey key;
    std::string uid;
    std::string generate_name;
    uint64_t revision = 0;  ///< resourceVersion
    int64_t generation = 0;
    std::string created;  ///< RFC 3339
    std::string deleted;  ///< deletionTimestamp; "" while the object lives
    std::optional<int64_t> deletion_grace_seconds;
    Labels labels;
    Labels annotations;
    std::vector<OwnerReference> owners;
    std::vector<std::string> finalizers;

    bool deleting() const { return !deleted.empty(); }
    /// The owner with controller: true, or nullptr.
    const OwnerReference* controller() const;
};

/// What all views share.
struct View {
    Metadata meta;
    std::shared_ptr<const Json> object;  ///< the whole object, for fields without a member

    const ObjectKey& key() const { return meta.key; }
    /// spec and status; an empty object if missing.
    const Json& spec() const;
    const Json& status() const;
};

enum class Protocol : uint8_t { kTcp, kUdp, kSctp };
std::string_view name_of(Protocol protocol);  ///< "TCP"
Protocol protocol_of(std::string_view name);  ///< anything else is TCP, the default

/// A number or a name: targetPort, probe ports.
struct PortRef {
    uint16_t number = 0;
    std::string name;  ///< "": the number counts
};

struct Namespace : View {
    static constexpr std::string_view kResource = "namespaces";
    std::string phase;
};

struct Node : View {
    static constexpr std::string_view kResource = "nodes";
    std::string pod_cidr;     ///< "10.244.1.0/24"; "" until given
    std::string internal_ip;  ///< "172.30.0.2"
    bool unschedulable = false;
    bool ready = false;
};

struct ContainerPort {
    std::string name;
    uint16_t port = 0, host_port = 0;
    Protocol protocol = Protocol::kTcp;
};

struct Pod : View {
    static constexpr std::string_view kResource = "pods";
    std::string node;    ///< spec.nodeName; "" until scheduled
    std::string ip;      ///< status.podIP; "" until known
    std::string phase;   ///< Pending, Running, Succeeded, Failed
    bool ready = false;  ///< condition Ready
    bool host_network = false;
    std::string hostname, subdomain;
    std::vector<ContainerPort> ports;  ///< of all containers

    bool finished() const { return phase == "Succeeded" || phase == "Failed"; }
};

struct ServicePort {
    std::string name;
    Protocol protocol = Protocol::kTcp;
    uint16_t port = 0;
    PortRef target;
    uint16_t node_port = 0;
    std::string app_protocol;
};

struct Service : View {
    static constexpr std::string_view kResource = "services";
    std::string type;        ///< ClusterIP, NodePort, LoadBalancer, ExternalName
    std::string cluster_ip;  ///< "None": headless; "": ExternalName
    std::vector<std::string> cluster_ips;
    Labels selector;  ///< empty: none
    std::vector<ServicePort> ports;
    std::string external_name;
    bool publish_not_ready = false;
    bool external_local = false;    ///< externalTrafficPolicy: Local
    bool internal_local = false;    ///< internalTrafficPolicy: Local
    uint32_t affinity_seconds = 0;  ///< of sessionAffinity ClientIP; 0: None
    std::vector<std::string> external_ips;
    std::string load_balancer_class;             ///< "": kin's own
    std::string load_balancer_ip;                ///< the one that is wished for
    std::vector<std::string> source_ranges;      ///< loadBalancerSourceRanges
    std::vector<std::string> load_balancer_ips;  ///< status.loadBalancer.ingress
    uint16_t health_check_node_port = 0;
    bool headless() const { return cluster_ip == "None"; }
    bool load_balanced() const { return type == "LoadBalancer"; }
};

struct EndpointsPort {
    std::string name;
    uint16_t port = 0;
    Protocol protocol = Protocol::kTcp;
};

struct EndpointSlice : View {
    static constexpr std::string_view kResource = "endpointslices.discovery.k8s.io";
    struct Endpoint {
        std::vector<std::string> addresses;
        bool ready = true, serving = true, terminating = false;
        std::string hostname, node;
        ObjectKey target;  ///< targetRef, when it is a Pod; else empty
    };
    std::string service;       ///< label kubernetes.io/service-name
    std::string address_type;  ///< IPv4, IPv6, FQDN
    std::vector<Endpoint> endpoints;
    std::vector<EndpointsPort> ports;
};

struct Endpoints : View {
    static constexpr std::string_view kResource = "endpoints";
};

struct Deployment : View {
    static constexpr std::string_view kResource = "deployments.apps";
    int replicas = 1;
    LabelSelector selector;
    bool paused = false;
};

struct ReplicaSet : View {
    static constexpr std::string_view kResource = "replicasets.apps";
    int replicas = 1;
    LabelSelector selector;
};

struct DaemonSet : View {
    static constexpr std::string_view kResource = "daemonsets.apps";
    LabelSelector selector;
};

struct ConfigMap : View {
    static constexpr std::string_view kResource = "configmaps";
};

struct Secret : View {
    static constexpr std::string_view kResource = "secrets";
};

struct ServiceAccount : View {
    static constexpr std::string_view kResource = "serviceaccounts";
};

/// Reads a view from the whole object. Explicitly instantiated for every view above.
template <class T>
T decode(std::shared_ptr<const Json> object);

/// Only metadata, for kinds without a view.
Metadata decode_metadata(const Json& object);

/// True if the pod's condition `type` has status "True".
bool pod_condition(const Json& pod, std::string_view type);

}  // namespace kin
