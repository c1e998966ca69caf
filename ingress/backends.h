#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/api/ingress_views.h"
#include "ingress/route_table.h"

namespace kin::ingress {

/// The Services that Ingresses name, as backends with the endpoints that are ready.
class Backends {
public:
    using FindService = std::function<const Service*(const ObjectKey&)>;
    using SlicesOf = std::function<std::vector<const EndpointSlice*>(const ObjectKey&)>;
    /// What is passed outlives this object.
    Backends(const FindService& find_service, const SlicesOf& slices_of)
        : find_service_(find_service), slices_of_(slices_of) {}

    struct Found {
        std::shared_ptr<const Backend> backend;  ///< never nullptr; without endpoints: 503
        std::string reason, message;             ///< of an Event if something is amiss; "": nothing
    };
    /// The backend of an Ingress in namespace `ns`; one object for all that name the same.
    const Found& find(const std::string& ns, const IngressBackend& backend);

    /// All Services that were looked for, there or not.
    std::set<ObjectKey> take_services() { return std::move(services_); }

private:
    Found resolve(const ObjectKey& service, const IngressBackend& backend);

    const FindService& find_service_;
    const SlicesOf& slices_of_;
    std::map<std::pair<ObjectKey, std::string>, Found> known_;  // by Service and port
    std::set<ObjectKey> services_;
};

}  // namespace kin::ingress
