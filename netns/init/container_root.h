#pragma once

#include "netns/init/containers.h"
#include "netns/init/template_root.h"

namespace kin::netns {

/// Builds a container's root file system and makes it the root of the calling process, which is a
/// clone of PID 1 with mount and pid namespaces of its own. `trees` are the detached mounts of
/// spec.mounts, in their order.
///
/// The root is an empty tmpfs, writable unless the spec says otherwise, with the host's /usr
/// read-only in it. Nothing of the host is writable, and only /usr and a few public files of /etc
/// are there to be read.
Result<> enter_container_root(const ContainerSpec& spec, const std::vector<UniqueFd>& trees,
                              const TemplateRoot& base);

}  // namespace kin::netns
