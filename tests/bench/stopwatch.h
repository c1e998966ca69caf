#pragma once

#include <sys/resource.h>
#include <time.h>

#include "tests/bench/raw_network.h"

namespace kin::bench {

inline double monotonic_ms() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

/// Counts from its making on.
class Stopwatch {
public:
    Cost read() const { return {monotonic_ms() - wall_ms_, cpu_ms() - cpu_ms_}; }

private:
    static double cpu_ms() {
        timespec used{};
        ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
        return static_cast<double>(used.tv_sec) * 1e3 + static_cast<double>(used.tv_nsec) / 1e6;
    }
    double wall_ms_ = monotonic_ms();
    double cpu_ms_ = cpu_ms();
};

}  // namespace kin::bench
