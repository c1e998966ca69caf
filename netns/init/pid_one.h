#pragma once

#include "netns/init/launch.h"

namespace kin::netns {

/// The life of a lab's PID 1, in the process that has just been cloned for it: takes on the lab's
/// ids, forks the server, builds the template root, then reaps, and clones containers for the
/// server, until the server ends; exits with its code. `launcher` is the socket to the launcher:
/// the IdMap comes first on it, and its end is the end of the lab.
[[noreturn]] void run_pid_one(UniqueFd launcher, const LaunchOptions& options,
                              const std::function<int(ServerContext&)>& server);

}  // namespace kin::netns
