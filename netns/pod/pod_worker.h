#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/api/views.h"
#include "netns/init/containers.h"
#include "netns/pod/agent_context.h"
#include "netns/pod/container_run.h"
#include "netns/pod/pod_directory.h"
#include "netns/pod/pod_spec.h"

namespace kin::netns {

/// One pod on a node, from its binding to its removal: network, volumes, containers, status.
///
/// sync() looks at what is and takes the next steps; it is called whenever something about the pod
/// may have changed. Owned by the node agent, on the control thread.
class PodWorker {
public:
    PodWorker(AgentContext& agent, const Pod& pod);
    ~PodWorker();  ///< Kills what runs and gives the network back.
    PodWorker(const PodWorker&) = delete;
    PodWorker& operator=(const PodWorker&) = delete;

    /// The object's newest version; ephemeral containers that came with it are started by sync().
    void update(const Pod& pod);
    /// Never fails for good: what cannot be done yet stands in the pod's status and Events, and is
    /// tried again.
    Result<> sync();
    /// The object is gone from the API: removes its files.
    void forget();

    const PodSpec& spec() const { return spec_; }
    /// It waits for a ConfigMap or Secret of its namespace.
    bool waits_for_config() const;
    /// An object changed that volumes may show. True if this pod's do: they follow with sync().
    bool note_changed(const ConfigObject& object);
    /// Work is on its way whose end will change the status.
    bool busy() const;
    /// The descriptor of its network namespace; -1 while it has none.
    int network_fd() const { return network_fd_; }
    /// By name; with an empty name the only one. nullptr if there is none.
    ContainerRun* find_container(const std::string& name) const;
    std::vector<std::string> container_names() const;

private:
    using Runs = std::vector<std::unique_ptr<ContainerRun>>;

    void add_ephemeral_runs();
    void restore(const Pod& pod);
    void clear_runs();
    std::string first_reason() const;
    bool any_run(bool (ContainerRun::*is)() const) const;
    bool is_attached();
    Result<> prepare();
    Result<> prepare_network();
    Result<> prepare_volumes();
    Result<> prepare_volume(const VolumeSpec& volume);
    void refresh_volumes();
    bool is_drained();
    bool served_inside() const;
    void fail_to_prepare(const std::string& reason, const std::string& message);
    void run_containers();
    void run_ephemeral_containers();
    bool run_init_containers();
    void start(ContainerRun& run);
    bool should_run(const ContainerRun& run) const;
    void check_deadline();
    bool all_done() const;
    /// Ends containers, then sidecars. True once nothing lives any more.
    bool stop_all(std::chrono::seconds grace);
    void release();
    void finish_deletion();
    void publish();
    PodReport report() const;
    PodEnvironment environment() const;
    DownwardView downward() const;

    AgentContext& agent_;
    Pod pod_;
    PodSpec spec_;
    const PodDirectory directory_;
    Runs init_runs_, runs_, ephemeral_runs_;
    WallTime start_time_;
    Ipv4 host_ip_;
    std::optional<Ipv4> pod_ip_;
    int network_fd_ = -1;
    std::optional<Sandbox> sandbox_;
    bool volumes_ready_ = false;
    bool volumes_wait_ = false;            // For a ConfigMap, Secret or claim.
    std::set<std::string> stale_volumes_;  // Their objects have changed.
    std::optional<std::chrono::steady_clock::time_point> drain_by_, drained_at_;
    std::string prepare_problem_;  // Told once in an Event.
    std::string failed_reason_, failed_message_;
    const bool was_finished_;        // By an earlier run of kin: its status stays as it is.
    bool finished_ = false;          // Succeeded or Failed: nothing is started any more.
    bool attaching_ = false;         // Its namespace is being made.
    bool writing_ = false;           // A status write is not answered yet.
    uint64_t written_revision_ = 0;  // Until the cache shows it, the difference is not known.
    Json ineffective_;               // The last status patch that changed nothing.
    bool removing_ = false;          // The final delete is on its way.
    std::optional<std::chrono::steady_clock::time_point> settle_by_;
    const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace kin::netns
