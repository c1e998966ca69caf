#pragma once

namespace kin::bench {

/// Prints milliseconds for the routes of so many Ingresses with a host and a Service each, KiB of
/// the heap they take, and the median microseconds until a table follows one Ingress, one Service.
void measure_ingress_compiling(int ingresses);

}  // namespace kin::bench
