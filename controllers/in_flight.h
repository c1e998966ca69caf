#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <string>

#include "core/api/object_key.h"
#include "core/client/client.h"
#include "core/loop/work_queue.h"

namespace kin::controllers {

/// Which keys of a queue wait for writes of their own: begun and not answered, or answered and not
/// yet seen in the caches. A controller that works on a key only once it has settled never acts
/// twice on the same lack, however slow the writes are.
class InFlight {
public:
    explicit InFlight(WorkQueue<ObjectKey>& queue) : queue_(queue) {}

    void begin(const ObjectKey& key) { ++entries_[key].unanswered; }
    /// Brings the key back to the queue: at once, or after a while if the write was refused (but
    /// for a conflict or a missing object, which the caches explain soon).
    void end(const ObjectKey& key, const Answer<Written>& answer) {
        Entry& entry = entries_[key];
        --entry.unanswered;
        if (answer) entry.wait_for = std::max(entry.wait_for, answer->revision);
        const int code = answer ? 200 : answer.error().code;
        if (code == 200 || code == 404 || code == 409) {
            queue_.add(key);
        } else {
            queue_.add_after(key, std::chrono::seconds(1));
        }
    }
    /// All writes of `key` are answered and the caches, at revision `seen`, show them.
    bool settled(const ObjectKey& key, Revision seen) {
        const auto found = entries_.find(key);
        if (found == entries_.end()) return true;
        if (found->second.unanswered > 0 || found->second.wait_for > seen) return false;
        entries_.erase(found);
        return true;
    }

private:
    struct Entry {
        int unanswered = 0;
        Revision wait_for = 0;
    };
    WorkQueue<ObjectKey>& queue_;
    std::map<ObjectKey, Entry> entries_;
};

}  // namespace kin::controllers
