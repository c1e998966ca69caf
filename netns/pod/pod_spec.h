#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "core/api/object_key.h"
#include "core/api/selectors.h"
#include "core/api/views.h"
#include "core/base/json.h"

namespace kin::netns {

/// Where the value of a variable or a file comes from.
struct ValueSource {
    enum class From { kLiteral, kField, kResource, kConfigMap, kSecret };
    From from = From::kLiteral;
    std::string name;     ///< ConfigMap or Secret; kResource: container, "" for the own one
    std::string key;      ///< key; kField: "metadata.name"; kResource: "limits.cpu"
    std::string literal;  ///< kLiteral
    std::string divisor;  ///< kResource: "1Mi"; "" or "0" is 1
    bool optional = false;
};

struct EnvVar {
    std::string name;
    ValueSource value;
};

/// All keys of a ConfigMap or Secret as variables.
struct EnvFrom {
    std::string prefix;
    ValueSource::From from = ValueSource::From::kConfigMap;
    std::string name;
    bool optional = false;
};

struct MountSpec {
    std::string volume;
    std::string path;
    std::string sub_path;  ///< below the volume; may hold $(VAR) when `expand`
    bool expand = false;   ///< sub_path came as subPathExpr
    bool read_only = false;
};

enum class RestartPolicy { kAlways, kOnFailure, kNever };

/// One container of a pod's spec, as the node agent reads it.
struct ContainerSpecView {
    std::string name;
    std::string image;
    std::string pull_policy;
    std::vector<std::string> command;  ///< empty: the image's entry point
    std::vector<std::string> args;     ///< empty: the image's arguments
    std::string working_dir;
    std::vector<EnvVar> env;
    std::vector<EnvFrom> env_from;
    std::vector<ContainerPort> ports;
    std::vector<std::string> host_ips;  ///< of `ports`, in their order; "": every address
    std::vector<MountSpec> mounts;
    bool stdin = false, stdin_once = false, tty = false;
    std::string termination_message_path;
    bool message_from_logs = false;  ///< terminationMessagePolicy: FallbackToLogsOnError
    Json resources = Json::object();
    Json pre_stop;    ///< lifecycle.preStop; null: none
    Json post_start;  ///< lifecycle.postStart; null: none
    Json liveness, readiness, startup;
    // The container's securityContext over the pod's.
    std::optional<uint32_t> run_as_user, run_as_group;
    bool run_as_non_root = false;
    bool read_only_root = false;
    bool privileged = false;
    std::vector<std::string> add_capabilities, drop_capabilities;
    /// An init container with restartPolicy Always: starts in order, then runs along.
    bool sidecar = false;
    /// Added to the running pod: started once, and nothing depends on it.
    bool ephemeral = false;
    std::string target;  ///< targetContainerName: whose processes it sees; "": its own only

    /// "spec.containers{web}", as Events name the part of the pod they are about.
    std::string field_path;
};

struct VolumeSpec {
    std::string name;
    std::string type;  ///< "emptyDir", "configMap", "hostPath"...; "" if there is none
    Json source;       ///< what stands under the type
};

struct HostAlias {
    std::string ip;
    std::vector<std::string> hostnames;
};

/// A pod's spec, decoded once when the node agent first sees the pod: of what matters here only
/// ephemeral containers can come afterwards.
struct PodSpec {
    ObjectKey key;
    std::string uid;
    std::string node;
    std::string service_account;
    std::string hostname;  ///< spec.hostname, else the pod's name (cut to 63 bytes)
    std::string subdomain;
    bool host_network = false;
    bool set_hostname_as_fqdn = false;
    bool enable_service_links = true;
    RestartPolicy restart = RestartPolicy::kAlways;
    int64_t grace_seconds = 30;
    std::optional<int64_t> active_deadline_seconds;
    std::string dns_policy;
    Json dns_config = Json::object();
    std::vector<HostAlias> host_aliases;
    std::vector<std::string> readiness_gates;  ///< condition types
    std::vector<VolumeSpec> volumes;
    std::vector<ContainerSpecView> init_containers;
    std::vector<ContainerSpecView> containers;
    /// A deque: what runs refers to its entry while others are added behind.
    std::deque<ContainerSpecView> ephemeral_containers;
    std::vector<uint32_t> supplemental_groups;
    std::optional<uint32_t> fs_group;
};

PodSpec decode_pod_spec(const Pod& pod);
/// Adds those ephemeral containers of `pod` that `spec` does not know; one whose name is no file
/// name is left out.
void add_ephemeral_containers(const Pod& pod, PodSpec& spec);

/// One step of a path that stays where it is: not empty, no '/', neither "." nor "..".
bool is_file_name(std::string_view name);
/// Directories and files are called after the pod's key and uid, its volumes and its containers.
/// kInvalid: one of these is no file name, which no API server would have stored.
Result<> check_names(const PodSpec& pod);

/// "web-0_shop(8f0c...)", as the kubelet names a pod in messages.
std::string pod_text(const PodSpec& pod);

}  // namespace kin::netns
