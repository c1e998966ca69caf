#pragma once

#include <string>
#include <string_view>

#include "kin/lab.h"
#include "kin/lab_memory.h"

namespace kin {

/// The lab as the bytes of one file: its objects, which nodes there are and its network; no keys,
/// no volumes. For whoever holds the lab's store open. Of one moment.
Result<std::string> save_lab(const LabPaths& paths);
/// The same of a lab that does not run. kConflict: it does.
Result<std::string> save_stopped_lab(const LabPaths& paths);

/// What a lab was that has been loaded.
struct LoadedLab {
    std::string from;  ///< the name it had
    size_t objects = 0;
    LabMemory memory;
};
/// Makes `bytes` the data of a lab that does not run; what it had but its keys and volumes is
/// replaced, in one step. After an Error (kInvalid: no saved lab, or a broken one) it is as it
/// was. kConflict: the lab's store is open.
Result<LoadedLab> load_lab(const LabPaths& paths, std::string_view bytes);

/// Removes a folder of a lab that does not run, with all that is in it, whichever of the lab's ids it
/// belongs to. None there is success.
Result<> remove_lab_folder(const std::string& folder);

}  // namespace kin
