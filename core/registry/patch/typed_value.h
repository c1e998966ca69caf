#pragma once

#include <optional>
#include <string>

#include "core/api/schema.h"
#include "core/api/status.h"
#include "core/base/json.h"
#include "core/registry/patch/field_set.h"

namespace kin {

/// How server-side apply sees the values at one place of an object.
struct ApplyType {
    enum class Shape {
        kLeaf,    ///< A scalar, or something that is owned as a whole.
        kObject,  ///< Named fields of `message`; nullptr: any.
        kMap,     ///< Names to values of `field`'s type.
        kSet,     ///< Scalars, each owned by itself.
        kKeyed,   ///< Objects of field->message, told apart by field->list_keys.
    };
    Shape shape = Shape::kLeaf;
    const Message* message = nullptr;
    const Field* field = nullptr;

    static ApplyType of(const Message& message) { return {Shape::kObject, &message, nullptr}; }
    /// Of a whole field; nullptr, a field that the schema does not know, is a leaf.
    static ApplyType of(const Field* field);
    /// Of the value under `name`, for kObject and kMap.
    ApplyType child(const std::string& name) const;
    /// Of the elements of kSet and kKeyed.
    ApplyType element() const;
    /// The step to an element of kSet or kKeyed, missing keys filled with their defaults; nothing
    /// if a key without a default is missing.
    std::optional<std::string> step_to(const Json& element) const;
};

/// What changed from one value to another.
struct Comparison {
    FieldSet added, modified, removed;
    bool same() const { return added.empty() && modified.empty() && removed.empty(); }
};
/// nullptr: there is no value, which is not the same as null.
Comparison compare(const ApplyType& type, const Json* before, const Json* after);

/// The paths that somebody who writes `value` as a whole owns.
FieldSet fields_of(const ApplyType& type, const Json& value);

/// `set` and the named fields on the way to its members: they go when all below them goes.
FieldSet with_named_parents(const ApplyType& type, const FieldSet& set);

/// `live` with what `applied` says put over it. Elements of lists come in the order of `applied`;
/// those of `live` alone keep their places between.
Json merged(const ApplyType& type, const Json& live, const Json& applied);

/// `value` without the members of `gone`; what becomes empty by that goes, too.
Json removed(const ApplyType& type, const Json& value, const FieldSet& gone);

/// Fails with 400 if `applied` has fields that the type does not declare, or list elements without
/// keys or with the same keys; the message begins with `where`.
Answer<Ok> check_applied(const ApplyType& type, const Json& applied, const std::string& where);

/// What the API's own zero value of a kind looks like: what is always written, empty.
Json zero_value(const Message& message);

}  // namespace kin
