#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "core/client/client.h"
#include "core/loop/loop.h"
#include "core/registry/registry.h"
#include "core/store/store.h"
#include "netns/init/containers.h"
#include "netns/init/launch.h"
#include "netns/network/node_links.h"
#include "netns/network/pod_networks.h"
#include "netns/pod/node_agent.h"

namespace kin::netns::test {

/// Inside a lab's server: two nodes, a node agent and an empty cluster with namespace default.
class PodLab {
public:
    explicit PodLab(ServerContext& context, NodeAgent::Options options = {});
    ~PodLab();

    /// Creates an object; "" or why not. A pod without node goes to node-1.
    std::string create(const std::string& json);
    /// A pod `name` of one container `c` with this (without braces) and, outside, `spec`.
    std::string create_pod(const std::string& name, const std::string& container,
                           const std::string& spec = R"("restartPolicy":"Never")");
    /// Adds an ephemeral container to a pod; "" or why not.
    std::string debug(const std::string& pod, const std::string& container);
    void remove_pod(const std::string& name, std::optional<int64_t> grace = {});
    /// The object as stored; null if there is none.
    Json get(std::string_view resource, const std::string& ns, const std::string& name) const;
    Json pod(const std::string& name) const { return get("pods", "default", name); }
    /// Waits until the pod is as wanted (null: gone). The pod then, or as it is after 15 s.
    Json wait(const std::string& name, const std::function<bool(const Json&)>& wanted);
    /// Waits for status.phase.
    Json wait_phase(const std::string& name, const std::string& phase);
    /// Waits until the first container's state has this reason.
    Json wait_reason(const std::string& name, const std::string& reason);
    /// What a container of one of this lab's pods wrote, without times.
    std::string log(const std::string& pod, bool previous = false,
                    const std::string& container = "");
    /// The log once `text` is in it; what there is after five seconds.
    std::string wait_log(const std::string& pod, std::string_view text);
    /// The log of a pod that is there, to be read when the pod may have gone.
    std::function<std::string()> keep_log(const std::string& pod);
    /// Runs a pod `name` of busybox to its end: its log.
    std::string run(const std::string& name, const std::string& script,
                    const std::string& container = "");
    std::string exec(const std::string& pod, std::vector<std::string> command);
    std::string attach(const std::string& pod, const std::string& input);
    /// "Reason: message" of the pod's Events that mention `part`, each on a line.
    std::string events(const std::string& pod, const std::string& part = "");
    NodeAgent& agent() { return *agent_; }
    Loop& control() { return *control_; }

private:
    std::string talk(bool attach, PodAccess::ExecRequest request, const std::string& input);

    std::unique_ptr<Store> store_;
    std::unique_ptr<Registry> registry_;
    std::unique_ptr<Loop> streams_, control_;
    std::string data_;
    std::unique_ptr<NodeLinks> links_;
    std::unique_ptr<PodNetworks> networks_;
    std::unique_ptr<Client> client_;
    std::unique_ptr<Containers> containers_;
    std::unique_ptr<NodeAgent> agent_;
    int wake_ = 0;
    std::mutex mutex_;
    std::condition_variable changed_;
    uint64_t changes_ = 0;
};

}  // namespace kin::netns::test
