#pragma once

#include <deque>

#include "core/base/guarded.h"
#include "core/client/client.h"
#include "core/client/informer.h"

namespace kin {

/// What a Client is made of. The answers of writes hold it too, since they may come after the
/// client's end; all but the outbox is touched on the loop's thread only.
struct Client::State {
    State(Store& store, Loop& loop)
        : informer(std::make_unique<Informer>(store, loop)), outbox(&loop) {}

    /// Nobody is to hear anything any more.
    void close() {
        closed = true;
        busy_checks.clear();
        events_due.cancel();
        send_events = {};
    }
    /// Who still has work; "" if nobody.
    std::string busy_with(const Store& store, Settled wanted) const;

    std::unique_ptr<Informer> informer;
    std::unordered_map<std::string_view, std::shared_ptr<void>> caches;  // by resource
    std::vector<MetadataObserver> metadata_observers;
    EventCorrelator events;
    /// Events that wait for a calmer moment, oldest first.
    struct QueuedEvent {
        EventCorrelator::Write write;
        std::chrono::steady_clock::time_point since;
    };
    std::deque<QueuedEvent> queued_events;
    size_t event_writes = 0;  ///< of `pending`
    Timer events_due;
    std::function<void()> send_events;  ///< empty after the client's end
    std::vector<std::pair<std::string, std::function<bool()>>> busy_checks;
    size_t pending = 0;
    bool closed = false;
    Guarded<Loop*> outbox;  // Where answers are posted; nullptr after the client's end.
};

}  // namespace kin
