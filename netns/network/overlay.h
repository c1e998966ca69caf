#pragma once

#include <span>
#include <string_view>

#include "netns/network/address_plan.h"
#include "netns/network/host_plan.h"

namespace kin::netns {

/// How packets of pods get from node to node: what `kin up --overlay` chooses.
///
///     none      10.244.2.0/24 via 172.30.0.3 dev eth0
///     vxlan     10.244.2.0/24 via 10.244.2.0 dev vxlan.1 onlink, in UDP to 172.30.0.3 port 4789
///
/// Implementations are pure and live for ever.
class Overlay {
public:
    virtual ~Overlay() = default;
    virtual std::string_view name() const = 0;   ///< "vxlan"
    virtual std::string_view words() const = 0;  ///< The same for people.
    /// What fits into a packet of a pod; 0 leaves what links have by themselves.
    virtual uint32_t pod_mtu_bytes() const = 0;

    /// What a node holds for it, whatever other nodes there are.
    virtual HostPlan plan_node(const AddressPlan& addresses, int node) const = 0;
    /// What `node` holds so that its packets find the pods of the node `peer`.
    virtual HostPlan plan_peer(const AddressPlan& addresses, int node, int peer) const = 0;
};

/// All of them; the first one is the default.
std::span<const Overlay* const> overlays();
/// nullptr if there is none of this name.
const Overlay* find_overlay(std::string_view name);

}  // namespace kin::netns
