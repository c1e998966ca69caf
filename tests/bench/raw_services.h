#pragma once

#include "tests/bench/raw_network.h"

namespace kin::bench {

/// The least that any program can do to program a node: the elements of `services` Services with
/// two endpoints each, as kin names, keys and comments them, by hand-written messages in as few
/// sends as a socket without privileges takes. The table, its sets and chains are there before and
/// are not counted. Called once, in namespaces of its own; prints the number of elements that the
/// kernel then holds; a failure ends the process.
Cost load_raw_services(int services);

}  // namespace kin::bench
