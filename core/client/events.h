#pragma once

#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "core/api/object_key.h"
#include "core/base/json.h"
#include "core/base/time.h"

namespace kin {

/// What a component has to say about an object, before it is an Event.
struct EventNote {
    std::string kind, api_version;  ///< of the object it is about
    ObjectKey key;
    std::string uid, field_path;
    std::string type;             ///< "Normal" or "Warning"
    std::string reason, message;  ///< "Scheduled", "Successfully assigned ..."
    std::string component, host;  ///< "default-scheduler", "kubelet" + node
};

/// Turns notes into Events as upstream's components do, so that `kubectl describe` shows
/// "x3 over 5m" and a failing loop does not fill the store:
///
/// - the same note again counts up the Event that is there;
/// - 10 notes of one kind within 10 minutes, which differ in their message only, become
///   one Event "(combined from similar events): ...";
/// - of one component about one object, 25 at once and then one every 5 minutes get through.
///
/// Pure but for what it remembers: about the last 4,096 notes. Not thread-safe.
class EventCorrelator {
public:
    struct Write {
        ObjectKey key;  ///< of the Event
        Json event;     ///< whole, for when it is new or has been deleted meanwhile
        Json patch;     ///< null: the Event is new; else what has changed
    };
    /// nullopt: too many; nothing is to be written.
    std::optional<Write> correlate(EventNote note, WallTime now);

private:
    struct Budget {
        double tokens = 25;
        WallTime refilled;
    };
    struct Similar {
        std::set<std::string> messages;
        WallTime last;
    };
    struct Known {
        ObjectKey key;
        int64_t count = 0;
        std::string first;  ///< firstTimestamp
    };
    /// The last entries used, by text.
    template <class T>
    class Recent {
    public:
        T& operator[](const std::string& key);

    private:
        std::list<std::pair<std::string, T>> entries_;  // Last used first.
        std::map<std::string, typename std::list<std::pair<std::string, T>>::iterator> index_;
    };

    bool allowed(const std::string& source_and_object, WallTime now);
    /// Replaces the message if too many like it came; the text by which the note is known.
    std::string aggregate(EventNote& note, const std::string& source_and_object, WallTime now);

    Recent<Budget> budgets_;
    Recent<Similar> similar_;
    Recent<Known> known_;
    int64_t last_name_ = 0;
};

}  // namespace kin
