#pragma once

#include <memory>
#include <mutex>

#include "core/base/json.h"

namespace kin {

/// The parsed form of an object's body, as long as somebody else keeps it: text and JSON of all
/// that is stored would take several times the memory. Thread-safe.
class ParsedBody {
public:
    ParsedBody() = default;
    /// A copy of an object gets another body.
    ParsedBody(const ParsedBody&) {}
    ParsedBody& operator=(const ParsedBody&) = delete;

    /// nullptr if nobody keeps it.
    std::shared_ptr<const Json> get() const {
        const std::lock_guard lock(mutex_);
        return json_.lock();
    }
    /// `json` says what the body says.
    void set(const std::shared_ptr<const Json>& json) const {
        const std::lock_guard lock(mutex_);
        json_ = json;
    }

private:
    mutable std::mutex mutex_;
    mutable std::weak_ptr<const Json> json_;
};

}  // namespace kin
