#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/base/lifetime.h"
#include "core/client/client.h"
#include "core/contracts/namespaces.h"
#include "core/kernel/nodes.h"
#include "core/loop/debounce.h"
#include "proxy/ruleset.h"

namespace kin::proxy {

/// Which addresses are what; the same for all nodes.
struct Addresses {
    Cidr pods, services, nodes;
};

/// kube-proxy on every node: follows Services and EndpointSlices and programs the table
/// `kube-proxy` of the nodes on which a kube-proxy pod runs. Where it stops, the rules freeze as
/// they are; where it starts again, the whole table is written and catches up.
///
/// What changed in one turn goes to each node as one transaction. After an error a node's table is
/// written again as a whole, with backoff. Lives on the client's loop; construct it there before
/// Client::start() and destroy it there.
class Proxier : public PodService {
public:
    /// `nodes` outlive this object.
    Proxier(Client& client, const std::vector<KernelNode*>& nodes, const Addresses& addresses);

    Result<> start(const Instance& instance) override;
    void stop(const ObjectKey& pod) override;

private:
    struct NodeState {
        KernelNode* kernel = nullptr;
        Instance instance;
        bool active = false;
        bool whole = true;  ///< The next write is a full one.
    };

    void on_slice(const CacheChange<EndpointSlice>& change);
    void collect();
    Result<> update();
    Result<> write(NodeState& node, const nft::Change& change);
    Network network_of(const NodeState& node) const;

    Cache<Service>& services_;
    Cache<EndpointSlice>& slices_;
    const Addresses addresses_;
    std::map<std::string, NodeState> nodes_;
    Ruleset ruleset_;
    std::set<ObjectKey> dirty_;
    std::map<ObjectKey, std::set<ObjectKey>> slices_of_;  // By Service.
    Debounce work_;
    Lifetime lifetime_;  // Last: callbacks end before what they touch.
};

}  // namespace kin::proxy
