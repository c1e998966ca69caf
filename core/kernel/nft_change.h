#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "core/kernel/nft.h"

namespace kin::nft {

/// Elements to take out of one set and to put into it. An element whose right side or comment
/// changes is in both lists: the kernel has no "change", and both happen at once.
struct ElementChange {
    SetShape set;
    std::vector<Range> removed;
    std::vector<std::pair<Range, Element>> added;
    bool empty() const { return removed.empty() && added.empty(); }
    auto operator<=>(const ElementChange&) const = default;
};

/// What leads from one value of a table to another. Carried out in the order of the members; a
/// packet sees all of it or nothing (but see split()).
struct Change {
    enum class Start : uint8_t {
        kKeep,     ///< The table is there.
        kReplace,  ///< Whatever has this name goes first.
    };
    /// A dormant table hooks nothing: packets do not meet it while it is filled.
    enum class Hooked : uint8_t { kAsIs, kDormant, kAwake };

    std::string table;
    std::string table_comment;
    Start start = Start::kKeep;
    Hooked hooked = Hooked::kAsIs;
    std::vector<Chain> added_chains;
    std::vector<SetShape> added_sets;
    std::vector<Chain> rewritten_chains;  ///< All their rules are exchanged; their hook stays.
    std::vector<ElementChange> elements;
    std::vector<std::string> removed_chains;
    std::vector<std::string> removed_sets;

    bool empty() const;
    size_t element_count() const;
    auto operator<=>(const Change&) const = default;
};

/// The smallest change: elements one by one, chains by all their rules. A changed set shape or
/// hook leads to whole(to): everything that refers to it would have to move.
Change difference(const Table& from, const Table& to);
/// The elements by which two values of the same set differ. Cheap where both are small, whatever
/// the size of the set that they are a part of: use it for the elements of one object.
ElementChange difference(const SetShape& shape, const Elements& from, const Elements& to);
/// Puts the table there from nothing, or instead of what is there.
Change whole(const Table& table);

/// Splits a change into pieces of about `limit_bytes` of netlink, to be written in this order.
///
/// Elements whose keys start with the same address (a Service's or a pod's) or with the same
/// protocol and port (a node port) stay in one piece, so a packet meets each object whole: old or
/// new. A whole() comes into force with the last piece.
std::vector<Change> split(Change change, size_t limit_bytes);

}  // namespace kin::nft
