#include "proxy/ruleset.h"

#include <algorithm>
#include <iterator>
#include <tuple>

namespace kin::proxy {

namespace {
template <class T>
void move_behind(std::vector<T>& from, std::vector<T>& to) {
    std::ranges::move(from, std::back_inserter(to));
}
}  // namespace

bool RulesetChange::empty() const {
    return sets_.empty() && added_chains_.empty() && removed_chains_.empty() && own_.empty();
}

nft::Change RulesetChange::on(const std::string& node) const {
    static const nft::Table kSkeleton = skeleton({});
    nft::Change change;
    change.table = kTableName;
    change.added_chains = added_chains_;
    change.removed_chains = removed_chains_;
    for (const auto& [name, ranges] : sets_) {
        nft::ElementChange elements{kSkeleton.find_set(name)->shape, {}, {}};
        for (const auto& [range, touched] : ranges) {
            const auto here = touched.on_node.find(node);
            const auto& [before, now] =
                here == touched.on_node.end() ? touched.everywhere : here->second;
            if (before == now) continue;
            if (before) elements.removed.push_back(range);
            if (now) elements.added.emplace_back(range, *now);
        }
        if (!elements.empty()) change.elements.push_back(std::move(elements));
    }
    for (const auto& tables : own_) {
        for (const std::string& where : {std::string(), node}) {
            const auto own = tables.find(where);
            if (own == tables.end()) continue;
            nft::Change part = nft::difference(own->second.before, own->second.now);
            move_behind(part.added_chains, change.added_chains);
            move_behind(part.added_sets, change.added_sets);
            move_behind(part.rewritten_chains, change.rewritten_chains);
            move_behind(part.elements, change.elements);
            move_behind(part.removed_chains, change.removed_chains);
            move_behind(part.removed_sets, change.removed_sets);
        }
    }
    return change;
}

bool Ruleset::Claim::stands_before(const Claim& other) const {
    // What a Service wants on one node only comes before what it wants everywhere.
    return std::tuple(std::string_view(owner), node.empty()) <
           std::tuple(std::string_view(other.owner), other.node.empty());
}

void Ruleset::touch(const std::string& set, const nft::Range& range) {
    ClaimedSet& ranges = touched_[set];
    if (ranges.contains(range)) return;
    const ClaimedSet& claimed = sets_[set];
    const auto claims = claimed.find(range);
    ranges.emplace(range, claims == claimed.end() ? Claims{} : claims->second);
}

std::optional<nft::Element> Ruleset::standing(const Claims& claims, const std::string& node) {
    for (const Claim& claim : claims)
        if (claim.node.empty() || claim.node == node) return claim.element;
    return std::nullopt;
}

void Ruleset::claim(const std::string& node, const std::string& owner, const Elements& elements) {
    for (const auto& [set, ranges] : elements.sets) {
        for (const auto& [range, element] : ranges) {
            touch(set, range);
            Claims& claims = sets_[set][range];
            Claim claim{owner, node, element};
            const auto behind = std::ranges::upper_bound(
                claims, claim, [](const Claim& a, const Claim& b) { return a.stands_before(b); });
            claims.insert(behind, std::move(claim));
        }
    }
    for (const Balance& balance : elements.balances) ++balances_[balance];
    if (!elements.chains.empty() || !elements.own_sets.empty()) with_own_.insert(owner);
}

void Ruleset::release(const std::string& node, const std::string& owner, const Elements& elements) {
    for (const auto& [set, ranges] : elements.sets) {
        ClaimedSet& claimed = sets_[set];
        for (const auto& [range, element] : ranges) {
            touch(set, range);
            const auto found = claimed.find(range);
            if (found == claimed.end()) continue;
            Claims& claims = found->second;
            const auto mine = std::ranges::find_if(claims, [&](const Claim& claim) {
                return claim.owner == owner && claim.node == node;
            });
            if (mine != claims.end()) claims.erase(mine);
            if (claims.empty()) claimed.erase(found);
        }
    }
    for (const Balance& balance : elements.balances)
        if (--balances_[balance] == 0) balances_.erase(balance);
}

Ruleset::OwnTables Ruleset::own_tables(const std::string& owner) const {
    OwnTables tables;
    const auto owned = owned_.find(owner);
    if (owned == owned_.end()) return tables;
    const auto add = [&](const std::string& node, const Elements& elements) {
        if (elements.chains.empty() && elements.own_sets.empty()) return;
        nft::Table& table = tables[node];
        for (const auto& [name, chain] : elements.chains) table.chains.push_back(chain);
        for (const auto& [name, set] : elements.own_sets) table.sets.push_back(set);
    };
    for (const Compiled& compiled : owned->second) {
        add("", compiled.everywhere);
        for (const auto& [node, elements] : compiled.on_node) add(node, elements);
    }
    return tables;
}

void Ruleset::set(const std::string& owner, std::span<const ServicePort> ports) {
    if (with_own_.contains(owner)) touched_own_.emplace(owner, own_tables(owner));
    if (const auto old = owned_.find(owner); old != owned_.end()) {
        for (const Compiled& compiled : old->second) {
            release("", owner, compiled.everywhere);
            for (const auto& [node, elements] : compiled.on_node) release(node, owner, elements);
        }
        owned_.erase(old);
    }
    const bool had_own = with_own_.erase(owner) != 0;
    if (ports.empty()) return;
    std::vector<Compiled>& mine = owned_[owner];
    for (const ServicePort& port : ports) {
        const Compiled& compiled = mine.emplace_back(compile(port));
        claim("", owner, compiled.everywhere);
        for (const auto& [node, elements] : compiled.on_node) claim(node, owner, elements);
    }
    if (!had_own && with_own_.contains(owner)) touched_own_.emplace(owner, OwnTables{});
}

void Ruleset::add_touched_elements(RulesetChange& change) const {
    static const Claims kNone;
    for (const auto& [name, ranges] : touched_) {
        const ClaimedSet& claimed = sets_.at(name);
        for (const auto& [range, before] : ranges) {
            const auto found = claimed.find(range);
            const Claims& now = found == claimed.end() ? kNone : found->second;
            RulesetChange::Touched touched{{standing(before, ""), standing(now, "")}, {}};
            bool differs = touched.everywhere.before != touched.everywhere.now;
            for (const Claims* claims : {&before, &now}) {
                for (const auto& [owner, node, element] : *claims) {
                    if (node.empty()) continue;
                    auto& here = touched.on_node[node];
                    here = {standing(before, node), standing(now, node)};
                    differs = differs || here.before != here.now;
                }
            }
            if (differs) change.sets_[name].emplace(range, std::move(touched));
        }
    }
}

RulesetChange Ruleset::take_change() {
    RulesetChange change;
    add_touched_elements(change);
    std::set<Balance> balances;
    for (const auto& [balance, users] : balances_) {
        balances.insert(balance);
        if (!written_balances_.contains(balance)) change.added_chains_.push_back(balance.chain());
    }
    for (const Balance& balance : written_balances_)
        if (!balances.contains(balance)) change.removed_chains_.push_back(balance.chain_name());
    for (auto& [owner, before] : touched_own_) {
        OwnTables now = own_tables(owner);
        std::map<std::string, RulesetChange::Own> own;
        for (auto& [node, table] : before) own[node].before = std::move(table);
        for (auto& [node, table] : now) own[node].now = std::move(table);
        std::erase_if(own,
                      [](const auto& entry) { return entry.second.before == entry.second.now; });
        if (!own.empty()) change.own_.push_back(std::move(own));
    }
    touched_.clear();
    touched_own_.clear();
    written_balances_ = std::move(balances);
    return change;
}

nft::Table Ruleset::table(const Network& network) const {
    nft::Table table = skeleton(network);
    for (const auto& [name, claimed] : sets_) {
        nft::Elements& elements = table.find_set(name)->elements;
        for (const auto& [range, claims] : claimed) {
            if (auto element = standing(claims, network.node))
                elements.emplace_hint(elements.end(), range, std::move(*element));
        }
    }
    for (const auto& [balance, users] : balances_) table.chains.push_back(balance.chain());
    for (const std::string& owner : with_own_) {
        OwnTables own = own_tables(owner);
        for (const std::string& where : {std::string(), network.node}) {
            const auto found = own.find(where);
            if (found == own.end()) continue;
            move_behind(found->second.chains, table.chains);
            move_behind(found->second.sets, table.sets);
        }
    }
    return table;
}

}  // namespace kin::proxy
