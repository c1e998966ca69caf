#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/api/policy_views.h"
#include "core/base/ip.h"
#include "core/kernel/nft.h"

/// NetworkPolicy: what it means, as tables of the nodes' kernels, and why a packet went its way.
namespace kin::policy {

/// A pod as policies see it.
struct PolicyPod {
    ObjectKey key;
    std::string uid;
    Labels labels;
    std::string node;
    Ipv4 address;
    std::vector<ContainerPort> ports;  ///< those with names are what named ports mean
};

/// Everything a verdict depends on. Pods of the host's network are not in it: policies do not
/// select them, and their traffic is their node's.
struct World {
    std::map<std::string, Labels> namespaces;
    std::map<Ipv4, PolicyPod> pods;  ///< by address
    std::map<ObjectKey, NetworkPolicy> policies;
    std::map<std::string, Ipv4> nodes;  ///< their own addresses
};

enum class Direction : uint8_t { kIngress, kEgress };
std::string_view name_of(Direction direction);  ///< "ingress"

/// Those of the namespace that the pod is in.
const Labels& labels_of_namespace(const World& world, const PolicyPod& pod);
nft::L4 l4_of(Protocol protocol);

/// The policy's rules for a direction, and whether it isolates the pods that it selects there.
const std::vector<NetworkPolicyRule>& rules_of(const NetworkPolicy& policy, Direction direction);
bool isolates(const NetworkPolicy& policy, Direction direction);
/// Whether the policy is about this pod.
bool selects(const NetworkPolicy& policy, const PolicyPod& pod);
/// Whether a peer that names pods by labels means this one. `labels`: those of the pod's namespace.
bool means(const NetworkPolicyPeer& peer, const std::string& policy_namespace, const PolicyPod& pod,
           const Labels& labels);
/// Whether a peer that is a block means this address.
bool in_block(const NetworkPolicyPeer& peer, Ipv4 address);

}  // namespace kin::policy
