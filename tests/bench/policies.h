#pragma once

#include <string>

namespace kin::bench {

/// Lets a policy allow and forbid port 8080 of `address`, in turn, and says how soon after the
/// API's answer the first connection was judged by it. From the network of a node that the policy's
/// blocks name. Prints microseconds: allowed median, p99, forbidden median, p99.
void measure_policy_changes(const std::string& socket, const std::string& address, int times);

/// What it takes to work out the tables of so many policies for so many pods, without the kernel.
/// Prints milliseconds for all and their MiB, microseconds for one policy that changes and for one
/// pod that arrives.
void measure_policy_compiling(int policies, int pods);

}  // namespace kin::bench
