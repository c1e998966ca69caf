#pragma once

#include <map>
#include <set>
#include <string>

#include "core/base/json.h"

namespace kin::web {

/// Who stands where on the map, told by the lab so that every page shows the same, also one that is
/// loaded later: a thing keeps its number for as long as it is there, and one that comes takes the
/// first that is free, so that nothing else moves. Pure.
class Slots {
public:
    /// The number of a thing of web/topology.h among those it stands with; -1 if it has no place of
    /// its own. A pod that got a node stands with others from then on.
    int place(const Json& thing);
    void leave(const std::string& id);
    /// All but these leave.
    void keep_only(const std::set<std::string>& ids);

private:
    struct Group {
        int end = 0;
        std::set<int> free;  ///< below `end`
    };
    struct Place {
        std::string group;
        int slot = 0;
    };
    std::map<std::string, Group> groups_;
    std::map<std::string, Place> places_;  ///< by id
};

/// Sorts things as people look for them: the system's last, then by namespace, owner and name,
/// node-2 before node-10. In this order they get their places if several come at once.
std::string place_key(const Json& thing);

}  // namespace kin::web
