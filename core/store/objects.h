#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/store/store.h"

namespace kin {

/// Objects by resource, then namespace and name: the order in which lists answer. A plain value;
/// whoever shares one locks it.
class Objects {
public:
    using OfResource = std::map<ObjectKey, StoredPtr>;

    /// nullptr if there is none.
    StoredPtr find(std::string_view resource, const ObjectKey& key) const;
    /// All of a resource, in `ns` or ("") everywhere.
    std::vector<StoredPtr> list(std::string_view resource, std::string_view ns) const;
    void put(StoredPtr object);
    void remove(std::string_view resource, const ObjectKey& key);
    /// Shows what `event` says.
    void apply(const StoreEvent& event);
    size_t size() const;

    /// Those of `resource`, or nullptr.
    const OfResource* of(std::string_view resource) const;

private:
    std::map<std::string, OfResource, std::less<>> resources_;
};

}  // namespace kin
