#include "core/api/defaults.h"

#include <algorithm>
#include <array>

#include "core/base/strings.h"

namespace kin {

namespace {

constexpr std::string_view kRbacGroup = "rbac.authorization.k8s.io";

Json zero_of(const Field& field) {
    switch (field.type) {
        case FieldType::kMessage:
            return Json::object();
        case FieldType::kBool:
            return false;
        case FieldType::kInt32:
        case FieldType::kInt64:
            return 0;
        case FieldType::kString:
            return "";
        default:
            return nullptr;
    }
}

void apply_static(const Message& message, Json& object) {
    for (const Field& field : message.fields) {
        if (field.inlined) {
            apply_static(*field.message, object);
            continue;
        }
        auto at = object.find(field.name);
        if (at == object.end() && !field.default_json.empty())
            at = object.emplace(field.name, Json::parse(field.default_json)).first;
        if (at == object.end() && field.always_written && field.shape == FieldShape::kOne) {
            Json zero = zero_of(field);
            if (!zero.is_null()) at = object.emplace(field.name, std::move(zero)).first;
        }
        if (at == object.end() || field.type != FieldType::kMessage) continue;
        if (field.shape == FieldShape::kOne && at->is_object()) {
            apply_static(*field.message, *at);
        } else if (field.shape != FieldShape::kOne) {
            for (Json& item : *at)
                if (item.is_object()) apply_static(*field.message, item);
        }
    }
}

void default_namespace(Json& object, const Json* old) {
    set_missing(object["status"], "phase", "Active");
    if (!old) {
        Json& finalizers = object["spec"]["finalizers"];
        if (!finalizers.is_array()) finalizers = Json::array();
        if (std::find(finalizers.begin(), finalizers.end(), "kubernetes") == finalizers.end())
            finalizers.push_back("kubernetes");
    }
    const std::string name = string_at(object, {"metadata", "name"});
    if (!name.empty()) object["metadata"]["labels"]["kubernetes.io/metadata.name"] = name;
}

void default_node(Json& node, const Json*) {
    // The first of podCIDRs and podCIDR are two names of one field.
    Json& spec = node["spec"];
    if (spec.contains("podCIDR")) set_missing(spec, "podCIDRs", Json::array({spec["podCIDR"]}));
    if (const Json& blocks = array_at(spec, {"podCIDRs"}); !blocks.empty())
        set_missing(spec, "podCIDR", blocks[0]);
    Json& status = node["status"];
    if (status.contains("capacity")) set_missing(status, "allocatable", status["capacity"]);
}

/// stringData is for writing only: it goes into data.
void default_secret(Json& secret, const Json*) {
    if (const Json* texts = find(secret, "stringData")) {
        for (const auto& [key, value] : texts->items())
            secret["data"][key] = base64_encode(value.get<std::string>());
        secret.erase("stringData");
    }
}

void default_persistent_volume(Json& volume, const Json*) {
    set_missing(volume["status"], "phase", "Pending");
}

/// Of a container: max is the default limit, that is the default request, and so is min.
void default_limit_range(Json& range, const Json*) {
    Json* limits = find(range, {"spec", "limits"});
    if (!limits) return;
    const auto fill = [](Json& item, const char* to, const char* from) {
        for (const auto& [key, value] : object_at(item, {from}).items())
            set_missing(item[to], key.c_str(), value);
    };
    for (Json& item : *limits) {
        if (string_at(item, {"type"}) != "Container") continue;
        fill(item, "default", "max");
        fill(item, "defaultRequest", "default");
        fill(item, "defaultRequest", "min");
    }
}

void default_network_policy(Json& policy, const Json*) {
    Json& spec = policy["spec"];
    if (spec.contains("policyTypes")) return;
    spec["policyTypes"] = Json::array({"Ingress"});
    if (!array_at(spec, {"egress"}).empty()) spec["policyTypes"].push_back("Egress");
}

void default_binding(Json& binding, const Json*) {
    if (string_at(binding, {"roleRef", "apiGroup"}).empty())
        binding["roleRef"]["apiGroup"] = kRbacGroup;
    if (!binding.contains("subjects")) return;
    for (Json& subject : binding["subjects"]) {
        const std::string kind = string_at(subject, {"kind"});
        if (kind == "User" || kind == "Group") set_missing(subject, "apiGroup", kRbacGroup);
    }
}

void default_autoscaler(Json& autoscaler, const Json*) {
    Json& spec = autoscaler["spec"];
    if (!spec.contains("metrics"))
        spec["metrics"] =
            Json::array({{{"type", "Resource"},
                          {"resource",
                           {{"name", "cpu"},
                            {"target", {{"type", "Utilization"}, {"averageUtilization", 80}}}}}}});
}

struct Entry {
    std::string_view message;
    Defaults apply;
};

constexpr std::array<Entry, 18> kDefaults = {{
    {"core.v1.Namespace", default_namespace},
    {"core.v1.Node", default_node},
    {"core.v1.Secret", default_secret},
    {"core.v1.PersistentVolume", default_persistent_volume},
    {"core.v1.PersistentVolumeClaim", default_persistent_volume},
    {"core.v1.LimitRange", default_limit_range},
    {"core.v1.Pod", default_pod},
    {"core.v1.PodTemplate", default_pod_template},
    {"core.v1.Service", default_service},
    {"core.v1.ReplicationController", default_replication_controller},
    {"apps.v1.Deployment", default_deployment},
    {"apps.v1.ReplicaSet", default_replica_set},
    {"apps.v1.StatefulSet", default_stateful_set},
    {"apps.v1.DaemonSet", default_daemon_set},
    {"batch.v1.Job", default_job},
    {"batch.v1.CronJob", default_cron_job},
    {"networking.v1.NetworkPolicy", default_network_policy},
    {"autoscaling.v2.HorizontalPodAutoscaler", default_autoscaler},
}};

}  // namespace

void set_missing(Json& object, const char* key, Json value) {
    if (object.is_null()) object = Json::object();
    if (!object.contains(key)) object[key] = std::move(value);
}

void set_defaults(const Kind& kind, Json& object, const Json* old) {
    const Message* message = Schema::builtin().find(kind.message);
    KIN_ASSERT(message != nullptr);
    apply_static(*message, object);
    for (const Entry& entry : kDefaults)
        if (entry.message == kind.message) entry.apply(object, old);
    if (kind.kind == "RoleBinding" || kind.kind == "ClusterRoleBinding")
        default_binding(object, old);
}

}  // namespace kin
