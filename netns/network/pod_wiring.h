#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "core/base/result.h"
#include "core/kernel/netns.h"
#include "core/kernel/rtnl.h"
#include "core/loop/loop.h"
#include "netns/network/plan.h"

namespace kin::netns {

/// Makes a pod's namespace as planned and joins it to its node, of which `node` is the namespace
/// and `node_links` its links. On a thread that may enter namespaces. About 1.3 ms.
Result<Netns> wire_pod(const Netns& node, Rtnl& node_links, const PodPlan& plan);

/// Makes pods' namespaces on a thread of its own, beside the control thread: the kernel takes most
/// of the time that the start of a pod takes. Owned by the control thread.
class PodWiring {
public:
    using Done = std::function<void(Result<Netns>)>;

    /// `control` runs what is to be told, and outlives this object.
    explicit PodWiring(Loop& control) : control_(control) {}

    /// Pods are made in the order in which they were asked for. `done` is called on the control
    /// thread, even after the end of this object.
    void wire(const std::string& node_name, const Netns& node, PodPlan plan, Done done);
    /// Lets go of a node that leaves, behind what was asked for before: else its namespace stays.
    void forget(const std::string& node_name);

private:
    /// The links of a node, as this thread sees them.
    struct NodeEnd {
        uint64_t id = 0;  ///< of its namespace: a name may come again
        Rtnl links;
    };

    Result<Netns> wire_here(const std::string& node_name, const Netns& node, const PodPlan& plan);

    Loop& control_;
    bool is_home_ = false;  // The rest is used on the thread itself.
    std::map<std::string, NodeEnd> nodes_;
    Loop thread_{"kin-wiring"};  // Last: its tasks use the others.
};

}  // namespace kin::netns
