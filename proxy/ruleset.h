#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/kernel/nft_change.h"
#include "proxy/compile.h"

namespace kin::proxy {

/// What has changed since it was last written.
class RulesetChange {
public:
    bool empty() const;
    /// How it looks on one node.
    nft::Change on(const std::string& node) const;

private:
    friend class Ruleset;
    struct Difference {
        std::optional<nft::Element> before, now;
    };
    struct Touched {
        Difference everywhere;
        std::map<std::string, Difference> on_node;  ///< Where it is another.
    };
    /// Chains and sets that belong to one Service, as a table of their own.
    struct Own {
        nft::Table before, now;
    };

    std::map<std::string, std::map<nft::Range, Touched>> sets_;
    std::vector<nft::Chain> added_chains_;
    std::vector<std::string> removed_chains_;
    std::vector<std::map<std::string, Own>> own_;  ///< Of each Service, by node; "": everywhere.
};

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

    /// What leads from the last take_change() (or from nothing) to now.
    RulesetChange take_change();
    /// One node's whole table as of now.
    nft::Table table(const Network& network) const;

private:
    struct Claim {
        std::string owner;
        std::string node;  ///< "": on every node without one of its own
        nft::Element element;
        bool stands_before(const Claim& other) const;
    };
    /// All who want one element; the first that applies to a node stands there.
    using Claims = std::vector<Claim>;
    /// Sorted by range, so that tables print and split the same way every time.
    using ClaimedSet = std::map<nft::Range, Claims>;
    /// Own chains and sets of one Service by node.
    using OwnTables = std::map<std::string, nft::Table>;

    void touch(const std::string& set, const nft::Range& range);
    void claim(const std::string& node, const std::string& owner, const Elements& elements);
    void release(const std::string& node, const std::string& owner, const Elements& elements);
    OwnTables own_tables(const std::string& owner) const;
    static std::optional<nft::Element> standing(const Claims& claims, const std::string& node);
    void add_touched_elements(RulesetChange& change) const;

    std::unordered_map<std::string, std::vector<Compiled>> owned_;
    std::map<std::string, ClaimedSet> sets_;
    std::map<Balance, uint32_t> balances_;  // How many Service ports have it.
    std::set<std::string> with_own_;        // Owners that have chains of their own.
    std::set<Balance> written_balances_;
    // Who stood for every range that was touched since, and the own tables of touched Services.
    std::map<std::string, ClaimedSet> touched_;
    std::map<std::string, OwnTables> touched_own_;
};

}  // namespace kin::proxy
