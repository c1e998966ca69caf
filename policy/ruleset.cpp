#include "policy/ruleset.h"

#include <algorithm>
#include <iterator>

#include "core/base/strings.h"

namespace kin::policy {

namespace {
constexpr Direction kDirections[] = {Direction::kIngress, Direction::kEgress};

const char* map_of(Direction direction) {
    return direction == Direction::kIngress ? kIngressPods : kEgressPods;
}

nft::Range range_in(std::string_view set, Ipv4 address) {
    if (set == kItself) return nft::Key(address, address);
    return nft::Key(address);
}

/// Whether what it lets through depends on pods that it does not name by labels.
bool depends_on_addresses(const NetworkPolicy& policy) {
    for (const NetworkPolicyRule& rule : policy.egress) {
        const bool blocks =
            rule.peers.empty() || std::any_of(rule.peers.begin(), rule.peers.end(),
                                              [](const auto& peer) { return peer.is_block; });
        const bool names = std::any_of(rule.ports.begin(), rule.ports.end(),
                                       [](const auto& port) { return !port.name.empty(); });
        if (blocks && names) return true;
    }
    return false;
}

bool same_ports(const std::vector<ContainerPort>& a, const std::vector<ContainerPort>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const ContainerPort& one, const ContainerPort& other) {
                          return one.name == other.name && one.port == other.port &&
                                 one.protocol == other.protocol;
                      });
}

/// Collects what changes on each node.
class Changes {
public:
    using OfPod = std::map<std::string, nft::Element>;
    void replace(const std::string& old_node, const OfPod& before, const std::string& node,
                 const OfPod& now, Ipv4 address) {
        const bool stays = old_node == node;
        for (const auto& [set, element] : before) {
            const auto kept = now.find(set);
            if (stays && kept != now.end() && kept->second == element) continue;
            maps_[old_node][set].removed.push_back(range_in(set, address));
        }
        for (const auto& [set, element] : now) {
            const auto held = before.find(set);
            if (stays && held != before.end() && held->second == element) continue;
            maps_[node][set].added.emplace_back(range_in(set, address), element);
        }
    }

    void group(const std::string& node, const Group& group, const Allowed* before,
               const Allowed* now) {
        nft::Change& change = changes_[node];
        if (!now) {
            change.removed_chains.push_back(group.chain_name());
            for (const nft::Set& set : sets_of(group, {}))
                change.removed_sets.push_back(set.shape.name);
            return;
        }
        const nft::Chain chain = chain_of(group, *now);
        if (!before) {
            change.added_chains.push_back(chain);
            for (const nft::Set& set : sets_of(group, {})) change.added_sets.push_back(set.shape);
        } else if (chain != chain_of(group, *before)) {
            change.rewritten_chains.push_back(chain);
        }
        const std::vector<nft::Set> from = sets_of(group, before ? *before : Allowed{});
        const std::vector<nft::Set> to = sets_of(group, *now);
        for (size_t i = 0; i < to.size(); ++i) {
            auto elements = nft::difference(to[i].shape, from[i].elements, to[i].elements);
            if (!elements.empty()) change.elements.push_back(std::move(elements));
        }
    }

    std::map<std::string, nft::Change> take() {
        static const nft::Table kSkeleton = skeleton();
        for (auto& [node, sets] : maps_) {
            for (auto& [set, elements] : sets) {
                elements.set = kSkeleton.find_set(set)->shape;
                changes_[node].elements.push_back(std::move(elements));
            }
        }
        std::erase_if(changes_, [](const auto& entry) { return entry.second.empty(); });
        for (auto& [node, change] : changes_) change.table = kTableName;
        return std::move(changes_);
    }

private:
    std::map<std::string, std::map<std::string, nft::ElementChange>> maps_;
    std::map<std::string, nft::Change> changes_;
};

template <class Use>
void each_pod_peer(const NetworkPolicy& policy, Use&& use) {
    for (const Direction direction : kDirections)
        for (const NetworkPolicyRule& rule : rules_of(policy, direction))
            for (const NetworkPolicyPeer& peer : rule.peers)
                if (!peer.is_block) use(peer);
}
}  // namespace

std::map<std::string, nft::Element> Ruleset::Membership::elements() const {
    std::map<std::string, nft::Element> out;
    for (const auto& [direction, group] : groups)
        out.emplace(map_of(direction), nft::Element{nft::jump(group.chain_name()), pod});
    if (!groups.empty()) out.emplace(kItself, nft::Element{{}, pod});
    return out;
}

std::string Ruleset::identity(const NetworkPolicyPeer& peer, const std::string& ns) {
    const std::string where =
        peer.namespaces ? cat("namespaces ", peer.namespaces->to_string()) : cat("namespace ", ns);
    return cat(where, " pods ", peer.pods.to_string());
}

bool Ruleset::chosen(const Selection& selection, const PolicyPod& pod) const {
    return means(selection.peer, selection.ns, pod, labels_of_namespace(world_, pod));
}

void Ruleset::take_selections(const NetworkPolicy& policy) {
    each_pod_peer(policy, [&](const NetworkPolicyPeer& peer) {
        auto [at, is_new] = selections_.try_emplace(identity(peer, policy.key().ns));
        Selection& selection = at->second;
        selection.policies.insert(policy.key());
        if (!is_new) return;
        selection.peer = peer;
        selection.ns = policy.key().ns;
        for (const auto& [address, pod] : world_.pods)
            if (chosen(selection, pod)) selection.pods.insert(address);
    });
}

void Ruleset::drop_selections(const NetworkPolicy& policy) {
    each_pod_peer(policy, [&](const NetworkPolicyPeer& peer) {
        const auto at = selections_.find(identity(peer, policy.key().ns));
        auto& users = at->second.policies;
        users.erase(users.find(policy.key()));
        if (users.empty()) selections_.erase(at);
    });
}

void Ruleset::match(const PolicyPod& pod) {
    for (auto& [name, selection] : selections_) {
        const bool is = chosen(selection, pod);
        const bool changed =
            is ? selection.pods.insert(pod.address).second : selection.pods.erase(pod.address) != 0;
        if (changed) dirty_policies_.insert(selection.policies.begin(), selection.policies.end());
    }
}

void Ruleset::unmatch(Ipv4 address) {
    for (auto& [name, selection] : selections_) {
        if (selection.pods.erase(address) != 0)
            dirty_policies_.insert(selection.policies.begin(), selection.policies.end());
    }
}

void Ruleset::touch_pods_of(const std::string& ns) {
    for (const auto& [address, pod] : world_.pods)
        if (pod.key.ns == ns) match(pod);
}

void Ruleset::set_namespace(const std::string& name, std::optional<Labels> labels) {
    const auto known = world_.namespaces.find(name);
    if (labels && known != world_.namespaces.end() && known->second == *labels) return;
    if (labels) {
        world_.namespaces[name] = std::move(*labels);
    } else {
        world_.namespaces.erase(name);
    }
    touch_pods_of(name);
}

void Ruleset::set_node(const std::string& name, std::optional<Ipv4> address) {
    if (address) {
        world_.nodes[name] = *address;
    } else {
        world_.nodes.erase(name);
    }
}

void Ruleset::set_policy(const ObjectKey& key, std::optional<NetworkPolicy> policy) {
    const auto touch = [&](const NetworkPolicy& one) {
        for (const auto& [address, pod] : world_.pods)
            if (selects(one, pod)) dirty_pods_.insert(address);
    };
    const auto known = world_.policies.find(key);
    if (known != world_.policies.end()) {
        touch(known->second);
        drop_selections(known->second);
        world_.policies.erase(known);
        address_dependent_.erase(key);
    }
    dirty_policies_.insert(key);
    if (!policy) return;
    const NetworkPolicy& now = world_.policies.emplace(key, std::move(*policy)).first->second;
    touch(now);
    take_selections(now);
    if (depends_on_addresses(now)) address_dependent_.insert(key);
}

void Ruleset::set_pod(PolicyPod pod) {
    const Ipv4 address = pod.address;
    const auto known = world_.pods.find(address);
    const bool is_new = known == world_.pods.end() || known->second.uid != pod.uid ||
                        !same_ports(known->second.ports, pod.ports);
    if (!is_new && known->second.labels == pod.labels && known->second.node == pod.node) return;
    dirty_pods_.insert(address);
    if (is_new) {
        unmatch(address);
        dirty_policies_.insert(address_dependent_.begin(), address_dependent_.end());
    }
    PolicyPod& stored = world_.pods[address];
    stored = std::move(pod);
    match(stored);
}

void Ruleset::remove_pod(Ipv4 address, const std::string& uid) {
    const auto known = world_.pods.find(address);
    if (known == world_.pods.end() || known->second.uid != uid) return;
    dirty_pods_.insert(address);
    dirty_policies_.insert(address_dependent_.begin(), address_dependent_.end());
    unmatch(address);
    world_.pods.erase(known);
}

Allowed Ruleset::compiled(const Group& group) const {
    const PeerPods pods = [&](const NetworkPolicyPeer& peer, const std::string& ns) {
        std::vector<const PolicyPod*> out;
        const auto found = selections_.find(identity(peer, ns));
        if (found == selections_.end()) return out;
        for (const Ipv4 address : found->second.pods) out.push_back(&world_.pods.at(address));
        return out;
    };
    return compile(world_, group, pods);
}

struct Ruleset::Turn {
    Changes changes;
    std::map<Group, Compiled> before;  ///< Touched groups as they are written.
    std::set<Group> stale;             ///< Those whose content may be another now.
};

Ruleset::Compiled& Ruleset::touch(Turn& turn, const Group& group) {
    const auto [at, is_new] = groups_.try_emplace(group);
    if (is_new) turn.stale.insert(group);
    turn.before.try_emplace(group, at->second);
    return at->second;
}

Ruleset::Membership Ruleset::membership_now(Ipv4 address) const {
    const auto pod = world_.pods.find(address);
    if (pod == world_.pods.end()) return {};
    Membership out{pod->second.node, pod->second.key.to_string(), {}};
    for (const Direction direction : kDirections)
        if (auto group = group_of(world_, pod->second, direction))
            out.groups.emplace(direction, std::move(*group));
    return out;
}

void Ruleset::move_pod(Turn& turn, Ipv4 address) {
    Membership was;
    if (const auto known = members_.find(address); known != members_.end()) {
        was = std::move(known->second);
        members_.erase(known);
    }
    Membership now = membership_now(address);
    for (const auto& [direction, group] : was.groups) {
        auto& pods_on = touch(turn, group).pods_on;
        if (--pods_on[was.node] == 0) pods_on.erase(was.node);
    }
    for (const auto& [direction, group] : now.groups) ++touch(turn, group).pods_on[now.node];
    turn.changes.replace(was.node, was.elements(), now.node, now.elements(), address);
    if (!now.groups.empty()) members_.emplace(address, std::move(now));
}

void Ruleset::write_group(Turn& turn, const Group& group, const Compiled& was) {
    Compiled& now = groups_.at(group);
    if (turn.stale.contains(group) && !now.pods_on.empty()) now.allowed = compiled(group);
    std::set<std::string> nodes;
    for (const Compiled* one : std::initializer_list<const Compiled*>{&was, &now})
        for (const auto& [node, count] : one->pods_on) nodes.insert(node);
    for (const std::string& node : nodes) {
        turn.changes.group(node, group, was.pods_on.contains(node) ? &was.allowed : nullptr,
                           now.pods_on.contains(node) ? &now.allowed : nullptr);
    }
    if (now.pods_on.empty()) groups_.erase(group);
}

std::map<std::string, nft::Change> Ruleset::take_changes() {
    Turn turn;
    for (const auto& [group, compiled] : groups_) {
        if (dirty_policies_.empty()) break;
        const bool dirty = std::any_of(group.policies.begin(), group.policies.end(),
                                       [&, &ns = group.ns](const auto& policy) {
                                           return dirty_policies_.contains({ns, policy});
                                       });
        if (!dirty) continue;
        turn.stale.insert(group);
        turn.before.emplace(group, compiled);
    }
    for (const Ipv4 address : std::exchange(dirty_pods_, {})) move_pod(turn, address);
    dirty_policies_.clear();
    for (const auto& [group, was] : turn.before) write_group(turn, group, was);
    return turn.changes.take();
}

bool Ruleset::needs_table(const std::string& node) const {
    return std::any_of(groups_.begin(), groups_.end(),
                       [&](const auto& entry) { return entry.second.pods_on.contains(node); });
}

nft::Table Ruleset::table(const std::string& node) const {
    nft::Table table = skeleton();
    for (const auto& [address, member] : members_) {
        if (member.node != node) continue;
        for (auto& [set, element] : member.elements())
            table.find_set(set)->elements.emplace(range_in(set, address), element);
    }
    for (const auto& [group, compiled] : groups_) {
        if (!compiled.pods_on.contains(node)) continue;
        for (nft::Set& set : sets_of(group, compiled.allowed)) table.sets.push_back(std::move(set));
        table.chains.push_back(chain_of(group, compiled.allowed));
    }
    return table;
}

}  // namespace kin::policy
