#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/api/object_key.h"
#include "core/base/ip.h"
#include "core/base/result.h"
#include "core/base/unique_fd.h"

namespace kin {

/// Sockets inside a pod's or node's network namespace. The node agent implements it; DNS and
/// ingress use it. A socket stays in the namespace it was opened in, so any loop can serve it.
/// On the control thread only.
class Namespaces {
public:
    enum class SocketType { kUdp, kTcpListener, kTcp };

    virtual ~Namespaces() = default;
    /// A non-blocking socket bound to address:port inside the pod (of kTcp: not bound, it is to
    /// connect). kNotFound: no such pod here.
    virtual Result<UniqueFd> open_in_pod(const ObjectKey& pod, SocketType type, Ipv4 address,
                                         uint16_t port) = 0;
    virtual Result<UniqueFd> open_in_node(const std::string& node, SocketType type, Ipv4 address,
                                          uint16_t port) = 0;
};

/// A component of kin that is what runs inside a system pod (coredns, kube-proxy): it hears when
/// such a pod starts and stops, and gives it its log. On the control thread.
class PodService {
public:
    virtual ~PodService() = default;
    struct Instance {
        ObjectKey pod;
        std::string node;
        Ipv4 address;
        /// Appends a line to the container's log, or several with newlines between them.
        std::function<void(std::string_view line)> log;
    };
    /// The pod's network is ready; an Error keeps the container from starting (retried).
    virtual Result<> start(const Instance& instance) = 0;
    virtual void stop(const ObjectKey& pod) = 0;
};

}  // namespace kin
