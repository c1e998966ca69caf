#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "core/api/object_key.h"
#include "core/base/ip.h"
#include "core/contracts/isolation.h"
#include "core/contracts/namespaces.h"
#include "netns/pod/config_source.h"
#include "netns/pod/environment.h"
#include "netns/pod/pod_files.h"
#include "netns/pod/pod_directory.h"

namespace kin {
class Client;
class Loop;
}  // namespace kin

namespace kin::netns {

class Containers;
class ContainerLogs;
class HostPorts;
class NodeLinks;
class PodNetworks;

/// Whether Services send a pod new connections: none of them knows it, they let go of it, they do.
enum class Offer { kNone, kEnding, kOffered };

/// What the workers of all pods share: the doors to the cluster, the kernel and each other.
/// Owned by the node agent, on the control thread.
struct AgentContext {
    Client& client;
    Loop& loop;
    Containers& containers;
    ContainerLogs& logs;
    NodeLinks& links;
    PodNetworks& networks;
    HostPorts& host_ports;
    PodStorage storage;
    DnsPlan dns;
    TokenSource tokens;
    ConfigSource config;
    PodIsolation* isolation = nullptr;  ///< nullptr: nobody isolates pods
    int64_t node_cpu_milli = 0;
    int64_t node_memory_bytes = 0;

    /// The component of kin that an image's name stands for, or nullptr.
    std::function<PodService*(std::string_view image)> find_service{};
    /// The variables of all Services that a pod of this namespace sees.
    std::function<Environment(const std::string& ns, bool service_links)> service_environment{};
    std::function<Offer(const ObjectKey& pod)> offer_of{};
    /// Lets the pod's worker look at its pod again: now, or then.
    std::function<void(const std::string& pod_uid)> wake{};
    std::function<void(const std::string& pod_uid, std::chrono::milliseconds)> wake_after{};
};

}  // namespace kin::netns
