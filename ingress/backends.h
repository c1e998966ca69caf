#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/api/ingress_views.h"
#include "ingress/route_table.h"

namespace kin::ingress {

/// The Services that Ingresses name, as backends with the endpoints that are ready; of type
/// ExternalName with the addresses of their names. Remembers what
/// it was asked for: all that name the same get the same object.
class Backends {
public:
    using FindService = std::function<const Service*(const ObjectKey&)>;
    using SlicesOf = std::function<std::vector<const EndpointSlice*>(const ObjectKey&)>;
    /// What is known of the name of a Service of type ExternalName.
    using AddressesOf =
        std::function<std::vector<Ipv4>(const ObjectKey& service, const std::string& name)>;
    Backends(FindService find_service, SlicesOf slices_of, AddressesOf addresses_of)
        : find_service_(std::move(find_service)),
          slices_of_(std::move(slices_of)),
          addresses_of_(std::move(addresses_of)) {}

    struct Found {
        std::shared_ptr<const Backend> backend;  ///< never nullptr; without endpoints: 503
        std::string reason, message;             ///< of an Event if something is amiss; "": nothing
    };
    /// The backend of an Ingress in namespace `ns`. Valid until its Service is forgotten.
    const Found& find(const std::string& ns, const IngressBackend& backend);
    /// Looks it up again when it is asked for: it has changed, or nobody names it any more.
    void forget(const ObjectKey& service) { known_.erase(service); }
    void forget_all() { known_.clear(); }

private:
    Found resolve(const ObjectKey& service, const IngressBackend& backend) const;
    Found resolve_name(const Service& service, const IngressBackend& backend,
                       std::shared_ptr<Backend> out) const;

    const FindService find_service_;
    const SlicesOf slices_of_;
    const AddressesOf addresses_of_;
    std::map<ObjectKey, std::map<std::string, Found>> known_;  // by Service, then by port
};

}  // namespace kin::ingress
