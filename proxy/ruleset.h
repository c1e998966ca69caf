#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/kernel/nft_change.h"
#include "proxy/compile.h"

namespace kin::proxy {

/// The elements of all Services together, and what of them has changed since it was last written.
///
/// Several Services may want the same element: the ports of one Service share its ClusterIP,
/// Services that select the same pod its hairpin entry. Of those that differ, the one whose owner's
/// name comes first stands; when it goes, the next takes its place. Pure, no I/O. A change costs as
/// much as the Service has endpoints, whatever the number of Services.
class Ruleset {
public:
    /// From now on the Service called `owner` has exactly these ports; none: it is gone.
    void set(const std::string& owner, std::span<const ServicePort> ports);

    /// What leads from the last take_change() (or from nothing) to now. The same for all nodes.
    nft::Change take_change();
    /// One node's whole table as of now.
    nft::Table table(const Network& network) const;

    bool has_change() const { return !touched_.empty() || balances_ != written_balances_; }

private:
    struct Claim {
        std::string owner;
        nft::Element element;
    };
    /// All who want one element, sorted by owner; the first stands.
    using Claims = std::vector<Claim>;
    /// Sorted by range, so that tables print and split the same way every time.
    using ClaimedSet = std::map<nft::Range, Claims>;

    void touch(const std::string& set, const nft::Range& range);
    void claim(const std::string& set, const nft::Range& range, Claim claim);
    void release(const std::string& set, const nft::Range& range, const std::string& owner);
    std::optional<nft::Element> standing(const std::string& set, const nft::Range& range) const;

    std::unordered_map<std::string, std::vector<Elements>> owned_;
    std::map<std::string, ClaimedSet> sets_;
    std::map<uint32_t, uint32_t> balances_;  // Number of endpoints -> Service ports that have it.
    std::map<uint32_t, uint32_t> written_balances_;
    // What stood in the kernel for every range that was touched since.
    std::map<std::string, std::map<nft::Range, std::optional<nft::Element>>> touched_;
};

}  // namespace kin::proxy
