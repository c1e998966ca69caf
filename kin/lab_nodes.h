#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "core/client/client.h"
#include "kin/lab.h"
#include "netns/network/node_links.h"
#include "netns/pod/node_agent.h"
#include "policy/enforcer.h"
#include "proxy/proxier.h"

namespace kin {

/// Lets nodes join and leave a lab while it runs, and remembers which there are. Thread-safe, but
/// not from the control thread, which does the work; one change at a time.
class LabNodes {
public:
    struct Parts {
        Client& client;
        netns::NodeLinks& links;
        netns::NodeAgent& agent;
        proxy::Proxier& proxier;
        policy::Enforcer& enforcer;
    };
    /// All of them outlive this object.
    LabNodes(const LabPaths& paths, const Parts& parts) : paths_(paths), parts_(parts) {}

    /// Makes the node with the lowest free number and returns its name once it takes part: it is
    /// registered, its DaemonSets' pods run, its kernel knows all Services. One whose Node object was
    /// deleted, though it runs, is registered again instead, as a kubelet does that is started anew.
    /// kInvalid: there are kMostNodes.
    Result<std::string> add();
    /// Takes a node out: first of the cluster, so that Services let go of its pods and controllers
    /// replace them; then its network goes, and whatever still runs there is killed. kNotFound: no
    /// such node, kInvalid: it is node-1, where the API server is.
    Result<> remove(const std::string& name);

private:
    Result<> on_control(const std::function<Result<>()>& task);
    void settle(const std::string& what);
    /// The name of a node that runs and has no Node object, which it gets; "" if there is none.
    std::string register_again();
    Result<> remember_nodes(const std::vector<int>& numbers) const;

    const LabPaths paths_;
    const Parts parts_;
    std::mutex one_at_a_time_;
};

}  // namespace kin
