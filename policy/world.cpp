#include "policy/world.h"

#include <algorithm>

namespace kin::policy {

std::string_view name_of(Direction direction) {
    return direction == Direction::kIngress ? "ingress" : "egress";
}

nft::L4 l4_of(Protocol protocol) {
    switch (protocol) {
        case Protocol::kUdp:
            return nft::L4::kUdp;
        case Protocol::kSctp:
            return nft::L4::kSctp;
        case Protocol::kTcp:
            break;
    }
    return nft::L4::kTcp;
}

const Labels& labels_of_namespace(const World& world, const PolicyPod& pod) {
    static const Labels kNone;
    const auto found = world.namespaces.find(pod.key.ns);
    return found == world.namespaces.end() ? kNone : found->second;
}

const std::vector<NetworkPolicyRule>& rules_of(const NetworkPolicy& policy, Direction direction) {
    return direction == Direction::kIngress ? policy.ingress : policy.egress;
}

bool isolates(const NetworkPolicy& policy, Direction direction) {
    return direction == Direction::kIngress ? policy.isolates_ingress : policy.isolates_egress;
}

bool selects(const NetworkPolicy& policy, const PolicyPod& pod) {
    return policy.key().ns == pod.key.ns && policy.selector.matches(pod.labels);
}

bool means(const NetworkPolicyPeer& peer, const std::string& policy_namespace, const PolicyPod& pod,
           const Labels& labels) {
    if (peer.is_block) return false;
    const bool here =
        peer.namespaces ? peer.namespaces->matches(labels) : pod.key.ns == policy_namespace;
    return here && peer.pods.matches(pod.labels);
}

bool in_block(const NetworkPolicyPeer& peer, Ipv4 address) {
    return peer.block && peer.block->contains(address) &&
           std::none_of(peer.except.begin(), peer.except.end(),
                        [&](const Cidr& except) { return except.contains(address); });
}

}  // namespace kin::policy
