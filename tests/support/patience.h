#pragma once

#include <chrono>
#include <cstdlib>

namespace kin::test {

/// `deadline`, times KIN_SLOW where the environment says how many times slower than others this
/// machine is, as an emulated one. For how long a test waits at most for what must come; never for
/// what must not come. Any thread.
inline std::chrono::milliseconds patience(std::chrono::milliseconds deadline) {
    const char* slow = std::getenv("KIN_SLOW");
    const int times = slow ? std::atoi(slow) : 1;
    return deadline * (times > 1 ? times : 1);
}
inline int patience_ms(int deadline_ms) {
    return static_cast<int>(patience(std::chrono::milliseconds(deadline_ms)).count());
}

}  // namespace kin::test
