#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/registry/patch.h"
#include "core/registry/patch/field_set.h"
#include "core/registry/patch/typed_value.h"

namespace kin {

/// What one manager owns.
struct ManagedEntry {
    std::string manager;
    std::string operation;  ///< "Apply" or "Update"
    std::string api_version;
    std::string subresource;
    std::string time;
    FieldSet fields;
    const Json* written = nullptr;  ///< `fields` as fieldsV1 has them, if somebody keeps that

    bool applies() const { return operation == "Apply"; }
    /// `"m1" using v1`: how conflicts name it.
    std::string to_string() const;
};

/// metadata.managedFields.
struct ManagedFields {
    std::vector<ManagedEntry> entries;

    /// Nothing if `json` is no list of complete entries. The entries know their `written` form
    /// there; who changes an entry's fields drops it.
    static std::optional<ManagedFields> parse(const Json& json);
    /// The list of `object`; empty if it has none, or one that cannot be read.
    static ManagedFields of(const Json& object);
    /// Sorted as upstream sorts; entries that own nothing are left out.
    Json to_json() const;
    /// Writes the list into `object`, or removes it there if nothing is owned.
    void put_into(Json& object) const;

    /// nullptr if there is none. An applier's entry is the same whatever version it applied.
    ManagedEntry* find(const std::string& operation, const std::string& api_version,
                       const FieldWriter& writer);
    /// The same, made if it is not there.
    ManagedEntry& get(const std::string& operation, const std::string& api_version,
                      const FieldWriter& writer);
};

/// What writing `updated` over `live` changes; nullptr: it is being created.
Comparison changes_between(const Kind& kind, const Json* live, const Json& updated);

/// Takes out what is never owned: identity and book-keeping in metadata, and the part of the object
/// that this way of writing does not reach (status, or all but status).
void drop_untracked(const Kind& kind, const std::string& subresource, FieldSet& set);

}  // namespace kin
