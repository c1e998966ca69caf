#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/api/policy_views.h"
#include "core/base/lifetime.h"
#include "core/client/client.h"
#include "core/contracts/isolation.h"
#include "core/kernel/nodes.h"
#include "core/kernel/packet_log.h"
#include "core/loop/debounce.h"
#include "policy/drop_log.h"
#include "policy/flow_cutter.h"
#include "policy/ruleset.h"

namespace kin::policy {

/// NetworkPolicies in force: follows policies, pods and namespaces and writes the table
/// `kin-policy` of every node that has an isolated pod.
///
/// What changed in one turn goes to each node as one transaction. After an error the rules that are
/// there stay, and the node's table is written again as a whole, with backoff; until then no pod
/// that needs the change starts there. Connections that a change forbids are forgotten by
/// conntrack, so that their next packet is judged anew and dropped. Lives on the client's loop;
/// construct it there before Client::start() and destroy it there.
class Enforcer : public PodIsolation {
public:
    /// Whether connections that a new rule forbids are cut (upstream leaves it open).
    enum class Established { kCut, kKeep };

    Enforcer(Client& client, const std::vector<KernelNode*>& nodes, Established established);

    /// One more node; `node` lives until remove_node().
    void add_node(KernelNode& node);
    void remove_node(const std::string& name);

    Result<> isolate(const Pod& pod, Ipv4 address) override;

    /// What the verdicts depend on, as it is enforced.
    const World& world() const { return ruleset_.world(); }
    /// Packets of pods and hosts that were dropped, newest last.
    const DropHistory& drops() const { return drops_; }
    /// Calls `heard` with each packet of kin's own probes that is dropped from now on; an empty one
    /// ends that. There is one listener.
    void hear_probes(std::function<void(const Packet&)> heard) { heard_ = std::move(heard); }
    /// One node's table as it is meant to be: for the interpreter.
    nft::Table table(const std::string& node) const { return ruleset_.table(node); }

private:
    /// Hears of the packets that a node's table drops.
    struct DropWatch {
        explicit DropWatch(PacketLog opened) : log(std::move(opened)) {}
        PacketLog log;
        Watch watch;  // Ends before what it reads.
        Timer rested;
    };
    struct NodeState {
        KernelNode* kernel = nullptr;
        bool has_table = false;
        bool whole = false;  ///< An error came between: write all of it.
        std::unique_ptr<DropWatch> drops;
    };

    void on_pod(const CacheChange<Pod>& change);
    Result<> update();
    void cut_connections();
    Result<> write(NodeState& node, nft::Change change);
    Result<> write_whole(NodeState& node);
    void prepare(NodeState& node);
    void read_drops(const std::string& node, DropWatch& drops);
    void on_logged(const std::string& node, const LoggedPacket& logged);
    void tell(const PolicyPod& pod, const Drop& drop);

    Client& client_;
    const Established established_;
    std::map<std::string, NodeState> nodes_;
    Ruleset ruleset_;
    std::map<std::string, Ipv4> announced_;  // By uid: pods whose status has no address yet.
    std::set<std::string> cut_;              // Nodes whose connections are to be looked through.
    DropHistory drops_;
    std::function<void(const Packet&)> heard_;
    FlowCutter cutter_;
    Debounce work_;
    Lifetime lifetime_;  // Last: callbacks end before what they touch.
};

}  // namespace kin::policy
