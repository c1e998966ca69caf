#pragma once

#include <climits>
#include <string>

#include "policy/evaluate.h"

namespace kin::policy {

/// Of the rules that do not allow a packet, the one that asks for the least change, in words:
/// "shop/db ingress rule 1 wants role=frontend, pod shop/web-1 has role=front-end".
class NearMiss {
public:
    /// A rule that does not allow `packet`; `peer` and `port` say which half of it does.
    void consider(const World& world, const NetworkPolicy& policy, const RuleName& name,
                  const Packet& packet, bool peer, bool port);
    /// "" if there was no rule.
    const std::string& text() const { return text_; }

private:
    int distance_ = INT_MAX;
    std::string text_;
};

}  // namespace kin::policy
