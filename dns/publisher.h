#pragma once

#include <functional>
#include <memory>
#include <set>

#include "core/base/lifetime.h"
#include "core/client/service_slices.h"
#include "core/loop/debounce.h"
#include "dns/zone_builder.h"

namespace kin::dns {

/// Follows Services, EndpointSlices and Namespaces and hands out the zone whenever it changed.
/// Owned by the client's loop; create it before Client::start().
class Publisher {
public:
    using Publish = std::function<void(std::shared_ptr<const Zone>)>;
    /// `delivering` tells whether a zone handed out is not in use yet: then settle() waits.
    Publisher(Client& client, ZoneOptions options, Publish publish,
              std::function<bool()> delivering);

private:
    Result<> update();

    Cache<Service>& services_;
    ServiceSlices slices_;
    ZoneBuilder builder_;
    const Publish publish_;
    std::set<ObjectKey> dirty_;
    Debounce work_;
    Lifetime lifetime_;  // Last: callbacks end before what they touch.
};

}  // namespace kin::dns
