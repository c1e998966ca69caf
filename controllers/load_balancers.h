#pragma once

#include <map>
#include <optional>
#include <string>

#include "core/base/ip.h"
#include "core/base/lifetime.h"
#include "core/client/client.h"
#include "core/loop/work_queue.h"

namespace kin::controllers {

/// The address that a load balancer gets out of `pool`: `wished` if there is one, else the first
/// that nobody has, network and broadcast addresses aside. nullopt: taken, foreign or none left.
/// Pure. `held` tells who has which.
std::optional<Ipv4> choose_address(const Cidr& pool, const std::map<Ipv4, ObjectKey>& held,
                                   const ObjectKey& service, std::optional<Ipv4> wished);

/// Gives Services of type LoadBalancer an address of their own: status.loadBalancer, as a cloud's
/// controller does. Those that name a loadBalancerClass are somebody else's. What ceases to be a
/// LoadBalancer loses its address.
class LoadBalancers {
public:
    LoadBalancers(Client& client, Cidr pool);

private:
    void on_service(const CacheChange<Service>& change);
    Result<> reconcile(const ObjectKey& key);
    Result<> give(const Service& service);
    void write(const Service& service, std::optional<Ipv4> address);

    Client& client_;
    const Cidr pool_;
    Cache<Service>& services_;
    std::map<Ipv4, ObjectKey> held_;         // By status, and by writes that are under way.
    std::map<ObjectKey, Revision> writing_;  // What was written and is not seen yet; 0: no answer.
    WorkQueue<ObjectKey> work_;
    Lifetime lifetime_;  // Last: callbacks end before what they touch.
};

}  // namespace kin::controllers
