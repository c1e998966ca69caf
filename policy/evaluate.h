#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/kernel/nft.h"
#include "policy/world.h"

namespace kin::policy {

/// The first packet of a connection, behind the Service (its destination is the pod and the pod's
/// port) and before any masquerading.
struct Packet {
    Ipv4 source, destination;
    nft::L4 l4 = nft::L4::kTcp;
    uint16_t port = 0;  ///< of the destination; nothing for ICMP
    auto operator<=>(const Packet&) const = default;
};

/// One rule of a policy, counted from 0.
struct RuleName {
    ObjectKey policy;
    Direction direction = Direction::kIngress;
    size_t index = 0;
    std::string to_string() const;  ///< "shop/db ingress rule 1", counted from 1
    auto operator<=>(const RuleName&) const = default;
};

/// What one end of the connection has to say.
struct SideVerdict {
    std::vector<ObjectKey> isolated_by;  ///< none: every connection is allowed
    std::optional<RuleName> allowed_by;  ///< the first that allows
    /// Of what is denied: the rule that came nearest, and what it missed. "": there is no rule.
    std::string nearest_miss;

    bool allowed() const { return isolated_by.empty() || allowed_by.has_value(); }
    /// "no policy isolates it", "allowed by shop/db ingress rule 1", or "isolated by shop/db, and
    /// nothing allows this; nearest: shop/db ingress rule 2 wants ..."
    std::string to_string() const;
};

struct Judgement {
    SideVerdict egress, ingress;  ///< of the source and of the destination
    /// Why no policy was asked: a pod reaches itself, a node its own pods. "": they were asked.
    std::string exempt;

    bool allowed() const { return egress.allowed() && ingress.allowed(); }
    /// "denied: no policy that isolates shop/db-0 for ingress (shop/db) allows it; nearest: ..."
    std::string to_string(const World& world, const Packet& packet) const;
};

/// What NetworkPolicy (networking.k8s.io/v1) means: a connection passes if every end that some
/// policy isolates has a rule that allows it. Replies belong to their connection. This is the
/// meaning itself, written to be read; the kernel's table and its interpreter must agree with it.
Judgement judge(const World& world, const Packet& packet);

std::string protocol_text(nft::L4 l4);  ///< "TCP"
/// "pod shop/web-0", "node-1" or the address.
std::string place_name(const World& world, Ipv4 address);

}  // namespace kin::policy
