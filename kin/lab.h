#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace kin {

/// Where a lab keeps what it has: one folder that survives, one that is only there while it runs.
struct LabPaths {
    std::string name;
    std::string data;     ///< $XDG_DATA_HOME/kin/NAME; as root /var/lib/kin/NAME
    std::string runtime;  ///< $XDG_RUNTIME_DIR/kin/NAME, else $TMPDIR/kin-UID/NAME; as root /run/kin/NAME

    std::string database() const { return data + "/kin.db"; }
    std::string memory() const { return data + "/lab.json"; }  ///< lab_memory.h
    std::string kubeconfig() const { return data + "/kubeconfig"; }
    std::string log() const { return data + "/kin.log"; }
    std::string socket() const { return runtime + "/api.sock"; }
};

/// Lower case letters, digits and '-' inside, 63 at most: what labs and nodes may be called.
bool is_label(const std::string& name);

/// Finds a lab's folders without making them. A missing XDG_RUNTIME_DIR, or one that others can
/// write, is replaced by a folder of this user below the temporary directory. kInvalid: the name is
/// no DNS label. kDenied: that folder is there, and not this user's alone.
Result<LabPaths> lab_paths(const std::string& name);
/// Makes the folder in which `paths.runtime` will be. kDenied: somebody else was faster.
Result<> make_runtime_root(const LabPaths& paths);

/// Names of the labs of this user that run now, sorted.
std::vector<std::string> running_labs();

/// " --lab NAME", or "" for the lab that verbs mean by default: to be said in advice.
std::string lab_words(const std::string& name);

/// What to say of a lab that does not run: how to start it, and which ones do run.
std::string not_running(const std::string& lab);

/// A running lab as its socket shows it.
struct RunningLab {
    int pid = 0;  ///< of the lab's server, in the caller's pid namespace
};
/// kNotFound if nobody answers on the lab's socket, kDenied if whoever does is not a lab of this
/// user.
Result<RunningLab> find_running(const LabPaths& paths);

}  // namespace kin
