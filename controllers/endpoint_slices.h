#pragma once

#include <string>
#include <vector>

#include "controllers/in_flight.h"
#include "controllers/service_endpoints.h"
#include "core/base/lifetime.h"
#include "core/client/client.h"
#include "core/client/service_slices.h"
#include "core/loop/work_queue.h"

namespace kin::controllers {

/// Writes, for every Service with a selector, which pods stand behind it: EndpointSlices, and the
/// Endpoints object of the older API. For Services without one it repeats Endpoints written by
/// hand as EndpointSlices.
class EndpointSlices {
public:
    explicit EndpointSlices(Client& client);

private:
    Result<> reconcile(const ObjectKey& key);
    void write_slices(const Service& service, const std::vector<BackingPod>& pods);
    void write_endpoints(const Service& service, const std::vector<BackingPod>& pods);
    void remove_leftovers(const ObjectKey& key);
    void mirror(const ObjectKey& key);
    void carry_out(const ObjectKey& key, SliceChanges changes);
    void remove_slices(const ObjectKey& key, const std::vector<const EndpointSlice*>& slices);
    std::vector<const EndpointSlice*> slices_where(const ObjectKey& key,
                                                   bool (*made_by)(const EndpointSlice&)) const;
    void on_pod(const CacheChange<Pod>& change);
    std::string zone_of(const std::string& node) const;
    Client::Done answered(const ObjectKey& key);

    Client& client_;
    Cache<Service>& services_;
    Cache<Pod>& pods_;
    ServiceSlices service_slices_;
    Cache<Endpoints>& endpoints_;
    Cache<Node>& nodes_;
    WorkQueue<ObjectKey> queue_;
    InFlight in_flight_{queue_};
    Lifetime lifetime_;  // Last: callbacks end before what they touch.
};

}  // namespace kin::controllers
