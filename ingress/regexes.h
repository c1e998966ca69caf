#pragma once

#include <re2/re2.h>

#include <map>
#include <memory>
#include <string>

#include "core/base/result.h"

namespace kin::ingress {

/// Regexes compiled once for all that use them. Not case-sensitive, as ingress-nginx documents;
/// bytes, as nginx sees them.
class Regexes {
public:
    /// kInvalid: why RE2 refuses it. The memory of each is limited.
    Result<std::shared_ptr<const re2::RE2>> find(const std::string& text);

private:
    void forget_unused();

    std::map<std::string, std::weak_ptr<const re2::RE2>> known_;
    size_t sweep_at_ = 64;  // Entries.
};

}  // namespace kin::ingress
