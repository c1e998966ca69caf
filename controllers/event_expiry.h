#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>

#include "core/base/lifetime.h"
#include "core/base/time.h"
#include "core/client/client.h"

namespace kin::controllers {

/// Removes Events that nobody has written for an hour, as an API server's --event-ttl has it: a lab
/// that lives for weeks would keep each one.
class EventExpiry {
public:
    explicit EventExpiry(Client& client, std::chrono::milliseconds life = std::chrono::hours(1));

    /// When an Event was last written, as far as it says so itself. Pure.
    static WallTime last_written(const Json& event);

private:
    void see(const Metadata* now, const ObjectKey& key);
    void expect(const ObjectKey& key, WallTime written);
    void remove_old();
    void wait();

    Client& client_;
    const std::chrono::milliseconds life_;
    std::map<ObjectKey, WallTime> written_;  ///< At the latest; an Event that is due is asked itself.
    std::set<std::pair<WallTime, ObjectKey>> oldest_first_;
    Timer due_;
    Lifetime lifetime_;  // Last: callbacks end before what they touch.
};

}  // namespace kin::controllers
