#pragma once

#include <string>

namespace kin::bench {

/// Started inside a node (kin exec NODE): deletes `kills` pods of `service`, one after the other,
/// each replaced by its Deployment so that there are `pods`, while a client connects to `address`
/// (port 80) as fast as it can. Prints how long after the slice left a pod out the last new
/// connection reached it, in milliseconds: median, 99th percentile, worst; and the number of
/// connections. Deletes the Service in the end.
void measure_removals(const std::string& socket, const std::string& service,
                      const std::string& address, int pods, int kills);

}  // namespace kin::bench
