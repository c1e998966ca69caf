#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/lifetime.h"
#include "core/client/service_slices.h"
#include "core/contracts/namespaces.h"
#include "core/kernel/conntrack.h"
#include "core/kernel/nodes.h"
#include "core/loop/debounce.h"
#include "proxy/connections.h"
#include "proxy/explain.h"
#include "proxy/health_checks.h"
#include "proxy/ruleset.h"
#include "proxy/service_view.h"
#include "proxy/stale_flows.h"

namespace kin::proxy {

/// kube-proxy on every node: follows Services and EndpointSlices and programs the table
/// `kube-proxy` of the nodes on which a kube-proxy pod runs. Where it stops, the rules freeze as
/// they are; where it starts again, the whole table is written and catches up.
///
/// What changed in one turn goes to each node as one transaction. After an error a node's table is
/// written again as a whole, with backoff. Lives on the client's loop; construct it there before
/// Client::start() and destroy it there.
class Proxier : public PodService {
public:
    /// All of these outlive this object; `data` serves the health check ports.
    Proxier(Client& client, Loop& data, Namespaces& namespaces,
            const std::vector<KernelNode*>& nodes, const Addresses& addresses);

    /// One more node; `node` lives until remove_node(). Its table is written once its kube-proxy
    /// pod starts.
    void add_node(KernelNode& node);
    void remove_node(const std::string& name);

    Result<> start(const Instance& instance) override;
    void stop(const ObjectKey& pod) override;

    /// What a node holds for one Service, in words and with the kernel's counters. kNotFound: no
    /// such Service or node.
    Result<std::string> explain(const ObjectKey& service, const std::string& node, Form form);

    /// What all nodes have counted since their elements were written, by Service; those without
    /// any connection are left out. Reads the sets of every node.
    Result<std::map<ObjectKey, Connections>> connections();
    /// A node's table as it is meant to be. kNotFound: no such node.
    Result<nft::Table> table(const std::string& node) const;

private:
    struct NodeState {
        KernelNode* kernel = nullptr;
        Instance instance;
        bool active = false;
        bool whole = true;                   ///< The next write is a full one.
        std::optional<Conntrack> conntrack;  ///< Once it was needed.

        /// To the log of its kube-proxy pod.
        void log(const std::string& text) const {
            if (instance.log) instance.log(text);
        }
    };

    void mark(const ObjectKey& service);
    void collect();
    std::vector<ServicePort> current_ports(const ObjectKey& service) const;
    Result<> update();
    Result<> write(NodeState& node, const RulesetChange& change);
    Result<> write_all(NodeState& node);
    Result<> serve_health_checks();
    Result<> forget_stale_flows(NodeState& node, StaleFlows::Scope scope);
    Network network_of(const NodeState& node) const;

    Cache<Service>& services_;
    ServiceSlices slices_;
    const Addresses addresses_;
    std::map<std::string, NodeState> nodes_;
    Ruleset ruleset_;
    int64_t compiled_us_ = 0;  // What the ruleset has cost since the start.
    StaleFlows stale_flows_;
    HealthChecks health_checks_;
    std::set<ObjectKey> checked_;  // Services with a health check port.
    std::set<ObjectKey> dirty_;
    Debounce work_;
    Lifetime lifetime_;  // Last: callbacks end before what they touch.
};

}  // namespace kin::proxy
