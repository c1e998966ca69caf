#include "core/store/ring.h"

#include <algorithm>

namespace kin {

void Ring::push(StoreEvent event) {
    if (capacity_ == 0) {
        floor_ = event.revision;
        return;
    }
    if (events_.size() == capacity_) {
        floor_ = events_.front().revision;
        events_.pop_front();
    }
    events_.push_back(std::move(event));
}

bool Ring::copy_after(Revision after, std::string_view resource, size_t limit,
                      std::vector<StoreEvent>& out) const {
    const auto later = [](Revision revision, const StoreEvent& event) {
        return revision < event.revision;
    };
    for (auto at = std::upper_bound(events_.begin(), events_.end(), after, later);
         at != events_.end(); ++at) {
        if (!resource.empty() && at->object->resource != resource) continue;
        if (out.size() == limit) return false;
        out.push_back(*at);
    }
    return true;
}

void Ring::forget(Revision revision) {
    while (!events_.empty() && events_.front().revision <= revision) events_.pop_front();
    floor_ = std::max(floor_, revision);
}

}  // namespace kin
