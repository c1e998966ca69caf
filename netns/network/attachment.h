#pragma once

#include <span>
#include <string_view>

#include "netns/network/address_plan.h"
#include "netns/network/host_plan.h"

namespace kin::netns {

/// How pods hang on their node: what `kin up --cni` chooses. A pod looks the same in each way: a
/// /32 on eth0 and a gateway that it reaches on the link. They differ in what the node holds.
///
///     ptp                                    bridge
///     10.244.1.1/32 on lo                    10.244.1.1/24 on cni0
///     10.244.1.5 dev veth5 src NODE          10.244.1.0/24 dev cni0 src NODE
///     10.244.1.6 dev veth6 src NODE          cni0: isolated ports veth5, veth6
///
/// In each, every packet passes the node's IP hooks, also from pod to pod on one node, and nobody
/// sends under an address that does not lie behind the link he sends on. Implementations are pure
/// and live for ever.
class Attachment {
public:
    virtual ~Attachment() = default;
    /// As the CNI reference plugins are called: "ptp".
    virtual std::string_view name() const = 0;
    /// The same for people: "a routed veth per pod".
    virtual std::string_view words() const = 0;

    /// What a node holds for pods before the first one comes.
    virtual HostPlan plan_node(const AddressPlan& addresses, int node) const = 0;
    /// The MAC that a pod sends to in order to leave.
    virtual Mac gateway_mac(const AddressPlan& addresses, int node, Ipv4 pod) const = 0;
    /// What a pod's node holds for it; `link` is the node's end of the pod's veth.
    virtual HostPlan plan_pod(const AddressPlan& addresses, int node, Ipv4 pod, int link) const = 0;
};

/// All of them; the first one is the default.
std::span<const Attachment* const> attachments();
/// nullptr if there is none of this name.
const Attachment* find_attachment(std::string_view name);

}  // namespace kin::netns
