#pragma once

#include <map>
#include <optional>
#include <string>

#include "core/base/ip.h"
#include "core/base/lifetime.h"
#include "core/client/client.h"
#include "core/loop/debounce.h"

namespace kin::controllers {

/// The subnet that node `name` gets out of `pool`, in blocks of /24: block N for "node-N" if it is
/// free, else the first free one after block 0. nullopt: none is left. Pure. `taken` are the
/// other nodes' subnets.
std::optional<Cidr> choose_subnet(const std::string& name, const Cidr& pool,
                                  const std::vector<Cidr>& taken);

/// Gives every node its pods' addresses: spec.podCIDR.
class NodeSubnets {
public:
    NodeSubnets(Client& client, Cidr pool);

private:
    Result<> assign();

    Client& client_;
    const Cidr pool_;
    Cache<Node>& nodes_;
    std::map<std::string, Cidr> assumed_;  // Being written.
    Debounce work_;
    Lifetime lifetime_;  // Last: callbacks end before what they touch.
};

}  // namespace kin::controllers
