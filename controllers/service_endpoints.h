#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/api/views.h"
#include "core/base/json.h"

namespace kin::controllers {

/// What stands behind a Service: which pods, on which ports. Pure.

/// One pod behind a Service, with the Service's ports as numbers of that pod.
struct BackingPod {
    const Pod* pod = nullptr;
    std::vector<EndpointsPort> ports;
    bool ready = false, serving = false, terminating = false;
};

/// The number that `target` means in `pod`; 0 if it names a port that the pod does not have.
uint16_t resolve_port(const Pod& pod, const ServicePort& port);

/// The pods that a Service with a selector selects and that have an address, in order of addresses.
/// Empty for Services without a selector and of type ExternalName.
std::vector<BackingPod> backing_pods(const Service& service, const std::vector<const Pod*>& pods);

/// Controllers fill in endpoints of this Service at all.
bool is_managed(const Service& service);

/// Changes that bring EndpointSlices to what they should be.
struct SliceChanges {
    std::vector<Json> create;  ///< with generateName
    std::vector<Json> update;  ///< whole objects, with resourceVersion
    std::vector<const EndpointSlice*> remove;
};

/// `existing` are the slices that this controller manages for the Service. Endpoints stay in the
/// slice they are in; one slice holds up to 100, all with the same ports. `zone_of` tells a node's
/// zone ("" if it has none).
SliceChanges plan_slices(const Service& service, const std::vector<BackingPod>& pods,
                         const std::vector<const EndpointSlice*>& existing,
                         const std::function<std::string(const std::string& node)>& zone_of);

/// For Services without a selector: the slices that repeat an Endpoints object written by hand.
/// `existing` are those made for it before (is_mirror()).
SliceChanges plan_mirror(const Endpoints& endpoints,
                         const std::vector<const EndpointSlice*>& existing);
/// False where its labels or annotations ask for no slices.
bool is_mirrored(const Endpoints& endpoints);
bool is_mirror(const EndpointSlice& slice);

/// The Endpoints object of the older API, without resourceVersion.
Json desired_endpoints(const Service& service, const std::vector<BackingPod>& pods);

}  // namespace kin::controllers
