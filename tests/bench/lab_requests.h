#pragma once

#include <string>

namespace kin::bench {

/// Measurements of a running lab, through its unix socket. Each prints one line of numbers; a
/// failure ends the process.

/// Waits for a lab that is starting: returns as soon as its socket answers and `nodes` nodes are
/// Ready. What else it starts by then goes on.
void await_nodes(const std::string& socket, int nodes);
/// Creates Deployment `name` of `pods` nginx pods: milliseconds until all are Ready.
void deploy(const std::string& socket, const std::string& name, int pods);
/// Milliseconds from now until all of `pods` pods of Deployment `name` are Ready after their
/// containers' restart number `restarts`.
void await_restart(const std::string& socket, const std::string& name, int pods, int restarts);
/// Deletes Deployment `name`: milliseconds until its last pod has gone.
void remove(const std::string& socket, const std::string& name);
/// Started inside a node (kin exec NODE): changes one endpoint of Service `service` `times` times.
/// Prints medians and 99th percentiles, in microseconds: request to answer, and answer to the
/// rules' commit in this node's kernel, 0 where that came first.
void change_endpoints(const std::string& socket, const std::string& service, int times);

}  // namespace kin::bench
