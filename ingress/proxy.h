#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "core/contracts/namespaces.h"
#include "ingress/route_table.h"

namespace kin::ingress {

/// Under which ports of the host's 127.0.0.1 the controller's Service is published; 0: it is not.
/// A request whose Host names `http` is redirected to `https` instead of to 443.
struct PublishedPorts {
    uint16_t http = 0, https = 0;
};

/// What answers inside the controller's pods, by the routes it is given. The Controller calls it,
/// on the control thread; the serving itself happens on a loop of the proxy's own choice.
class Proxy {
public:
    /// A pod of the controller, and its listeners, opened inside it: 80, 443 and 10254 (/healthz,
    /// /metrics). Sockets to endpoints come from Namespaces::open_in_pod(instance.pod, kTcp).
    struct Pod {
        PodService::Instance instance;
        UniqueFd http, https, status;
    };

    virtual ~Proxy() = default;
    /// For requests that begin from now on. Never nullptr; once before the first start(). `gone`:
    /// endpoints that the table before named and this one does not.
    virtual void set_routes(std::shared_ptr<const RouteTable> routes,
                            std::vector<Endpoint> gone) = 0;
    virtual void set_published(PublishedPorts) {}
    /// An Error keeps the pod from starting (it is tried again).
    virtual Result<> start(Pod pod) = 0;
    /// Answers what is under way as long as its pod lives, and takes nothing new.
    virtual void stop(const ObjectKey& pod) = 0;
    /// Routes that were handed over and are not in use yet: settle() waits for them.
    virtual bool delivering() const = 0;
};

}  // namespace kin::ingress
