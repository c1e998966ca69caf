#pragma once

#include <compare>
#include <functional>
#include <string>

namespace kin {

/// Which object of a kind: namespace ("" for cluster-scoped kinds) and name. Orders as lists do.
struct ObjectKey {
    std::string ns;
    std::string name;

    /// "shop/web", or "node-1" without a namespace.
    std::string to_string() const { return ns.empty() ? name : ns + '/' + name; }
    auto operator<=>(const ObjectKey&) const = default;
};

}  // namespace kin

template <>
struct std::hash<kin::ObjectKey> {
    size_t operator()(const kin::ObjectKey& key) const noexcept {
        return std::hash<std::string>()(key.ns) * 31 + std::hash<std::string>()(key.name);
    }
};
