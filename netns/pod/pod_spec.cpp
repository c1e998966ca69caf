#include "netns/pod/pod_spec.h"

#include <algorithm>

#include "core/base/strings.h"

namespace kin::netns {
namespace {

std::vector<std::string> strings_at(const Json& json, JsonPath path) {
    std::vector<std::string> out;
    for (const Json& item : array_at(json, path)) {
        if (item.is_string()) out.push_back(item.get<std::string>());
    }
    return out;
}

std::optional<uint32_t> id_at(const Json& json, JsonPath path) {
    const Json* id = find(json, path);
    if (!id || !id->is_number_integer()) return {};
    return static_cast<uint32_t>(id->get<int64_t>());
}

Json json_at(const Json& json, JsonPath path) {
    const Json* found = find(json, path);
    return found ? *found : Json();
}

ValueSource decode_value_source(const Json& env) {
    using From = ValueSource::From;
    const Json* from = find(env, "valueFrom");
    ValueSource out;
    if (!from) {
        out.literal = string_at(env, {"value"});
    } else if (const Json* ref = find(*from, "fieldRef")) {
        out.from = From::kField;
        out.key = string_at(*ref, {"fieldPath"});
    } else if (const Json* resource = find(*from, "resourceFieldRef")) {
        out.from = From::kResource;
        out.name = string_at(*resource, {"containerName"});
        out.key = string_at(*resource, {"resource"});
        out.divisor = string_at(*resource, {"divisor"});
    } else {
        const Json* config = find(*from, "configMapKeyRef");
        const Json& key = config ? *config : object_at(*from, {"secretKeyRef"});
        out.from = config ? From::kConfigMap : From::kSecret;
        out.name = string_at(key, {"name"});
        out.key = string_at(key, {"key"});
        out.optional = bool_at(key, {"optional"});
    }
    return out;
}

EnvFrom decode_env_from(const Json& json) {
    const Json* config = find(json, "configMapRef");
    const Json& ref = config ? *config : object_at(json, {"secretRef"});
    return {string_at(json, {"prefix"}),
            config ? ValueSource::From::kConfigMap : ValueSource::From::kSecret,
            string_at(ref, {"name"}), bool_at(ref, {"optional"})};
}

MountSpec decode_mount(const Json& json) {
    MountSpec mount{string_at(json, {"name"}), string_at(json, {"mountPath"}),
                    string_at(json, {"subPath"}), false, bool_at(json, {"readOnly"})};
    if (const std::string expr = string_at(json, {"subPathExpr"}); !expr.empty()) {
        mount.sub_path = expr;
        mount.expand = true;
    }
    if (!mount.path.starts_with('/')) mount.path = '/' + mount.path;
    return mount;
}

ContainerPort decode_port(const Json& json) {
    return {string_at(json, {"name"}), static_cast<uint16_t>(int_at(json, {"containerPort"})),
            static_cast<uint16_t>(int_at(json, {"hostPort"})),
            protocol_of(string_at(json, {"protocol"}))};
}

void decode_security(const Json& container, const Json& pod_context, ContainerSpecView& out) {
    const Json& own = object_at(container, {"securityContext"});
    out.run_as_user = id_at(own, {"runAsUser"});
    if (!out.run_as_user) out.run_as_user = id_at(pod_context, {"runAsUser"});
    out.run_as_group = id_at(own, {"runAsGroup"});
    if (!out.run_as_group) out.run_as_group = id_at(pod_context, {"runAsGroup"});
    out.run_as_non_root = bool_at(own, {"runAsNonRoot"}, bool_at(pod_context, {"runAsNonRoot"}));
    out.read_only_root = bool_at(own, {"readOnlyRootFilesystem"});
    out.privileged = bool_at(own, {"privileged"});
    out.add_capabilities = strings_at(own, {"capabilities", "add"});
    out.drop_capabilities = strings_at(own, {"capabilities", "drop"});
}

ContainerSpecView decode_container(const Json& json, const Json& pod_context,
                                   std::string_view list) {
    ContainerSpecView out;
    out.name = string_at(json, {"name"});
    out.image = string_at(json, {"image"});
    out.pull_policy = string_at(json, {"imagePullPolicy"});
    out.command = strings_at(json, {"command"});
    out.args = strings_at(json, {"args"});
    out.working_dir = string_at(json, {"workingDir"});
    for (const Json& env : array_at(json, {"env"})) {
        out.env.push_back({string_at(env, {"name"}), decode_value_source(env)});
    }
    for (const Json& from : array_at(json, {"envFrom"})) {
        out.env_from.push_back(decode_env_from(from));
    }
    for (const Json& port : array_at(json, {"ports"})) {
        out.ports.push_back(decode_port(port));
        out.host_ips.push_back(string_at(port, {"hostIP"}));
    }
    for (const Json& mount : array_at(json, {"volumeMounts"})) {
        out.mounts.push_back(decode_mount(mount));
    }
    out.stdin = bool_at(json, {"stdin"});
    out.stdin_once = bool_at(json, {"stdinOnce"});
    out.tty = bool_at(json, {"tty"});
    out.termination_message_path =
        string_at(json, {"terminationMessagePath"}, "/dev/termination-log");
    out.message_from_logs =
        string_at(json, {"terminationMessagePolicy"}) == "FallbackToLogsOnError";
    out.resources = object_at(json, {"resources"});
    out.pre_stop = json_at(json, {"lifecycle", "preStop"});
    out.post_start = json_at(json, {"lifecycle", "postStart"});
    out.liveness = json_at(json, {"livenessProbe"});
    out.readiness = json_at(json, {"readinessProbe"});
    out.startup = json_at(json, {"startupProbe"});
    decode_security(json, pod_context, out);
    out.sidecar = string_at(json, {"restartPolicy"}) == "Always";
    out.ephemeral = list == "ephemeralContainers";
    out.target = string_at(json, {"targetContainerName"});
    out.field_path = cat("spec.", list, '{', out.name, '}');
    return out;
}

VolumeSpec decode_volume(const Json& json) {
    VolumeSpec volume{string_at(json, {"name"}), "", Json::object()};
    for (const auto& [name, value] : json.items()) {
        if (name == "name") continue;
        volume.type = name;
        volume.source = value;
    }
    // Without a source a volume is an emptyDir.
    if (volume.type.empty()) volume.type = "emptyDir";
    return volume;
}

RestartPolicy restart_policy_of(std::string_view name) {
    if (name == "Never") return RestartPolicy::kNever;
    if (name == "OnFailure") return RestartPolicy::kOnFailure;
    return RestartPolicy::kAlways;
}

std::string hostname_of(const Pod& pod) {
    std::string name = pod.hostname.empty() ? pod.key().name : pod.hostname;
    // A host name has at most 63 bytes and does not end in '-' or '.'.
    if (name.size() > 63) name.resize(63);
    while (!name.empty() && (name.back() == '-' || name.back() == '.')) name.pop_back();
    return name;
}

void decode_names(const Json& spec, PodSpec& out) {
    out.dns_policy = string_at(spec, {"dnsPolicy"}, "ClusterFirst");
    out.dns_config = object_at(spec, {"dnsConfig"});
    out.set_hostname_as_fqdn = bool_at(spec, {"setHostnameAsFQDN"});
    for (const Json& alias : array_at(spec, {"hostAliases"})) {
        out.host_aliases.push_back({string_at(alias, {"ip"}), strings_at(alias, {"hostnames"})});
    }
}

}  // namespace

PodSpec decode_pod_spec(const Pod& pod) {
    const Json& spec = pod.spec();
    const Json& context = object_at(spec, {"securityContext"});
    PodSpec out;
    out.key = pod.key();
    out.uid = pod.meta.uid;
    out.node = pod.node;
    out.service_account = string_at(spec, {"serviceAccountName"}, "default");
    out.hostname = hostname_of(pod);
    out.subdomain = pod.subdomain;
    out.host_network = pod.host_network;
    out.enable_service_links = bool_at(spec, {"enableServiceLinks"}, true);
    out.restart = restart_policy_of(string_at(spec, {"restartPolicy"}));
    out.grace_seconds = int_at(spec, {"terminationGracePeriodSeconds"}, 30);
    if (const int64_t deadline = int_at(spec, {"activeDeadlineSeconds"}); deadline > 0) {
        out.active_deadline_seconds = deadline;
    }
    decode_names(spec, out);
    for (const Json& gate : array_at(spec, {"readinessGates"})) {
        out.readiness_gates.push_back(string_at(gate, {"conditionType"}));
    }
    for (const Json& volume : array_at(spec, {"volumes"})) {
        out.volumes.push_back(decode_volume(volume));
    }
    for (const Json& container : array_at(spec, {"initContainers"})) {
        out.init_containers.push_back(decode_container(container, context, "initContainers"));
    }
    for (const Json& container : array_at(spec, {"containers"})) {
        out.containers.push_back(decode_container(container, context, "containers"));
    }
    add_ephemeral_containers(pod, out);
    for (const Json& group : array_at(context, {"supplementalGroups"})) {
        if (group.is_number_integer()) out.supplemental_groups.push_back(group.get<uint32_t>());
    }
    out.fs_group = id_at(context, {"fsGroup"});
    return out;
}

void add_ephemeral_containers(const Pod& pod, PodSpec& spec) {
    const Json& context = object_at(pod.spec(), {"securityContext"});
    for (const Json& json : array_at(pod.spec(), {"ephemeralContainers"})) {
        const std::string name = string_at(json, {"name"});
        const bool known = std::ranges::any_of(
            spec.ephemeral_containers,
            [&](const ContainerSpecView& container) { return container.name == name; });
        if (known || !is_file_name(name)) continue;
        spec.ephemeral_containers.push_back(decode_container(json, context, "ephemeralContainers"));
    }
}

bool is_file_name(std::string_view name) {
    return !name.empty() && name != "." && name != ".." &&
           name.find_first_of(std::string_view("/\0", 2)) == std::string_view::npos;
}

Result<> check_names(const PodSpec& pod) {
    std::vector<std::string> names{pod.key.ns, pod.key.name, pod.uid};
    for (const VolumeSpec& volume : pod.volumes) names.push_back(volume.name);
    for (const auto* containers : {&pod.init_containers, &pod.containers}) {
        for (const ContainerSpecView& container : *containers) names.push_back(container.name);
    }
    for (const std::string& name : names) {
        if (!is_file_name(name))
            return Error(Errc::kInvalid, cat('"', name, "\" is no name for a file"));
    }
    return Ok{};
}

std::string pod_text(const PodSpec& pod) {
    return cat(pod.key.name, '_', pod.key.ns, '(', pod.uid, ')');
}

}  // namespace kin::netns
