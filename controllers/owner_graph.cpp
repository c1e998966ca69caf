#include "controllers/owner_graph.h"

#include <algorithm>

namespace kin::controllers {

namespace {
constexpr std::string_view kOrphan = "orphan";
constexpr std::string_view kForeground = "foregroundDeletion";

bool has_finalizer(const Metadata& meta, std::string_view finalizer) {
    return std::find(meta.finalizers.begin(), meta.finalizers.end(), finalizer) !=
           meta.finalizers.end();
}

bool blocks(const Metadata& dependent, const std::string& owner_uid) {
    return std::any_of(dependent.owners.begin(), dependent.owners.end(),
                       [&](const OwnerReference& owner) {
                           return owner.uid == owner_uid && owner.block_owner_deletion;
                       });
}
}  // namespace

const OwnerGraph::Item* OwnerGraph::find(const std::string& uid) const {
    const auto found = items_.find(uid);
    return found == items_.end() ? nullptr : &found->second;
}

std::vector<const OwnerGraph::Item*> OwnerGraph::dependents(const std::string& uid) const {
    std::vector<const Item*> out;
    const auto found = dependents_.find(uid);
    if (found == dependents_.end()) return out;
    for (const std::string& dependent : found->second) {
        if (const Item* item = find(dependent)) out.push_back(item);
    }
    return out;
}

std::vector<std::string> OwnerGraph::note(const Kind& kind, const Metadata* before,
                                          const Metadata* now) {
    std::set<std::string> touched;
    const auto touch_around = [&](const Metadata& meta) {
        touched.insert(meta.uid);
        for (const OwnerReference& owner : meta.owners) touched.insert(owner.uid);
        const auto found = dependents_.find(meta.uid);
        if (found != dependents_.end()) touched.insert(found->second.begin(), found->second.end());
    };
    if (before) {
        for (const OwnerReference& owner : before->owners) {
            const auto found = dependents_.find(owner.uid);
            if (found == dependents_.end()) continue;
            found->second.erase(before->uid);
            if (found->second.empty()) dependents_.erase(found);
        }
    }
    if (now) {
        items_[now->uid] = {&kind, *now};
        for (const OwnerReference& owner : now->owners) dependents_[owner.uid].insert(now->uid);
    } else {
        items_.erase(before->uid);
    }
    // An object that merely lives on changes nobody's fate: only its end, its beginning, and new
    // owners or finalizers do.
    if (before && now && before->deleted == now->deleted && before->finalizers == now->finalizers &&
        before->owners.size() == now->owners.size() &&
        std::equal(before->owners.begin(), before->owners.end(), now->owners.begin(),
                   [](const OwnerReference& a, const OwnerReference& b) {
                       return a.uid == b.uid && a.block_owner_deletion == b.block_owner_deletion;
                   })) {
        return {};
    }
    if (before) touch_around(*before);
    if (now) touch_around(*now);
    return {touched.begin(), touched.end()};
}

OwnerGraph::Owner OwnerGraph::classify(const Item& item, const OwnerReference& owner) const {
    const Item* found = find(owner.uid);
    if (!found) return Owner::kDangling;
    // An owner in another namespace, or that the reference describes wrongly, is no owner.
    const std::string& ns = found->meta.key.ns;
    if ((!ns.empty() && ns != item.meta.key.ns) || found->kind->kind != owner.kind ||
        found->meta.key.name != owner.name) {
        return Owner::kDangling;
    }
    return found->meta.deleting() && has_finalizer(found->meta, kForeground) ? Owner::kWaiting
                                                                             : Owner::kSolid;
}

std::vector<OwnerGraph::Action> OwnerGraph::verdict(const std::string& uid) const {
    const Item* item = find(uid);
    if (!item) return {};
    if (item->meta.deleting()) return verdict_on_deleting(*item);
    return item->meta.owners.empty() ? std::vector<Action>{} : verdict_on_owned(*item);
}

std::vector<OwnerGraph::Action> OwnerGraph::verdict_on_deleting(const Item& item) const {
    const std::string& uid = item.meta.uid;
    std::vector<Action> actions;
    if (has_finalizer(item.meta, kOrphan)) {
        for (const Item* dependent : dependents(uid)) {
            actions.push_back({.what = Action::What::kDropOwners,
                               .uid = dependent->meta.uid,
                               .finalizer = "",
                               .owners = {uid}});
        }
        if (actions.empty()) {
            actions.push_back({.what = Action::What::kRemoveFinalizer,
                               .uid = uid,
                               .finalizer = std::string(kOrphan),
                               .owners = {}});
        }
    } else if (has_finalizer(item.meta, kForeground)) {
        const std::vector<const Item*> all = dependents(uid);
        const bool blocked = std::any_of(all.begin(), all.end(), [&](const Item* dependent) {
            return blocks(dependent->meta, uid);
        });
        // While it is blocked, the dependents' own verdicts bring them to their end.
        if (!blocked) {
            actions.push_back({.what = Action::What::kRemoveFinalizer,
                               .uid = uid,
                               .finalizer = std::string(kForeground),
                               .owners = {}});
        }
    }
    return actions;
}

std::vector<OwnerGraph::Action> OwnerGraph::verdict_on_owned(const Item& item) const {
    bool solid = false, waiting = false;
    std::set<std::string> lost;
    for (const OwnerReference& owner : item.meta.owners) {
        const Owner state = classify(item, owner);
        solid = solid || state == Owner::kSolid;
        waiting = waiting || state == Owner::kWaiting;
        if (state != Owner::kSolid) lost.insert(owner.uid);
    }
    if (lost.empty()) return {};
    Action action{.uid = item.meta.uid, .finalizer = "", .owners = {}};
    if (solid) {
        action.what = Action::What::kDropOwners;
        action.owners = std::move(lost);
    } else if (has_finalizer(item.meta, kOrphan)) {
        action.propagation = Propagation::kOrphan;
    } else if (has_finalizer(item.meta, kForeground) ||
               (waiting && !dependents(item.meta.uid).empty())) {
        action.propagation = Propagation::kForeground;
    }
    return {std::move(action)};
}

}  // namespace kin::controllers
