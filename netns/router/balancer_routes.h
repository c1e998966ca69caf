#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/base/lifetime.h"
#include "core/client/service_slices.h"
#include "core/loop/debounce.h"
#include "netns/network/node_links.h"

namespace kin::netns {

/// Leads load balancers' addresses from the router to the nodes. Lives on the client's loop, which
/// is the control thread; construct it there before Client::start() and destroy it there.
class BalancerRoutes {
public:
    /// `links` outlives this object. Addresses outside of its pool are left alone: a status may be
    /// written by anybody.
    BalancerRoutes(Client& client, NodeLinks& links);

private:
    void mark(const ObjectKey& service);
    Result<> update();
    /// The addresses of one Service with the way to each.
    std::map<Ipv4, Route> wanted(const ObjectKey& service) const;

    NodeLinks& links_;
    Cache<Service>& services_;
    Cache<Node>& nodes_;
    ServiceSlices slices_;
    std::set<ObjectKey> dirty_;
    std::map<ObjectKey, std::map<Ipv4, Route>> written_;  // By Service.
    Debounce work_;
    Lifetime lifetime_;  // Last: callbacks end before what they touch.
};

}  // namespace kin::netns
