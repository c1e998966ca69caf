#pragma once

#include <string>
#include <vector>

namespace kin::bench {

/// What a small transaction costs along several ways, each beside pods on plain bridges.
///
/// `servers`: processes in whose namespaces servers are started. `ways`: each
/// "NAME:same:PID:ADDRESS" or "NAME:across:PID:ADDRESS", from the namespace of process PID to a
/// server on the same node or on another. `turns` times all of them in turn. Prints a line for
/// every way and kind: NAME, same or across, rr or crr; microseconds, those of the reference, and
/// the ratio of both within a turn: median, lowest, highest. A failure ends the process.
void measure_data_path(int turns, const std::vector<std::string>& servers,
                       const std::vector<std::string>& ways);

}  // namespace kin::bench
