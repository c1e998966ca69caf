#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"

namespace kin {

/// A set of field paths, as managedFields hold it (FieldsV1): a tree whose steps are "f:name" of
/// a field, `k:{"name":"web"}` of a list's element by its keys, `v:"x"` of a set's element.
struct FieldSet {
    struct Child;

    bool member = false;          ///< The path up to here is in the set itself (".").
    std::vector<Child> children;  ///< Sorted by step, each step once, none empty.

    bool empty() const { return !member && children.empty(); }
    /// nullptr if no path of the set leads through `step`.
    const FieldSet* find(std::string_view step) const;
    /// Puts a child at its sorted place; an empty one is left out. The step must be new.
    void add(std::string step, FieldSet child);

    bool operator==(const FieldSet&) const;
};

struct FieldSet::Child {
    std::string step;
    FieldSet set;
    bool operator==(const Child&) const = default;
};

inline bool FieldSet::operator==(const FieldSet& other) const {
    return member == other.member && children == other.children;
}

FieldSet united(const FieldSet& a, const FieldSet& b);
FieldSet common(const FieldSet& a, const FieldSet& b);
/// Whether both have a member, or some first step, in common.
bool share_a_step(const FieldSet& a, const FieldSet& b);
/// What is in `a` and not in `b`.
FieldSet without(const FieldSet& a, const FieldSet& b);

/// From and to the JSON of fieldsV1. Steps that are none are skipped.
FieldSet parse_fields_v1(const Json& json);
Json to_fields_v1(const FieldSet& set);

/// All members as people read them: `.spec.containers[name="c"].image`, in order.
std::vector<std::string> paths_of(const FieldSet& set);

}  // namespace kin
