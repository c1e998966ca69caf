#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace kin {

enum class FieldType {
    kString,
    kInt32,
    kInt64,
    kBool,
    kDouble,
    kBytes,      ///< base64 in JSON, raw on the wire
    kTime,       ///< RFC 3339, whole seconds
    kMicroTime,  ///< RFC 3339, six digits
    kDuration,
    kQuantity,  ///< "100m", "1Gi", also a JSON number
    kIntOrString,
    kFieldsV1,  ///< managedFields' own JSON
    kRaw,       ///< any JSON value
    kMessage,
};
enum class FieldShape { kOne, kList, kMap };
/// How server-side apply sees a list (x-kubernetes-list-type).
enum class ListType { kAtomic, kSet, kMap };

struct Message;

/// One field of a message: everything that validation, defaulting, patching, apply, OpenAPI,
/// explain and the protobuf decoder want to know about it.
struct Field {
    std::string name;  ///< as in JSON
    FieldType type = FieldType::kString;
    FieldShape shape = FieldShape::kOne;
    const Message* message = nullptr;  ///< for kMessage
    uint32_t number = 0;               ///< protobuf field number, 0: not on the wire
    bool inlined = false;              ///< its fields stand in the parent's JSON (wire only)
    bool keeps_zero = false;           ///< a pointer in Go: 0, false and "" are meaningful
    bool always_written = false;       ///< no omitempty: written to JSON also when zero

    bool required = false;             ///< OpenAPI's "required" and "Required value" when missing
    std::vector<std::string> allowed;  ///< enum values; empty: any
    std::string default_json;          ///< static default as JSON text; "": none

    ListType list_type = ListType::kAtomic;
    std::vector<std::string> list_keys;  ///< of ListType::kMap, in apply's order
    bool atomic_map = false;             ///< apply owns the map or object as a whole
    std::string patch_merge_key;         ///< strategic merge: lists of objects merge by this key
    bool patch_merge = false;            ///< strategic merge: merge (also lists of scalars)
    bool patch_retain_keys = false;

    std::string description;  ///< for `kubectl explain`, kin's own words
};

struct Message {
    std::string name;                  ///< "core.v1.PodSpec"
    std::string group, version, kind;  ///< set for messages that are kinds, else ""
    std::string description;
    std::vector<Field> fields;  ///< in the order of declaration

    /// The field with this JSON name, also one of an inlined message. nullptr: unknown.
    const Field* find(std::string_view json_name) const;
};

/// The types of all kinds. Built once from the embedded schema text; immutable; thread-safe.
/// Stops the process if that text is broken (a unit test reads it).
class Schema {
public:
    static const Schema& builtin();
    /// nullptr if there is none. Names are GROUP.VERSION.TYPE: "core.v1.Pod", "meta.v1.Status".
    const Message* find(std::string_view name) const;
    const std::vector<const Message*>& messages() const { return all_; }

private:
    friend class SchemaReader;
    std::vector<const Message*> all_;  ///< by name
    std::vector<std::unique_ptr<Message>> owned_;
};

}  // namespace kin
