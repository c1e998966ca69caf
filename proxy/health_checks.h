#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

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

/// Whole answers by path; that of "" is for every other one.
using Answers = std::map<std::string, std::string, std::less<>>;

/// What port 10249 of a node says of its kube-proxy: its mode, and that it is well. Pure.
Answers mode_answers();

/// Which of them a request gets; without one it is 404. Pure.
std::string answer_to(const Answers& answers, std::string_view request);

/// Serves the healthCheckNodePorts of nodes (externalTrafficPolicy Local), and what else a
/// kube-proxy says by HTTP: one request, one ready answer, one connection. All calls on the control
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
    Result<> set(const std::map<Place, Answers>& wanted);

private:
    class Server;
    Loop& data_;
    Namespaces& namespaces_;
    std::map<Place, Answers> served_;
    std::shared_ptr<Server> server_;
};

}  // namespace kin::proxy
