#pragma once

namespace kin::bench {

/// What something took, of the wall clock and of the processors.
struct Cost {
    double wall_ms = 0;
    double cpu_ms = 0;
};

/// The least that any program can do: the namespaces, bridges, cables, addresses and routes of a
/// lab of `nodes` nodes, and the pods' below, by hand-written rtnetlink messages with as few system
/// calls as they can be made with. Nothing of kin's own code is in it. Each is called once, in a
/// process in network and user namespaces of its own; a failure ends the process.
Cost lay_raw_links(int nodes);
/// `pods` pods spread over `nodes` nodes: a namespace, a veth pair, addresses and routes on both
/// sides. The nodes are not counted.
Cost attach_raw_pods(int nodes, int pods);

/// The same pods by kin's own node agent code.
Cost attach_own_pods(int nodes, int pods);

}  // namespace kin::bench
