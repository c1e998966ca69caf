#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "core/api/object_key.h"
#include "core/base/ip.h"
#include "core/contracts/namespaces.h"
#include "core/loop/loop.h"

namespace kin::proxy {

/// What a load balancer outside would ask about one Service on one node.
struct HealthCheck {
    ObjectKey service;
    size_t local_endpoints = 0;
    auto operator<=>(const HealthCheck&) const = default;
};

/// The answer to a GET of a healthCheckNodePort: 200 where the node has an endpoint, else 503, and
/// the numbers as JSON. Pure.
std::string health_answer(const HealthCheck& check);

/// Serves the healthCheckNodePorts of nodes (externalTrafficPolicy Local). All calls on the control
/// thread; connections are served on the data loop.
class HealthChecks {
public:
    /// Both outlive this object.
    HealthChecks(Loop& data, Namespaces& namespaces);
    ~HealthChecks();

    struct Place {
        std::string node;
        Ipv4 address;
        uint16_t port = 0;
        auto operator<=>(const Place&) const = default;
    };
    /// From now on exactly these are served. Returns the first failure to open one (kExists: the
    /// port is taken on that node); the others are served all the same.
    Result<> set(const std::map<Place, HealthCheck>& wanted);

private:
    class Server;
    Loop& data_;
    Namespaces& namespaces_;
    std::map<Place, HealthCheck> served_;
    std::shared_ptr<Server> server_;
};

}  // namespace kin::proxy
