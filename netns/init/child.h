#pragma once

#include "netns/init/launch.h"
#include "netns/init/template_root.h"

namespace kin::netns {

/// What a clone inherits from PID 1.
struct CloneOrigin {
    const TemplateRoot& root;
    RunPersonality run_personality;
    bool one_id;  ///< The lab has no id but root's.
};

/// The clone that becomes pid 1 of a container: joins the pod's namespaces, builds its root, gives
/// up its privileges and runs its program. `fds` as RequestFd says.
[[noreturn]] void become_container(std::vector<UniqueFd> fds, const CloneOrigin& origin);

/// The clone that was born in a running container's namespaces and runs one more program there.
[[noreturn]] void become_exec(std::vector<UniqueFd> fds, const CloneOrigin& origin);

}  // namespace kin::netns
