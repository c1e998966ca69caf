#pragma once

#include "core/api/views.h"
#include "core/base/ip.h"
#include "core/base/result.h"

namespace kin {

/// Who isolates pods (policy), as seen by who starts them (the node agent). On the control thread.
class PodIsolation {
public:
    virtual ~PodIsolation() = default;
    /// When this returns, what NetworkPolicies say of the pod at this address is in force on its
    /// node; on an Error nothing of the pod may start, and it is asked again. Asked before the
    /// pod's first process, when its status does not tell the address yet. To repeat it costs
    /// nothing.
    virtual Result<> isolate(const Pod& pod, Ipv4 address) = 0;
};

}  // namespace kin
