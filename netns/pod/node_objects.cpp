#include "netns/pod/node_objects.h"

#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>

#include "core/base/strings.h"
#include "core/client/client.h"

namespace kin::netns {
namespace {

constexpr std::string_view kNodes = "nodes";
constexpr std::string_view kLeases = "leases.coordination.k8s.io";
constexpr char kRuntimePrefix[] = "kin://";
constexpr std::string_view kKubernetesVersion = "v1.35.0";

std::string first_line(const char* path) {
    std::ifstream in(path);
    std::string line;
    std::getline(in, line);
    return line;
}

/// PRETTY_NAME of /etc/os-release: "Debian GNU/Linux 12 (bookworm)".
std::string os_name() {
    std::ifstream in("/etc/os-release");
    for (std::string line; std::getline(in, line);) {
        if (!line.starts_with("PRETTY_NAME=")) continue;
        std::string name = line.substr(12);
        std::erase(name, '"');
        return name;
    }
    return "Linux";
}

std::string go_architecture(std::string_view machine) {
    if (machine == "x86_64") return "amd64";
    if (machine == "aarch64") return "arm64";
    return std::string(machine);
}

struct Condition {
    const char *type, *status, *reason, *message;
};
constexpr Condition kConditions[] = {
    {"MemoryPressure", "False", "KubeletHasSufficientMemory",
     "kubelet has sufficient memory available"},
    {"DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"},
    {"PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"},
    {"Ready", "True", "KubeletReady", "kubelet is posting ready status"},
};

Json conditions(const Json& old, WallTime now) {
    Json out = Json::array();
    for (const Condition& condition : kConditions) {
        std::string turned = rfc3339(now);
        for (const Json& before : array_at(old, {"conditions"})) {
            if (string_at(before, {"type"}) == condition.type &&
                string_at(before, {"status"}) == condition.status) {
                turned = string_at(before, {"lastTransitionTime"}, turned);
            }
        }
        out.push_back({{"type", condition.type},
                       {"status", condition.status},
                       {"reason", condition.reason},
                       {"message", condition.message},
                       {"lastHeartbeatTime", rfc3339(now)},
                       {"lastTransitionTime", turned}});
    }
    return out;
}

Json node_metadata(const NetworkShape& network, const std::string& node,
                   const NodeCapacity& capacity) {
    Json labels{{"kubernetes.io/hostname", node},
                {"kubernetes.io/os", "linux"},
                {"kubernetes.io/arch", capacity.architecture},
                {"beta.kubernetes.io/os", "linux"},
                {"beta.kubernetes.io/arch", capacity.architecture},
                {"kin.internal/cni", network.attachment->name()},
                {"kin.internal/overlay", network.overlay->name()}};
    if (node_number(node) == 1) labels["node-role.kubernetes.io/control-plane"] = "";
    return {{"name", node}, {"labels", std::move(labels)}};
}

}  // namespace

NodeCapacity node_capacity() {
    NodeCapacity out;
    out.cpus = std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN));
    struct sysinfo memory {};
    if (::sysinfo(&memory) == 0) {
        out.memory_bytes = static_cast<int64_t>(memory.totalram) * memory.mem_unit;
    }
    utsname system{};
    ::uname(&system);
    out.kernel = system.release;
    out.architecture = go_architecture(system.machine);
    out.os_image = os_name();
    out.machine_id = first_line("/etc/machine-id");
    out.boot_id = first_line("/proc/sys/kernel/random/boot_id");
    return out;
}

Json node_status(const AddressPlan& addresses, const std::string& node,
                 const NodeCapacity& capacity, const std::string& kin_version, int max_pods,
                 const Json& old, WallTime now) {
    const Json resources{
        {"cpu", cat(capacity.cpus)}, {"memory", cat(capacity.memory_bytes / 1024, "Ki")},
        {"pods", cat(max_pods)},     {"ephemeral-storage", "10Gi"},
        {"hugepages-1Gi", "0"},      {"hugepages-2Mi", "0"}};
    return {{"addresses",
             {{{"type", "InternalIP"}, {"address", addresses.node(node_number(node)).to_string()}},
              {{"type", "Hostname"}, {"address", node}}}},
            {"capacity", resources},
            {"allocatable", resources},
            {"conditions", conditions(old, now)},
            {"daemonEndpoints", {{"kubeletEndpoint", {{"Port", 10250}}}}},
            {"nodeInfo",
             {{"architecture", capacity.architecture},
              {"bootID", capacity.boot_id},
              {"containerRuntimeVersion", kRuntimePrefix + kin_version},
              {"kernelVersion", capacity.kernel},
              {"kubeProxyVersion", ""},
              {"kubeletVersion", kKubernetesVersion},
              {"machineID", capacity.machine_id},
              {"operatingSystem", "linux"},
              {"osImage", capacity.os_image},
              {"systemUUID", capacity.machine_id}}}};
}

NodeObjects::NodeObjects(Client& client, const NetworkShape& network, std::string kin_version,
                         int max_pods)
    : client_(client), network_(network), version_(std::move(kin_version)), max_pods_(max_pods) {}

void NodeObjects::apply(const std::string& node) {
    const auto stored = client_.get(kNodes, {"", node});
    if (stored) {
        // Labels that somebody removed stay removed; those that a kubelet insists on come back.
        client_.patch(
            kNodes, {"", node},
            {{"metadata", {{"labels", node_metadata(network_, node, capacity_)["labels"]}}}});
        client_.patch_status(
            kNodes, {"", node},
            node_status(network_.addresses, node, capacity_, version_, max_pods_,
                        object_at(*stored, {"status"}), std::chrono::system_clock::now()));
    } else {
        client_.create(kNodes, {{"apiVersion", "v1"},
                                {"kind", "Node"},
                                {"metadata", node_metadata(network_, node, capacity_)},
                                {"status", node_status(network_.addresses, node, capacity_,
                                                       version_, max_pods_, Json::object(),
                                                       std::chrono::system_clock::now())}});
    }
    apply_lease(node);
}

void NodeObjects::remove(const std::string& node) {
    client_.remove(kNodes, {"", node});
    client_.remove(kLeases, {"kube-node-lease", node});
}

bool NodeObjects::is_own(const Json& node) {
    return node_number(string_at(node, {"metadata", "name"})) != 0 &&
           string_at(node, {"status", "nodeInfo", "containerRuntimeVersion"})
               .starts_with(kRuntimePrefix);
}

void NodeObjects::apply_lease(const std::string& node) {
    const std::string now = rfc3339_micro(std::chrono::system_clock::now());
    const ObjectKey key{"kube-node-lease", node};
    if (client_.get(kLeases, key)) {
        client_.patch(kLeases, key, {{"spec", {{"renewTime", now}}}});
        return;
    }
    client_.create(
        kLeases,
        {{"apiVersion", "coordination.k8s.io/v1"},
         {"kind", "Lease"},
         {"metadata", {{"namespace", key.ns}, {"name", node}}},
         {"spec", {{"holderIdentity", node}, {"leaseDurationSeconds", 40}, {"renewTime", now}}}});
}

}  // namespace kin::netns
