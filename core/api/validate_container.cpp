#include <map>
#include <set>

#include "core/api/validate.h"
#include "core/base/strings.h"

namespace kin {

namespace {

const std::vector<std::string> kEnvFields = {"metadata.name",
                                             "metadata.namespace",
                                             "metadata.uid",
                                             "spec.nodeName",
                                             "spec.serviceAccountName",
                                             "status.hostIP",
                                             "status.hostIPs",
                                             "status.podIP",
                                             "status.podIPs"};

/// What the checks of one container need to know about its pod.
struct PodFacts {
    bool host_network = false;
    std::set<std::string> volumes;
    std::set<std::string> names;       ///< of the containers so far
    std::set<std::string> host_ports;  ///< "TCP/IP/80" of the containers so far
};

void validate_ports(const Json& container, PodFacts& pod, const FieldPath& path, Findings& out) {
    std::set<std::string> names;
    each(container, "ports", path, [&](const Json& port, const FieldPath& at) {
        const std::string name = string_at(port, {"name"});
        if (!name.empty()) {
            const Complaints complaints = check_port_name(name);
            out.invalid(at.child("name"), name, complaints);
            if (complaints.empty() && !names.insert(name).second)
                out.duplicate(at.child("name"), name);
        }
        const int64_t number = int_at(port, {"containerPort"});
        const int64_t host_port = int_at(port, {"hostPort"});
        if (number == 0) {
            out.required(at.child("containerPort"));
        } else {
            out.invalid(at.child("containerPort"), number, check_port_number(number));
        }
        if (host_port != 0)
            out.invalid(at.child("hostPort"), host_port, check_port_number(host_port));
        if (host_port != 0 && pod.host_network && host_port != number)
            out.invalid(at.child("containerPort"), number,
                        "must match `hostPort` when `hostNetwork` is true");
        const std::string protocol = string_at(port, {"protocol"});
        out.check_required_one_of(at.child("protocol"), protocol, kProtocols);
        const std::string taken = cat(protocol, '/', string_at(port, {"hostIP"}), '/', host_port);
        if (host_port != 0 && !pod.host_ports.insert(taken).second)
            out.duplicate(at.child("hostPort"), taken);
    });
}

void validate_key_ref(const Json& ref, const FieldPath& path, Findings& out) {
    const std::string name = string_at(ref, {"name"});
    out.invalid(path.child("name"), name, check_dns1123_subdomain(name));
    validate_required(ref, "key", check_config_key, path, out);
}

void validate_value_from(const Json& variable, const FieldPath& path, Findings& out) {
    const Json& source = object_at(variable, {"valueFrom"});
    size_t count = 0;
    for (const auto& [name, ref] : source.items()) {
        ++count;
        const FieldPath at = path.child(name);
        if (name == "fieldRef") validate_field_ref(ref, kEnvFields, at, out);
        if (name == "resourceFieldRef") validate_resource_field_ref(ref, false, at, out);
        if (name == "configMapKeyRef" || name == "secretKeyRef") validate_key_ref(ref, at, out);
    }
    if (count == 0)
        out.invalid(path, "",
                    "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, "
                    "`secretKeyRef` or `fileKeyRef`");
    if (!string_at(variable, {"value"}).empty()) {
        if (count > 0) out.invalid(path, "", "may not be specified when `value` is not empty");
    } else if (count > 1) {
        out.invalid(path, "", "may not have more than one field specified at a time");
    }
}

void validate_env(const Json& container, const FieldPath& path, Findings& out) {
    each(container, "env", path, [&](const Json& variable, const FieldPath& at) {
        const std::string name = string_at(variable, {"name"});
        if (name.empty()) {
            out.required(at.child("name"));
        } else {
            out.invalid(at.child("name"), name, check_environment_name(name));
        }
        if (variable.contains("valueFrom"))
            validate_value_from(variable, at.child("valueFrom"), out);
    });
    each(container, "envFrom", path, [&](const Json& source, const FieldPath& at) {
        const std::string prefix = string_at(source, {"prefix"});
        if (!prefix.empty())
            out.invalid(at.child("prefix"), prefix, check_environment_name(prefix));
        size_t count = 0;
        for (const char* key : {"configMapRef", "secretRef"}) {
            if (!source.contains(key)) continue;
            ++count;
            validate_required(source[key], "name", check_dns1123_subdomain, at.child(key), out);
        }
        if (count == 0) out.invalid(at, "", "must specify one of: `configMapRef` or `secretRef`");
        if (count > 1) out.invalid(at, "", "may not have more than one field specified at a time");
    });
}

bool has_parent_step(const std::string& path) {
    for (const std::string_view step : split(path, '/'))
        if (step == "..") return true;
    return false;
}

void validate_mounts(const Json& container, const PodFacts& pod, const FieldPath& path,
                     Findings& out) {
    std::set<std::string> places;
    const bool privileged = bool_at(container, {"securityContext", "privileged"});
    const FieldPath list = path.child("volumeMounts");
    each(container, "volumeMounts", path, [&](const Json& mount, const FieldPath& at) {
        const std::string name = string_at(mount, {"name"});
        if (name.empty()) {
            out.required(at.child("name"));
        } else if (!pod.volumes.count(name)) {
            out.not_found(at.child("name"), name);
        }
        const std::string place = string_at(mount, {"mountPath"});
        if (place.empty()) out.required(at.child("mountPath"));
        if (!places.insert(place).second)
            out.invalid(at.child("mountPath"), place, "must be unique");
        for (const char* key : {"subPath", "subPathExpr"}) {
            const std::string sub = string_at(mount, {key});
            if (sub.starts_with('/')) out.invalid(at.child(key), sub, "must be a relative path");
            if (has_parent_step(sub)) out.invalid(at.child(key), sub, "must not contain '..'");
        }
        if (mount.contains("subPath") && mount.contains("subPathExpr"))
            out.invalid(at.child("subPathExpr"), mount["subPathExpr"],
                        "subPathExpr and subPath are mutually exclusive");
        const std::string propagation = string_at(mount, {"mountPropagation"});
        // Upstream leaves the index out here.
        out.check_one_of(list.child("mountPropagation"), propagation,
                         {"Bidirectional", "HostToContainer", "None"});
        if (propagation == "Bidirectional" && !privileged)
            out.forbidden(list.child("mountPropagation"),
                          "Bidirectional mount propagation is available only to privileged "
                          "containers");
    });
}

void validate_http_get(const Json& action, const FieldPath& path, Findings& out) {
    if (string_at(action, {"path"}).empty()) out.required(path.child("path"));
    validate_port_or_name(action.value("port", Json(0)), path.child("port"), out);
    out.check_required_one_of(path.child("scheme"), string_at(action, {"scheme"}),
                              {"HTTP", "HTTPS"});
    for (const Json& header : array_at(action, {"httpHeaders"})) {
        const std::string name = string_at(header, {"name"});
        out.invalid(path.child("httpHeaders"), name, check_http_header_name(name));
    }
}

/// One of exec, httpGet, tcpSocket, grpc and sleep.
void validate_action(const Json& handler, const FieldPath& path, Findings& out) {
    size_t count = 0;
    for (const char* key : {"exec", "httpGet", "tcpSocket", "grpc", "sleep"}) {
        const Json* action = find(handler, key);
        if (!action) continue;
        const FieldPath at = path.child(key);
        const std::string_view name = key;
        if (++count > 1) {
            out.forbidden(at, "may not specify more than 1 handler type");
        } else if (name == "exec") {
            if (array_at(*action, {"command"}).empty()) out.required(at.child("command"));
        } else if (name == "httpGet") {
            validate_http_get(*action, at, out);
        } else if (name == "tcpSocket") {
            validate_port_or_name(action->value("port", Json(0)), at.child("port"), out);
        } else if (name == "grpc") {
            const int64_t port = int_at(*action, {"port"});
            out.invalid(at.child("port"), port, check_port_number(port));
        }
    }
    if (count == 0) out.required(path, "must specify a handler type");
}

void validate_probe(const Json& container, const char* key, const FieldPath& path, Findings& out) {
    const Json* probe = find(container, key);
    if (!probe) return;
    const FieldPath at = path.child(key);
    validate_action(*probe, at, out);
    for (const char* number : {"initialDelaySeconds", "timeoutSeconds", "periodSeconds",
                               "successThreshold", "failureThreshold"})
        out.check_not_negative(at.child(number), find(*probe, number));
    const bool ready = std::string_view(key) == "readinessProbe";
    const int64_t successes = int_at(*probe, {"successThreshold"}, 1);
    if (!ready && successes != 1) out.invalid(at.child("successThreshold"), successes, "must be 1");
    const Json* grace = find(*probe, "terminationGracePeriodSeconds");
    if (!grace) return;
    const FieldPath grace_path = at.child("terminationGracePeriodSeconds");
    if (ready) {
        out.invalid(grace_path, *grace, "must not be set for readinessProbes");
    } else if (grace->get<int64_t>() <= 0) {
        out.invalid(grace_path, *grace, "must be greater than 0");
    }
}

void validate_lifecycle(const Json& container, const FieldPath& path, Findings& out) {
    for (const char* key : {"postStart", "preStop"})
        if (const Json* handler = find(container, {"lifecycle", key}))
            validate_action(*handler, path.child("lifecycle").child(key), out);
}

void validate_image(const Json& container, const FieldPath& path, Findings& out) {
    const std::string image = string_at(container, {"image"});
    if (image.empty()) {
        out.required(path.child("image"));
    } else if (trim(image) != image) {
        out.invalid(path.child("image"), image, "must not have leading or trailing whitespace");
    }
    out.check_required_one_of(path.child("imagePullPolicy"),
                              string_at(container, {"imagePullPolicy"}),
                              {"Always", "IfNotPresent", "Never"});
    const std::string policy = string_at(container, {"terminationMessagePolicy"});
    if (policy != "File" && policy != "FallbackToLogsOnError")
        out.invalid(path.child("terminationMessagePolicy"), policy,
                    "must be 'File' or 'FallbackToLogsOnError'");
}

/// What counts for containers of all kinds.
void validate_any_container(const Json& container, PodFacts& pod, const FieldPath& path,
                            Findings& out) {
    const std::string name = string_at(container, {"name"});
    if (name.empty()) {
        out.required(path.child("name"));
    } else {
        out.invalid(path.child("name"), name, check_dns1123_label(name));
        if (!pod.names.insert(name).second) out.duplicate(path.child("name"), name);
    }
    validate_image(container, path, out);
    validate_ports(container, pod, path, out);
    validate_env(container, path, out);
    validate_mounts(container, pod, path, out);
    validate_resources(object_at(container, {"resources"}), path.child("resources"), out);
    validate_container_security(object_at(container, {"securityContext"}),
                                path.child("securityContext"), out);
}

void validate_container(const Json& container, PodFacts& pod, const FieldPath& path,
                        Findings& out) {
    validate_any_container(container, pod, path, out);
    validate_lifecycle(container, path, out);
    for (const char* probe : {"livenessProbe", "readinessProbe", "startupProbe"})
        validate_probe(container, probe, path, out);
}

/// Init containers end before the others start, unless they are sidecars.
void validate_init_container(const Json& container, const FieldPath& path, Findings& out) {
    const std::string policy = string_at(container, {"restartPolicy"});
    out.check_one_of(path.child("restartPolicy"), policy, {"Always", "Never", "OnFailure"});
    if (policy == "Always") return;
    for (const char* key : {"lifecycle", "livenessProbe", "readinessProbe", "startupProbe"})
        if (container.contains(key))
            out.forbidden(path.child(key),
                          "may not be set for init containers without restartPolicy=Always");
}

/// Nothing may depend on it: what makes others wait for a container, or counts it in, is not for
/// one that was added to look around. `targets` are the pod's other containers.
void validate_ephemeral_container(const Json& container, const std::set<std::string>& targets,
                                  const FieldPath& path, Findings& out) {
    constexpr std::string_view kNotHere = "cannot be set for an Ephemeral Container";
    const std::string target = string_at(container, {"targetContainerName"});
    if (!target.empty() && !targets.count(target))
        out.not_found(path.child("targetContainerName"), target);
    for (const char* key :
         {"ports", "resources", "resizePolicy", "restartPolicy", "restartPolicyRules",
          "livenessProbe", "readinessProbe", "startupProbe", "lifecycle"})
        if (const Json* value = find(container, key); value && !value->empty())
            out.forbidden(path.child(key), kNotHere);
    each(container, "volumeMounts", path, [&](const Json& mount, const FieldPath& at) {
        for (const char* key : {"subPath", "subPathExpr"})
            if (!string_at(mount, {key}).empty()) out.forbidden(at.child(key), kNotHere);
    });
}

}  // namespace

void validate_containers(const Json& spec, const FieldPath& path, Findings& out) {
    PodFacts pod;
    pod.host_network = bool_at(spec, {"hostNetwork"});
    for (const Json& volume : array_at(spec, {"volumes"}))
        pod.volumes.insert(string_at(volume, {"name"}));
    if (array_at(spec, {"containers"}).empty()) out.required(path.child("containers"));
    each(spec, "containers", path, [&](const Json& container, const FieldPath& at) {
        validate_container(container, pod, at, out);
    });
    // They run at other times: their host ports are free for the containers.
    pod.host_ports.clear();
    each(spec, "initContainers", path, [&](const Json& container, const FieldPath& at) {
        validate_container(container, pod, at, out);
        validate_init_container(container, at, out);
    });
    const std::set<std::string> targets = pod.names;
    each(spec, "ephemeralContainers", path, [&](const Json& container, const FieldPath& at) {
        validate_any_container(container, pod, at, out);
        validate_ephemeral_container(container, targets, at, out);
    });
}

}  // namespace kin
