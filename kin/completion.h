#pragma once

#include <string>
#include <vector>

namespace kin {

/// What stands behind a word of the command line, so that a shell can offer it: "" for anything,
/// "file", "a,b" for one of several words, or what list_names() knows: "lab", "host", "node",
/// "pod", "service", "namespace".
using Offer = std::string;

struct OptionWords {
    std::vector<std::string> names;  ///< "-n", "--namespace"
    bool takes_value = false;
    Offer value;
    std::string about;
};

/// One verb as the shells' scripts need it: a plain copy of what the command line's parser holds.
struct VerbWords {
    std::string name;  ///< "" is kin itself
    std::string about;
    std::vector<OptionWords> options;
    std::vector<Offer> places;  ///< what belongs where words without a dash stand
    std::vector<VerbWords> verbs;
};

/// The completion script for "bash", "zsh" or "fish".
std::string completion_script(const std::string& shell, const VerbWords& kin);

/// `kin __complete`: prints names, a line each; nothing if the lab does not answer in 200 ms, since
/// somebody waits with a finger on the Tab key.
int list_names(const std::string& lab, const Offer& what);

}  // namespace kin
