#pragma once

namespace kin {

/// A file of this folder, as it was when kin was built.
struct VmScript {
    const char* name;
    const char* text;
};
extern const VmScript kVmScripts[3];

}  // namespace kin
