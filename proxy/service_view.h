#pragma once

#include <vector>

#include "core/api/views.h"
#include "proxy/service_port.h"

namespace kin::proxy {

/// What a Service and its slices ask of every node: one entry per port, with the endpoints that
/// are ready. Nothing for headless and ExternalName Services, which have no address of their own.
/// SCTP ports are left out. Pure.
std::vector<ServicePort> ports_of(const Service& service,
                                  const std::vector<const EndpointSlice*>& slices);

}  // namespace kin::proxy
