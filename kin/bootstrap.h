#pragma once

#include "core/base/result.h"
#include "core/registry/registry.h"

namespace kin {

/// Creates what a cluster made by kubeadm has before anybody used it, where it is missing: the
/// four namespaces and the Service `kubernetes`. On the caller's thread; waits for each write.
Result<> bootstrap(Registry& registry);

}  // namespace kin
