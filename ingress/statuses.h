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

/// Writes status.loadBalancer of Ingresses. Lives on the client's loop.
class Statuses {
public:
    /// `again` asks for another set(): an answer came in.
    Statuses(Client& client, std::function<void()> again)
        : client_(client), again_(std::move(again)) {}

    /// All of `ours` have `addresses`; those that were ours before have none.
    void set(const std::set<ObjectKey>& ours, const Json& addresses);
    /// As if there were none of ours, once somebody had been served.
    void clear() { set({}, Json::array()); }

private:
    void write(const Ingress& ingress, const Json& addresses);

    Client& client_;
    const std::function<void()> again_;
    std::set<ObjectKey> served_;
    std::map<ObjectKey, Revision> writing_;  // 0: no answer yet; else: until the cache shows it.
    Timer retry_;
    Lifetime lifetime_;  // Last: callbacks end before what they touch.
};

}  // namespace kin::ingress
