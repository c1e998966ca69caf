#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/kernel/nft.h"
#include "policy/evaluate.h"
#include "policy/world.h"

namespace kin::policy {

inline constexpr const char* kTableName = "kin-policy";
/// Elements: address of an isolated pod -> jump to its group's chain.
inline constexpr const char* kIngressPods = "ingress-pods";
inline constexpr const char* kEgressPods = "egress-pods";
/// A pod to itself, through a Service: no policy is asked.
inline constexpr const char* kItself = "itself";
/// The nflog group of packets that a policy drops; the prefix is the chain's name.
inline constexpr uint16_t kDropLog = 7;
/// On connections that began before a change forbade them: they are not judged once and for all.
inline constexpr uint32_t kCutMark = 1;

/// The numbers behind a pod's named ports.
using NamedPorts = std::set<std::pair<std::string, std::pair<nft::L4, uint16_t>>>;

/// Pods that the same policies isolate in a direction share a chain and its sets. A group belongs
/// to a namespace, as policies do; where their rules name ports of the pods themselves, only pods
/// with the same numbers are one group.
struct Group {
    Direction direction = Direction::kIngress;
    std::string ns;
    std::vector<std::string> policies;  ///< their names, sorted; never empty
    NamedPorts ports;                   ///< of ingress rules with named ports; else empty

    std::string chain_name() const;  ///< "ingress-shop/db", or a hash instead of several names
    std::string pods_set() const { return chain_name() + "-pods"; }
    std::string hosts_set() const { return chain_name() + "-hosts"; }
    std::string ranges_set() const { return chain_name() + "-ranges"; }
    auto operator<=>(const Group&) const = default;
};

/// What a group lets through: one look-up each, however many policies and rules there are. Every
/// element names the first rule that wants it and counts packets (of connections, their first).
struct Allowed {
    nft::Elements pods;    ///< peer's address . protocol . port
    nft::Elements hosts;   ///< peers' addresses, for rules without ports
    nft::Elements ranges;  ///< addresses . protocol . ports, none overlapping another
    auto operator<=>(const Allowed&) const = default;
};

/// The group in which a pod is, or nothing if no policy isolates it.
std::optional<Group> group_of(const World& world, const PolicyPod& pod, Direction direction);
/// Which pods a rule's peer means.
using PeerPods = std::function<std::vector<const PolicyPod*>(const NetworkPolicyPeer&,
                                                             const std::string& policy_namespace)>;
Allowed compile(const World& world, const Group& group, const PeerPods& pods);

/// A group's chain and its sets.
nft::Chain chain_of(const Group& group, const Allowed& allowed);
std::vector<nft::Set> sets_of(const Group& group, const Allowed& allowed);
/// The base chains and the maps of pods, still empty.
nft::Table skeleton();
/// One node's whole table, from nothing: what the incremental Ruleset must come to as well.
nft::Table compile(const World& world, const std::string& node);

}  // namespace kin::policy
