#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/api/kinds.h"
#include "core/api/views.h"
#include "core/client/client.h"

namespace kin::controllers {

/// Who owns whom, over all kinds, by uid. Pure: it tells what garbage collection has to do.
class OwnerGraph {
public:
    struct Item {
        const Kind* kind = nullptr;
        Metadata meta;
    };
    /// One thing to do with one object.
    struct Action {
        enum class What { kDelete, kRemoveFinalizer, kDropOwners };
        What what = What::kDelete;
        std::string uid;  ///< of the object to change
        Propagation propagation = Propagation::kBackground;
        std::string finalizer;
        std::set<std::string> owners;  ///< uids of those to drop
        bool operator==(const Action&) const = default;
    };

    /// Notes a change; returns the uids whose verdict may have changed.
    std::vector<std::string> note(const Kind& kind, const Metadata* before, const Metadata* now);
    /// What object `uid` asks for now. Empty if there is no such object or it may stay as it is.
    std::vector<Action> verdict(const std::string& uid) const;
    /// nullptr if there is none.
    const Item* find(const std::string& uid) const;

private:
    enum class Owner { kSolid, kDangling, kWaiting };
    Owner classify(const Item& item, const OwnerReference& owner) const;
    std::vector<Action> verdict_on_deleting(const Item& item) const;
    std::vector<Action> verdict_on_owned(const Item& item) const;
    std::vector<const Item*> dependents(const std::string& uid) const;

    std::map<std::string, Item> items_;
    std::map<std::string, std::set<std::string>> dependents_;  // By the owner's uid.
};

}  // namespace kin::controllers
