#pragma once

#include <deque>
#include <string_view>
#include <vector>

#include "core/store/store.h"

namespace kin {

/// The last events, oldest first. Watchers hold a revision each and share these. A plain value;
/// whoever shares one locks it.
class Ring {
public:
    /// `floor`: the revision of the state before the first event.
    Ring(size_t capacity, Revision floor) : capacity_(capacity), floor_(floor) {}

    /// The revision after which every event is here.
    Revision floor() const { return floor_; }
    /// Events come in the order of their revisions. The oldest one makes room.
    void push(StoreEvent event);
    /// Events of `resource` ("" for all) after `after`, which is not below floor(); at most
    /// `limit`. True if there were no more than that.
    bool copy_after(Revision after, std::string_view resource, size_t limit,
                    std::vector<StoreEvent>& out) const;
    /// Forgets events up to `revision`.
    void forget(Revision revision);

private:
    size_t capacity_;
    Revision floor_;
    std::deque<StoreEvent> events_;
};

}  // namespace kin
