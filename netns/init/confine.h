#pragma once

#include "netns/init/containers.h"

namespace kin::netns {

/// Takes from the calling process what a container must not have: privileges that programs could
/// gain (no_new_privs), capabilities beyond spec.capabilities, system calls that a lab never needs
/// (EPERM), and makes it spec.uid and spec.gid. There is no way back.
/// Fails with kInvalid when the lab has no such id.
Result<> confine(const ProcessSpec& spec);

}  // namespace kin::netns
