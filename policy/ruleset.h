#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/kernel/nft_change.h"
#include "policy/compile.h"

namespace kin::policy {

/// The tables of all nodes, kept up to date with what policies depend on. Pure, no I/O.
///
/// A change costs as much as the pods, policies and groups that it touches: peers are looked up in
/// an index of selectors, a pod that arrives is matched with each selector once, and only groups
/// whose content may have changed are compiled again. What comes out is what compile() makes of the
/// same world from nothing.
class Ruleset {
public:
    // Absent: gone.
    void set_namespace(const std::string& name, std::optional<Labels> labels);
    void set_node(const std::string& name, std::optional<Ipv4> address);
    void set_policy(const ObjectKey& key, std::optional<NetworkPolicy> policy);
    /// The pod has this address from now on; who had it before is gone.
    void set_pod(PolicyPod pod);
    /// Gone, if the address is still this pod's.
    void remove_pod(Ipv4 address, const std::string& uid);

    /// What leads from the last take_changes() (or from skeletons) to now, by node. Nodes where
    /// nothing changes are not in it.
    std::map<std::string, nft::Change> take_changes();
    /// A node's whole table as of the last take_changes().
    nft::Table table(const std::string& node) const;
    /// Whether some pod of the node is isolated: without one it needs no table.
    bool needs_table(const std::string& node) const;

    const World& world() const { return world_; }

private:
    /// Pods that one peer of some policies means. Peers that say the same share it.
    struct Selection {
        NetworkPolicyPeer peer;
        std::string ns;  ///< of the policies
        std::set<Ipv4> pods;
        std::multiset<ObjectKey> policies;
    };
    struct Compiled {
        Allowed allowed;
        std::map<std::string, int> pods_on;  ///< How many pods of a node are in it.
    };
    /// A pod's groups as they are written.
    struct Membership {
        std::string node, pod;
        std::map<Direction, Group> groups;
        std::map<std::string, nft::Element> elements() const;
    };
    struct Turn;

    static std::string identity(const NetworkPolicyPeer& peer, const std::string& ns);
    void take_selections(const NetworkPolicy& policy);
    void drop_selections(const NetworkPolicy& policy);
    bool chosen(const Selection& selection, const PolicyPod& pod) const;
    /// Puts the pod into the selections that mean it now, out of others; marks whom that touches.
    void match(const PolicyPod& pod);
    void unmatch(Ipv4 address);
    void touch_pods_of(const std::string& ns);
    Allowed compiled(const Group& group) const;
    Membership membership_now(Ipv4 address) const;
    Compiled& touch(Turn& turn, const Group& group);
    void move_pod(Turn& turn, Ipv4 address);
    void write_group(Turn& turn, const Group& group, const Compiled& was);

    World world_;
    std::map<std::string, Selection> selections_;
    std::set<ObjectKey> address_dependent_;  // Policies that look for named ports of any pod.
    std::map<Group, Compiled> groups_;
    std::map<Ipv4, Membership> members_;
    // Since the last take_changes().
    std::set<Ipv4> dirty_pods_;
    std::set<ObjectKey> dirty_policies_;
};

}  // namespace kin::policy
