#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/base/lifetime.h"
#include "core/client/client.h"
#include "ingress/compile.h"

namespace kin::ingress {

/// Where clients reach the controller's Service, as upstream publishes it: the load balancer's
/// addresses, or the Service's own. Pure.
Json published_addresses(const Service* service);

/// Writes status.loadBalancer of Ingresses: those that are ours have the addresses, those that were
/// have none. Looks only at those that may need it. Lives on the client's loop.
class Statuses {
public:
    /// `again` asks for another write(): an answer came in.
    Statuses(Client& client, std::function<void()> again)
        : client_(client), again_(std::move(again)) {}

    void set_addresses(Json addresses);
    void set_ours(const ObjectKey& ingress, bool ours);
    /// From now on none is, until set_ours().
    void clear();
    /// Somebody has changed it.
    void look_at(const ObjectKey& ingress) { stale_.insert(ingress); }
    /// Writes what is not as it should be.
    void write();

private:
    /// False: to be looked at again, without being asked.
    bool write(const ObjectKey& key);
    void patch(const Ingress& ingress, const Json& addresses);

    Client& client_;
    const std::function<void()> again_;
    Json addresses_ = Json::array();
    std::set<ObjectKey> ours_, stale_;
    std::set<ObjectKey>
        leaving_;  // Were ours, and still show our addresses. Others are not touched.
    std::map<ObjectKey, Revision> writing_;  // 0: no answer yet; else: until the cache shows it.
    Timer retry_;
    Lifetime lifetime_;  // Last: callbacks end before what they touch.
};

}  // namespace kin::ingress
