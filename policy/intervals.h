#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/kernel/nft.h"
#include "policy/evaluate.h"

namespace kin::policy {

/// Addresses from `first` to `last`, both included.
struct Span {
    uint32_t first = 0, last = 0;
    auto operator<=>(const Span&) const = default;
};

/// A block without what is excepted.
std::vector<Span> spans_of(const NetworkPolicyPeer& block);

/// Addresses and ports that a rule lets through.
struct Box {
    Span addresses;
    nft::L4 l4 = nft::L4::kTcp;
    Span ports;
    RuleName rule;
};

/// The same addresses and ports in elements of which none overlaps another: the kernel's interval
/// sets refuse those that do. Each names the first of its rules.
nft::Elements disjoint(std::vector<Box> boxes);
/// The same for addresses alone.
nft::Elements disjoint(std::vector<std::pair<Span, RuleName>> spans);

/// "shop/db ingress rule 1", or "... (and 2 more)".
std::string origin_text(const std::vector<RuleName>& rules);

}  // namespace kin::policy
