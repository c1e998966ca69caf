#pragma once

#include <functional>
#include <map>
#include <set>
#include <vector>

#include "core/base/lifetime.h"
#include "core/client/client.h"

namespace kin {

/// Which EndpointSlices belong to each Service, by their label kubernetes.io/service-name; a slice
/// may come before its Service and stay behind it. Lives on the client's loop; construct it
/// before Client::start().
class ServiceSlices {
public:
    using Observer = std::function<void(const ObjectKey& service)>;

    /// `changed` is called for every change of a slice of that Service, and for both Services when
    /// a slice moves from one to the other; of() then shows it.
    ServiceSlices(Client& client, Observer changed);

    /// By name. Valid until the loop goes on.
    std::vector<const EndpointSlice*> of(const ObjectKey& service) const;

private:
    void on_slice(const CacheChange<EndpointSlice>& change);

    Cache<EndpointSlice>& slices_;
    const Observer changed_;
    std::map<ObjectKey, std::set<ObjectKey>> by_service_;
    Lifetime lifetime_;  // Last: callbacks end before what they touch.
};

}  // namespace kin
