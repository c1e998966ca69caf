#pragma once

#include <functional>

#include "netns/images/service.h"

namespace kin::images {

/// A connection of HTTP/2 without TLS on which every call is answered as gRPC's health check is:
/// SERVING or NOT_SERVING, as `serving` says. For Service::listen_sessions().
Service::Session grpc_health_session(std::function<bool()> serving);

}  // namespace kin::images
