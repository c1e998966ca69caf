#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kin {

/// A second address under an object: pods/NAME/log.
struct Subresource {
    std::string_view name;                  ///< "status", "scale", "log"
    std::string_view group, version, kind;  ///< What its body is, where that differs; else "".
    std::vector<std::string_view> verbs;
};

/// One kind of object that the API serves. All that is known about kinds stands in one table.
struct Kind {
    std::string_view group;     ///< "" for the core group
    std::string_view version;   ///< "v1"
    std::string_view kind;      ///< "Pod"
    std::string_view plural;    ///< "pods"
    std::string_view singular;  ///< "pod"
    std::vector<std::string_view> short_names;
    std::vector<std::string_view> categories;
    bool namespaced = true;
    /// Name of its message in the schema: "core.v1.Pod".
    std::string_view message;
    /// Writes to the object leave status alone, writes to /status leave the rest alone.
    bool has_status = false;
    /// A new object keeps the status it comes with (nodes register themselves).
    bool status_on_create = false;
    /// metadata.generation counts the changes of spec.
    bool has_generation = false;
    /// PUT of a missing object creates it.
    bool create_on_update = false;
    /// PUT without metadata.resourceVersion is allowed.
    bool unconditional_update = true;
    std::vector<Subresource> subresources;
    /// Said with every write while kin only stores the kind: "... does not act on it yet".
    std::string_view stored_only_warning;

    /// "apps/v1", or "v1" in the core group.
    std::string api_version() const;
    /// "deployments.apps", or "pods": names the kind in messages and in the store.
    std::string resource() const;
};

/// All kinds, in the order in which discovery lists them.
std::span<const Kind> all_kinds();
/// nullptr if there is none.
const Kind* find_kind(std::string_view group, std::string_view version, std::string_view plural);
/// By apiVersion ("apps/v1") and kind ("Deployment").
const Kind* find_kind_of(std::string_view api_version, std::string_view kind);
/// By resource() ("deployments.apps").
const Kind* find_resource(std::string_view resource);

}  // namespace kin
