#include "policy/evaluate.h"

#include <algorithm>

#include "core/base/strings.h"
#include "policy/near_miss.h"

namespace kin::policy {

namespace {
const PolicyPod* pod_at(const World& world, Ipv4 address) {
    const auto found = world.pods.find(address);
    return found == world.pods.end() ? nullptr : &found->second;
}

bool peer_allows(const World& world, const NetworkPolicy& policy, const NetworkPolicyRule& rule,
                 Ipv4 other) {
    if (rule.peers.empty()) return true;
    const PolicyPod* pod = pod_at(world, other);
    return std::any_of(rule.peers.begin(), rule.peers.end(), [&](const NetworkPolicyPeer& peer) {
        if (peer.is_block) return in_block(peer, other);
        return pod && means(peer, policy.key().ns, *pod, labels_of_namespace(world, *pod));
    });
}

bool port_allows(const World& world, const NetworkPolicyRule& rule, const Packet& packet) {
    if (rule.ports.empty()) return true;
    const PolicyPod* to = pod_at(world, packet.destination);
    return std::any_of(rule.ports.begin(), rule.ports.end(), [&](const NetworkPolicyPort& port) {
        if (l4_of(port.protocol) != packet.l4) return false;
        if (port.name.empty()) return port.first <= packet.port && packet.port <= port.last;
        return to && std::any_of(to->ports.begin(), to->ports.end(), [&](const ContainerPort& has) {
                   return has.name == port.name && has.protocol == port.protocol &&
                          has.port == packet.port;
               });
    });
}

SideVerdict judge_side(const World& world, const Packet& packet, Direction direction) {
    SideVerdict verdict;
    const bool in = direction == Direction::kIngress;
    const PolicyPod* pod = pod_at(world, in ? packet.destination : packet.source);
    if (!pod) return verdict;
    const Ipv4 other = in ? packet.source : packet.destination;
    NearMiss nearest;
    for (const auto& [key, policy] : world.policies) {
        if (!isolates(policy, direction) || !selects(policy, *pod)) continue;
        verdict.isolated_by.push_back(key);
        const auto& rules = rules_of(policy, direction);
        for (size_t index = 0; index < rules.size(); ++index) {
            const bool peer = peer_allows(world, policy, rules[index], other);
            const bool port = port_allows(world, rules[index], packet);
            const RuleName name{key, direction, index};
            if (peer && port && !verdict.allowed_by) verdict.allowed_by = name;
            if (!verdict.allowed_by) nearest.consider(world, policy, name, packet, peer, port);
        }
    }
    if (!verdict.allowed()) verdict.nearest_miss = nearest.text();
    return verdict;
}

std::string names(const std::vector<ObjectKey>& policies) {
    std::vector<std::string> out;
    for (const ObjectKey& key : policies) out.push_back(key.to_string());
    return join(out, ", ");
}
}  // namespace

std::string protocol_text(nft::L4 l4) {
    switch (l4) {
        case nft::L4::kIcmp:
            return "ICMP";
        case nft::L4::kTcp:
            return "TCP";
        case nft::L4::kUdp:
            return "UDP";
        case nft::L4::kSctp:
            return "SCTP";
    }
    return "?";
}

std::string SideVerdict::to_string() const {
    if (isolated_by.empty()) return "no policy isolates it";
    if (allowed_by) return cat("allowed by ", *allowed_by);
    std::string text = cat("isolated by ", names(isolated_by), ", and nothing allows this");
    if (!nearest_miss.empty()) text += cat("; nearest: ", nearest_miss);
    return text;
}

std::string RuleName::to_string() const {
    return cat(policy, ' ', name_of(direction), " rule ", index + 1);
}

Judgement judge(const World& world, const Packet& packet) {
    Judgement out;
    const PolicyPod* from = pod_at(world, packet.source);
    const PolicyPod* to = pod_at(world, packet.destination);
    if (from && packet.source == packet.destination) {
        out.exempt = "a pod always reaches itself";
        return out;
    }
    out.egress = judge_side(world, packet, Direction::kEgress);
    const auto node = to ? world.nodes.find(to->node) : world.nodes.end();
    if (node != world.nodes.end() && node->second == packet.source) {
        out.exempt = cat(to->node, " always reaches its own pods");
        return out;
    }
    out.ingress = judge_side(world, packet, Direction::kIngress);
    return out;
}

std::string place_name(const World& world, Ipv4 address) {
    if (const PolicyPod* pod = pod_at(world, address)) return cat("pod ", pod->key);
    for (const auto& [name, node] : world.nodes)
        if (node == address) return name;
    return address.to_string();
}

std::string Judgement::to_string(const World& world, const Packet& packet) const {
    std::string text = cat(place_name(world, packet.source), " -> ",
                           place_name(world, packet.destination), ' ', protocol_text(packet.l4));
    if (packet.l4 != nft::L4::kIcmp) text += cat(' ', packet.port);
    text += allowed() ? ": allowed" : ": denied";
    if (!exempt.empty()) return cat(text, "; ", exempt);
    for (const Direction direction : {Direction::kEgress, Direction::kIngress}) {
        const bool in = direction == Direction::kIngress;
        const SideVerdict& side = in ? ingress : egress;
        text +=
            cat("\n  ", name_of(direction), " of ",
                place_name(world, in ? packet.destination : packet.source), ": ", side.to_string());
    }
    return text;
}

}  // namespace kin::policy
