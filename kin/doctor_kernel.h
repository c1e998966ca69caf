#pragma once

#include <functional>
#include <string>
#include <vector>

namespace kin {

/// Whether kin can run without something.
enum class Need { kRequired, kUseful };

/// A part of the kernel that kin uses and that may be a module.
struct KernelPart {
    std::string what;
    Need need;
    std::vector<std::string> modules;  ///< As modprobe names them; none: only another kernel helps.
    std::string cost;                  ///< What does not work without it.
    /// Makes what kin makes with it, in the namespaces that the calling process is in. Call it in
    /// a child that has namespaces of its own. The kernel loads modules itself when they are used,
    /// also for an ordinary user, unless its administrator forbade that.
    std::function<bool()> works;
};

/// All of them, in the order in which they build on each other.
std::vector<KernelPart> kernel_parts();

}  // namespace kin
