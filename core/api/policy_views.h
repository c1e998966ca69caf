#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/api/selectors.h"
#include "core/api/views.h"
#include "core/base/ip.h"

namespace kin {

/// One of a rule's ports, on the side of the connection's destination.
struct NetworkPolicyPort {
    Protocol protocol = Protocol::kTcp;
    uint16_t first = 0, last = 65535;  ///< while there is no name
    std::string name;                  ///< of a port of the destination pod; "": the numbers count

    bool every_port() const { return name.empty() && first == 0 && last == 65535; }
};

/// Who may be at the other end: pods by labels, or addresses.
struct NetworkPolicyPeer {
    /// In namespaces with these labels; none: in the policy's own.
    std::optional<LabelSelector> namespaces;
    LabelSelector pods;
    /// Not pods but addresses. One that is no IPv4 block matches nothing, and so leaves both empty.
    bool is_block = false;
    std::optional<Cidr> block;
    std::vector<Cidr> except;
};

struct NetworkPolicyRule {
    std::vector<NetworkPolicyPeer> peers;  ///< empty: everybody
    std::vector<NetworkPolicyPort> ports;  ///< empty: all of every protocol
};

/// networking.k8s.io/v1 NetworkPolicy.
struct NetworkPolicy : View {
    static constexpr std::string_view kResource = "networkpolicies.networking.k8s.io";
    LabelSelector selector;  ///< the pods of its namespace that it is about
    bool isolates_ingress = false, isolates_egress = false;  ///< policyTypes
    std::vector<NetworkPolicyRule> ingress, egress;
};

}  // namespace kin
