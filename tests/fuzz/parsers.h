#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kin::test {

/// Something of kin that reads what strangers send.
struct Parser {
    const char* name;
    /// Takes any bytes; stops the process if the parser breaks a promise of its own.
    void (*read)(std::string_view bytes);
    std::vector<std::string> seeds;  ///< Inputs that are right, to begin from.
};

const std::vector<Parser>& parsers();
/// The ingress proxy's, which are among them.
std::vector<Parser> ingress_parsers();

}  // namespace kin::test
