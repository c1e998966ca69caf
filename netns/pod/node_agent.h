#pragma once

#include <map>
#include <memory>
#include <string>

#include "core/api/workload_views.h"
#include "core/client/client.h"
#include "core/contracts/namespaces.h"
#include "core/contracts/pod_access.h"
#include "core/loop/work_queue.h"
#include "netns/init/containers.h"
#include "netns/network/pod_networks.h"
#include "netns/pod/agent_context.h"
#include "netns/pod/container_logs.h"
#include "netns/pod/host_ports.h"
#include "netns/pod/node_objects.h"
#include "netns/pod/outside_hosts.h"
#include "netns/pod/pod_worker.h"

namespace kin::netns {

/// The kubelet of every node of the lab: runs the pods that are bound to its nodes, keeps their
/// status and their nodes' objects, and lets others reach into pods.
///
/// Lives on the client's loop, kin-control, except where a contract says thread-safe. Construct it
/// before Client::start() and destroy it before what it was given; its destructor may be called
/// from any other thread.
class NodeAgent final : public PodAccess, public Namespaces {
public:
    struct Options {
        PodStorage storage;   ///< logs/ are below its `data`, too
        std::string version;  ///< of kin, for containerRuntimeVersion
        std::string cluster_domain = "cluster.local";
        TokenSource tokens;  ///< makes service accounts' tokens
        /// Components of kin by the name of the image that stands for them, without tag:
        /// "registry.k8s.io/kube-proxy".
        std::map<std::string, PodService*, std::less<>> services;
        int max_pods_per_node = 250;
        PodIsolation* isolation = nullptr;  ///< asked before a pod's first process
    };

    /// `streams` is the loop on which containers' output is read. All references outlive this
    /// object. Call on the loop's thread.
    NodeAgent(Client& client, Loop& streams, Containers& containers, NodeLinks& links,
              PodNetworks& networks, Options options);
    ~NodeAgent() override;

    /// Creates the nodes' objects and leases, or refreshes what an earlier run left; those of nodes
    /// that the lab does not have any more are removed. Once, after Client::start(); on the loop's
    /// thread.
    void register_nodes();
    /// Removes what pods that are no longer stored have left on disk. Once, after Client::start(); on
    /// the loop's thread.
    void remove_leftovers();
    /// One node that was added to the links; on the loop's thread.
    void register_node(const std::string& name);
    /// Takes a node out of the cluster, so that its pods are taken away and replaced. It works on
    /// until remove_node(). On the loop's thread.
    void unregister_node(const std::string& name);
    /// Ends whatever still runs on a node, at once: it is about to leave the links. On the loop's
    /// thread.
    void remove_node(const std::string& name);
    /// Starts what outside hosts run. Once; on the loop's thread.
    Result<> start_outside_hosts();
    /// One more component; before Client::start().
    void add_service(const std::string& image, PodService& service);

    // PodAccess: thread-safe.
    void exec(ExecRequest request, Started started, Exited exited) override;
    void attach(ExecRequest request, Started started, Exited exited) override;
    void connect(const ObjectKey& pod, uint16_t port,
                 std::function<void(Answer<UniqueFd>)> connected) override;
    void find_log(LogRequest request, std::function<void(Answer<LogFile>)> found) override;
    std::shared_ptr<void> follow_log(const std::string& path,
                                     std::function<void(bool running)> changed) override;

    // Namespaces: on the control thread.
    Result<UniqueFd> open_in_pod(const ObjectKey& pod, SocketType type, Ipv4 address,
                                 uint16_t port) override;
    Result<UniqueFd> open_in_node(const std::string& node, SocketType type, Ipv4 address,
                                  uint16_t port) override;

private:
    /// A connection into a pod that is not there yet.
    struct Connecting {
        UniqueFd socket;
        Watch watch;
        std::function<void(Answer<UniqueFd>)> connected;
    };

    void on_pod(const CacheChange<Pod>& change);
    void adopt(const Pod& pod);
    void drop(const Pod& pod);
    /// An object that volumes and environments are made of has changed.
    void on_config(const std::string& ns, const ConfigObject& object);
    void on_volume(const CacheChange<PersistentVolume>& change);
    NodeObjects node_objects();
    AgentContext make_context(Containers& containers, NodeLinks& links, PodNetworks& networks);
    PodWorker* find_worker(const ObjectKey& pod);
    /// The container meant, or why there is none.
    Answer<ContainerRun*> find_container(const ObjectKey& pod, const std::string& name);
    void exec_here(const ExecRequest& request, const Started& started, const Exited& exited);
    void exec_in_host(const ExecRequest& request, const Started& started, const Exited& exited);
    using Start = std::function<Result<ProcessId>(const ProcessSpec&, Containers::OnEvent)>;
    /// Starts a process with the streams that were asked for.
    void run_command(const ExecRequest& request, ProcessSpec process, const Started& started,
                     const Exited& exited, const Start& start);
    /// Kills the process when it is let go; on any thread.
    std::shared_ptr<void> lease_of(ProcessId process);
    void attach_here(const ExecRequest& request, const Started& started, Exited exited);
    void connect_here(const ObjectKey& pod, uint16_t port,
                      const std::function<void(Answer<UniqueFd>)>& connected);
    Answer<LogFile> find_log_here(const LogRequest& request);

    Client& client_;
    Options options_;
    Loop& loop_;
    std::unique_ptr<ContainerLogs> logs_;
    HostPorts host_ports_;
    AgentContext context_;
    std::unique_ptr<OutsideHosts> outside_hosts_;
    std::map<std::string, std::unique_ptr<PodWorker>> workers_;  // By uid.
    std::map<ObjectKey, std::string> uids_;
    std::unique_ptr<WorkQueue<std::string>> queue_;
    Watch containers_watch_;
    std::map<int, std::unique_ptr<Connecting>> connecting_;  // By descriptor.
    const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace kin::netns
