#include "policy/compile.h"

#include <algorithm>

#include "core/base/strings.h"
#include "policy/intervals.h"

namespace kin::policy {

namespace {
constexpr Span kEveryAddress{0, 0xFFFFFFFF};
constexpr Span kEveryPort{0, 0xFFFF};

nft::Fields other_end(Direction direction) {
    const nft::Field address =
        direction == Direction::kIngress ? nft::kSourceAddress : nft::kDestinationAddress;
    return {address, nft::kProtocol, nft::kDestinationPort};
}

uint64_t fnv1a(std::string_view bytes) {
    uint64_t hash = 14695981039346656037U;
    for (const char c : bytes) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 1099511628211U;
    }
    return hash;
}

/// Collects what the rules of one group let through.
class Collector {
public:
    Collector(const World& world, const Group& group, const PeerPods& pods)
        : world_(world), group_(group), pods_of_(pods) {}

    void add(const NetworkPolicy& policy) {
        const auto& rules = rules_of(policy, group_.direction);
        for (size_t index = 0; index < rules.size(); ++index) {
            name_ = {policy.key(), group_.direction, index};
            find_peers(policy, rules[index]);
            if (rules[index].ports.empty()) add_hosts();
            for (const NetworkPolicyPort& port : rules[index].ports) add_port(port);
        }
    }

    Allowed take() {
        Allowed out;
        for (auto& [key, rules] : exact_) {
            std::sort(rules.begin(), rules.end());
            rules.erase(std::unique(rules.begin(), rules.end()), rules.end());
            out.pods.emplace(nft::Range(key), nft::Element{{}, origin_text(rules)});
        }
        out.hosts = disjoint(std::move(hosts_));
        out.ranges = disjoint(std::move(boxes_));
        return out;
    }

private:
    void find_peers(const NetworkPolicy& policy, const NetworkPolicyRule& rule) {
        peers_.clear();
        blocks_.clear();
        if (rule.peers.empty()) blocks_.push_back(kEveryAddress);
        for (const NetworkPolicyPeer& peer : rule.peers) {
            if (peer.is_block) {
                for (const Span& span : spans_of(peer)) blocks_.push_back(span);
            } else {
                for (const PolicyPod* pod : pods_of_(peer, policy.key().ns)) peers_.push_back(pod);
            }
        }
    }

    void add_hosts() {
        for (const PolicyPod* pod : peers_)
            hosts_.push_back({{pod->address.value, pod->address.value}, name_});
        for (const Span& block : blocks_) hosts_.push_back({block, name_});
    }

    void add_port(const NetworkPolicyPort& port) {
        const nft::L4 l4 = l4_of(port.protocol);
        if (!port.name.empty()) return add_named(port.name, l4);
        const Span ports{port.first, port.last};
        if (ports.first == ports.last) {
            for (const PolicyPod* pod : peers_) add_exact(pod->address, l4, port.first);
        } else {
            for (const PolicyPod* pod : peers_)
                boxes_.push_back({{pod->address.value, pod->address.value}, l4, ports, name_});
        }
        for (const Span& block : blocks_) boxes_.push_back({block, l4, ports, name_});
    }

    /// The name is one of the destination's ports: of the group's own pods, or of each peer's.
    void add_named(const std::string& port, nft::L4 l4) {
        if (group_.direction == Direction::kIngress) {
            for (const auto& [name, number] : group_.ports) {
                if (name != port || number.first != l4) continue;
                for (const PolicyPod* pod : peers_) add_exact(pod->address, l4, number.second);
                for (const Span& block : blocks_)
                    boxes_.push_back({block, l4, {number.second, number.second}, name_});
            }
            return;
        }
        for (const PolicyPod* pod : peers_) add_named_of(*pod, port, l4);
        for (const Span& block : blocks_) {
            auto at = world_.pods.lower_bound(Ipv4{block.first});
            for (; at != world_.pods.end() && at->first.value <= block.last; ++at)
                add_named_of(at->second, port, l4);
        }
    }

    void add_named_of(const PolicyPod& pod, const std::string& port, nft::L4 l4) {
        for (const ContainerPort& has : pod.ports)
            if (has.name == port && l4_of(has.protocol) == l4) add_exact(pod.address, l4, has.port);
    }

    void add_exact(Ipv4 address, nft::L4 l4, uint16_t port) {
        exact_[nft::Key(address, l4, uint32_t{port})].push_back(name_);
    }

    const World& world_;
    const Group& group_;
    const PeerPods& pods_of_;
    // Of the rule at hand.
    RuleName name_;
    std::vector<const PolicyPod*> peers_;
    std::vector<Span> blocks_;
    // Of all rules.
    std::map<nft::Key, std::vector<RuleName>> exact_;
    std::vector<std::pair<Span, RuleName>> hosts_;
    std::vector<Box> boxes_;
};

nft::Rule passes(const nft::Fields& key, const std::string& set) {
    return {{nft::SetMatch{key, set}, nft::return_()}, ""};
}
}  // namespace

std::string Group::chain_name() const {
    const std::string start = cat(name_of(direction), '-', ns, '/');
    // Names of chains and log prefixes end at some length.
    constexpr size_t kLongest = 100;
    const bool plain = policies.size() == 1 && ports.empty();
    if (plain && start.size() + policies.front().size() <= kLongest)
        return start + policies.front();
    std::string text = join(policies, ",");
    for (const auto& [name, number] : ports)
        text += cat(';', name, '=', static_cast<int>(number.first), '/', number.second);
    const uint64_t hash = fnv1a(text);
    std::string digits;
    for (int shift = 60; shift >= 0; shift -= 4) digits += "0123456789abcdef"[(hash >> shift) & 15];
    // An underscore: no policy has one in its name.
    return cat(start, "group_", digits.substr(0, 10));
}

std::optional<Group> group_of(const World& world, const PolicyPod& pod, Direction direction) {
    Group group{direction, pod.key.ns, {}, {}};
    bool names_ports = false;
    for (auto at = world.policies.lower_bound(ObjectKey{pod.key.ns, ""});
         at != world.policies.end() && at->first.ns == pod.key.ns; ++at) {
        const NetworkPolicy& policy = at->second;
        if (!isolates(policy, direction) || !selects(policy, pod)) continue;
        group.policies.push_back(policy.key().name);
        for (const NetworkPolicyRule& rule : rules_of(policy, direction))
            for (const NetworkPolicyPort& port : rule.ports)
                names_ports = names_ports || !port.name.empty();
    }
    if (group.policies.empty()) return {};
    if (names_ports && direction == Direction::kIngress) {
        for (const ContainerPort& port : pod.ports)
            if (!port.name.empty())
                group.ports.insert({port.name, {l4_of(port.protocol), port.port}});
    }
    return group;
}

Allowed compile(const World& world, const Group& group, const PeerPods& pods) {
    Collector collector(world, group, pods);
    for (const std::string& name : group.policies) {
        const auto policy = world.policies.find({group.ns, name});
        if (policy != world.policies.end()) collector.add(policy->second);
    }
    return collector.take();
}

std::vector<nft::Set> sets_of(const Group& group, const Allowed& allowed) {
    const nft::Fields key = other_end(group.direction);
    const auto set = [&](const std::string& name, nft::Fields fields, nft::SetShape::Keys keys,
                         const nft::Elements& elements) {
        nft::SetShape shape;
        shape.name = name;
        shape.key = std::move(fields);
        shape.keys = keys;
        shape.counting = nft::SetShape::Counting::kPerElement;
        return nft::Set{std::move(shape), elements};
    };
    using Keys = nft::SetShape::Keys;
    return {set(group.pods_set(), key, Keys::kExact, allowed.pods),
            set(group.hosts_set(), {key[0]}, Keys::kIntervals, allowed.hosts),
            set(group.ranges_set(), key, Keys::kIntervals, allowed.ranges)};
}

nft::Chain chain_of(const Group& group, const Allowed& allowed) {
    const nft::Fields key = other_end(group.direction);
    nft::Chain chain;
    chain.name = group.chain_name();
    chain.comment = cat(group.ns, ": ", join(group.policies, ", "));
    // A set without elements costs a look-up as well.
    if (!allowed.pods.empty()) chain.rules.push_back(passes(key, group.pods_set()));
    if (!allowed.hosts.empty()) chain.rules.push_back(passes({key[0]}, group.hosts_set()));
    if (!allowed.ranges.empty()) chain.rules.push_back(passes(key, group.ranges_set()));
    chain.rules.push_back({{nft::Log{group.chain_name(), kDropLog}, nft::Counter{}, nft::drop()},
                           "no policy allows it"});
    return chain;
}

nft::Table skeleton() {
    nft::Table table;
    table.name = kTableName;
    table.comment = "NetworkPolicies";
    const auto map = [&](const char* name, nft::Field field) {
        nft::SetShape shape;
        shape.name = name;
        shape.key = {field};
        shape.data = nft::Verdict{};
        table.sets.push_back({std::move(shape), {}});
    };
    map(kIngressPods, nft::kDestinationAddress);
    map(kEgressPods, nft::kSourceAddress);
    nft::SetShape itself;
    itself.name = kItself;
    itself.key = {nft::kSourceAddress, nft::kDestinationAddress};
    table.sets.push_back({std::move(itself), {}});

    const nft::Rule known{{nft::CtStateMatch{nft::kCtEstablished | nft::kCtRelated},
                           nft::CtMarkMatch{kCutMark, nft::Sense::kIsNot}, nft::accept()},
                          "judged when the connection began"};
    const nft::Rule leaves{{nft::VerdictMap{{nft::kSourceAddress}, kEgressPods}}, ""};
    const nft::Rule arrives{{nft::VerdictMap{{nft::kDestinationAddress}, kIngressPods}}, ""};
    const nft::Rule itself_rule{
        {nft::SetMatch{{nft::kSourceAddress, nft::kDestinationAddress}, kItself}, nft::accept()},
        "a pod always reaches itself"};
    using Type = nft::Base::Type;
    table.chains.push_back({"forward",
                            nft::Base{Type::kFilter, nft::Hook::kForward, nft::kFilterPriority,
                                      nft::Verdict::Kind::kAccept},
                            {known, itself_rule, leaves, arrives},
                            ""});
    table.chains.push_back({"input",
                            nft::Base{Type::kFilter, nft::Hook::kInput, nft::kFilterPriority,
                                      nft::Verdict::Kind::kAccept},
                            {known, leaves},
                            ""});
    return table;
}

nft::Table compile(const World& world, const std::string& node) {
    const PeerPods pods = [&](const NetworkPolicyPeer& peer, const std::string& ns) {
        std::vector<const PolicyPod*> out;
        for (const auto& [address, pod] : world.pods)
            if (means(peer, ns, pod, labels_of_namespace(world, pod))) out.push_back(&pod);
        return out;
    };
    nft::Table table = skeleton();
    std::set<Group> groups;
    for (const auto& [address, pod] : world.pods) {
        if (pod.node != node) continue;
        bool isolated = false;
        for (const Direction direction : {Direction::kIngress, Direction::kEgress}) {
            const auto group = group_of(world, pod, direction);
            if (!group) continue;
            isolated = true;
            const char* map = direction == Direction::kIngress ? kIngressPods : kEgressPods;
            table.find_set(map)->elements.emplace(
                nft::Range(nft::Key(address)),
                nft::Element{nft::jump(group->chain_name()), pod.key.to_string()});
            groups.insert(*group);
        }
        if (isolated) {
            table.find_set(kItself)->elements.emplace(nft::Range(nft::Key(address, address)),
                                                      nft::Element{{}, pod.key.to_string()});
        }
    }
    for (const Group& group : groups) {
        const Allowed allowed = compile(world, group, pods);
        for (nft::Set& set : sets_of(group, allowed)) table.sets.push_back(std::move(set));
        table.chains.push_back(chain_of(group, allowed));
    }
    return table;
}

}  // namespace kin::policy
