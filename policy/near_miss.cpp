#include "policy/near_miss.h"

#include "core/base/strings.h"

namespace kin::policy {

namespace {
/// How far one condition is from being met, and how to say so.
struct Miss {
    int distance = 0;
    std::string text;

    void add(int more, const std::string& words) {
        distance += more;
        if (!text.empty()) text += "; it also ";
        text += words;
    }
};

std::string wish_text(const Requirement& wish) {
    const std::string values = join(wish.values, ",");
    switch (wish.op) {
        case Requirement::Operator::kIn:
            return wish.values.size() == 1 ? cat(wish.key, '=', values)
                                           : cat(wish.key, " in (", values, ')');
        case Requirement::Operator::kNotIn:
            return cat(wish.key, " not in (", values, ')');
        case Requirement::Operator::kExists:
            return cat("a label ", wish.key);
        case Requirement::Operator::kDoesNotExist:
            return cat("no label ", wish.key);
        default:
            return wish.key;
    }
}

/// Labels that do not match: "wants role=frontend, pod shop/web-1 has role=front-end".
Miss labels_missed(const LabelSelector& selector, const Labels& labels, const std::string& who) {
    Miss out;
    for (const Requirement& wish : selector.requirements()) {
        if (wish.matches(labels)) continue;
        const auto has = labels.find(wish.key);
        out.add(1, cat("wants ", wish_text(wish), ", ", who, " has ",
                       has == labels.end() ? cat("no label ", wish.key)
                                           : cat(has->first, '=', has->second)));
    }
    return out;
}

std::string block_text(const NetworkPolicyPeer& peer) {
    std::string out = peer.block ? peer.block->to_string() : "a block that is no IPv4";
    if (peer.except.empty()) return out;
    std::vector<std::string> except;
    for (const Cidr& one : peer.except) except.push_back(one.to_string());
    return cat(out, " except ", join(except, ", "));
}

Miss peer_missed(const World& world, const NetworkPolicy& policy, const NetworkPolicyPeer& peer,
                 Ipv4 other) {
    Miss out;
    const std::string who = place_name(world, other);
    const auto pod = world.pods.find(other);
    if (peer.is_block) {
        out.add(3, cat("wants an address of ", block_text(peer), ", not ", other));
        return out;
    }
    if (pod == world.pods.end()) {
        out.add(4, cat("wants a pod, ", who, " is none"));
        return out;
    }
    const PolicyPod& there = pod->second;
    if (!peer.namespaces && there.key.ns != policy.key().ns) {
        out.add(2, cat("wants a pod of namespace ", policy.key().ns, ", ", who, " is in ",
                       there.key.ns));
    } else if (peer.namespaces) {
        const Miss missed = labels_missed(*peer.namespaces, labels_of_namespace(world, there),
                                          cat("namespace ", there.key.ns));
        if (missed.distance != 0) out.add(missed.distance, missed.text);
    }
    const Miss missed = labels_missed(peer.pods, there.labels, who);
    if (missed.distance != 0) out.add(missed.distance, missed.text);
    return out;
}

std::string port_text(const NetworkPolicyPort& port) {
    std::string out(name_of(port.protocol));
    if (!port.name.empty()) return cat(out, " port ", port.name);
    if (port.every_port()) return out;
    out += cat(" port ", port.first);
    return port.last == port.first ? out : cat(out, '-', port.last);
}

std::string ports_missed(const NetworkPolicyRule& rule, const Packet& packet) {
    std::vector<std::string> wished;
    for (const NetworkPolicyPort& port : rule.ports) wished.push_back(port_text(port));
    std::string out = cat("wants ", join(wished, " or "), ", this is ");
    if (packet.l4 == nft::L4::kIcmp) return out + "ICMP";
    const std::string l4 = nft::name_of(packet.l4);
    for (const char c : l4) out.push_back(static_cast<char>(c - 'a' + 'A'));
    return cat(out, " port ", packet.port);
}
}  // namespace

void NearMiss::consider(const World& world, const NetworkPolicy& policy, const RuleName& name,
                        const Packet& packet, bool peer, bool port) {
    const NetworkPolicyRule& rule = rules_of(policy, name.direction)[name.index];
    const bool in = name.direction == Direction::kIngress;
    Miss nearest;
    if (!peer) {
        nearest.distance = INT_MAX / 2;
        for (const NetworkPolicyPeer& wished : rule.peers) {
            Miss missed =
                peer_missed(world, policy, wished, in ? packet.source : packet.destination);
            if (missed.distance < nearest.distance) nearest = std::move(missed);
        }
    }
    if (!port) nearest.add(1, ports_missed(rule, packet));
    if (nearest.distance >= distance_) return;
    distance_ = nearest.distance;
    text_ = cat(name, ' ', nearest.text);
}

}  // namespace kin::policy
