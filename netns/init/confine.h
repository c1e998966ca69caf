#pragma once

#include "netns/init/containers.h"

namespace kin::netns {

/// Takes from the calling process what a container must not have: privileges that programs could
/// gain (no_new_privs), capabilities beyond spec.capabilities, system calls that a lab never needs
/// (EPERM), and makes it spec.uid and spec.gid. There is no way back.
/// `one_id`: the lab has root's id only, and a change of owner does nothing.
/// Fails with kInvalid when the lab has no such id.
Result<> confine(const ProcessSpec& spec, bool one_id);

}  // namespace kin::netns
