#include "proxy/ruleset.h"

#include <algorithm>

namespace kin::proxy {

void Ruleset::touch(const std::string& set, const nft::Range& range) {
    auto& ranges = touched_[set];
    if (!ranges.contains(range)) ranges.emplace(range, standing(set, range));
}

std::optional<nft::Element> Ruleset::standing(const std::string& set,
                                              const nft::Range& range) const {
    const auto claimed = sets_.find(set);
    if (claimed == sets_.end()) return std::nullopt;
    const auto claims = claimed->second.find(range);
    if (claims == claimed->second.end()) return std::nullopt;
    return claims->second.front().element;
}

void Ruleset::claim(const std::string& set, const nft::Range& range, Claim claim) {
    touch(set, range);
    Claims& claims = sets_[set][range];
    const auto behind = std::ranges::upper_bound(claims, claim.owner, {}, &Claim::owner);
    claims.insert(behind, std::move(claim));
}

void Ruleset::release(const std::string& set, const nft::Range& range, const std::string& owner) {
    touch(set, range);
    ClaimedSet& claimed = sets_[set];
    const auto found = claimed.find(range);
    if (found == claimed.end()) return;
    Claims& claims = found->second;
    const auto mine = std::ranges::find(claims, owner, &Claim::owner);
    if (mine != claims.end()) claims.erase(mine);
    if (claims.empty()) claimed.erase(found);
}

void Ruleset::set(const std::string& owner, std::span<const ServicePort> ports) {
    if (const auto old = owned_.find(owner); old != owned_.end()) {
        for (const Elements& elements : old->second) {
            for (const auto& [name, set] : elements.sets)
                for (const auto& [range, element] : set) release(name, range, owner);
            if (elements.balance != 0 && --balances_[elements.balance] == 0)
                balances_.erase(elements.balance);
        }
        owned_.erase(old);
    }
    if (ports.empty()) return;
    std::vector<Elements>& mine = owned_[owner];
    for (const ServicePort& port : ports) {
        Elements& elements = mine.emplace_back(compile(port));
        for (const auto& [name, set] : elements.sets)
            for (const auto& [range, element] : set) claim(name, range, {owner, element});
        if (elements.balance != 0) ++balances_[elements.balance];
    }
}

nft::Change Ruleset::take_change() {
    nft::Change change;
    change.table = kTableName;
    static const nft::Table kSkeleton = skeleton({});
    for (const auto& [name, ranges] : touched_) {
        const nft::Set* set = kSkeleton.find_set(name);
        nft::ElementChange elements{set->shape, {}, {}};
        for (const auto& [range, before] : ranges) {
            const auto now = standing(name, range);
            if (now == before) continue;
            if (before) elements.removed.push_back(range);
            if (now) elements.added.emplace_back(range, *now);
        }
        if (!elements.empty()) change.elements.push_back(std::move(elements));
    }
    for (const auto& [endpoints, users] : balances_)
        if (!written_balances_.contains(endpoints))
            change.added_chains.push_back(balance_chain(endpoints));
    for (const auto& [endpoints, users] : written_balances_)
        if (!balances_.contains(endpoints))
            change.removed_chains.push_back(balance_chain_name(endpoints));
    touched_.clear();
    written_balances_ = balances_;
    return change;
}

nft::Table Ruleset::table(const Network& network) const {
    nft::Table table = skeleton(network);
    for (const auto& [name, claimed] : sets_) {
        nft::Elements& elements = table.find_set(name)->elements;
        for (const auto& [range, claims] : claimed)
            elements.emplace_hint(elements.end(), range, claims.front().element);
    }
    for (const auto& [endpoints, users] : balances_)
        table.chains.push_back(balance_chain(endpoints));
    return table;
}

}  // namespace kin::proxy
