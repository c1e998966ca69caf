#pragma once

#include <string>
#include <vector>

#include "core/api/views.h"
#include "dns/wire.h"

namespace kin::dns {

/// One record that an object brings into the zone.
struct Record {
    WireName owner;
    Type type = Type::kA;
    std::string data;         ///< rdata
    WireName target;          ///< of SRV and CNAME
    std::vector<Ipv4> extra;  ///< addresses of an SRV target

    bool operator==(const Record&) const = default;
};

struct Domain {
    std::string name = "cluster.local";
};

/// The records of one Service, as Kubernetes' DNS specification 1.1 and CoreDNS have them: the
/// address, or those of the ready endpoints of a headless one; SRV for named ports; PTR; CNAME for
/// ExternalName. Pure. `slices` are the Service's EndpointSlices.
std::vector<Record> records_of(const Service& service,
                               const std::vector<const EndpointSlice*>& slices,
                               const Domain& domain);

/// The names that exist because a namespace does: NAME.svc and NAME.pod.
std::vector<WireName> names_of_namespace(const std::string& name, const Domain& domain);

/// "10.96.0.20" -> "20.0.96.10.in-addr.arpa".
WireName reverse_name(Ipv4 address);

}  // namespace kin::dns
