#include "core/registry/admission.h"

#include <algorithm>

#include "core/base/strings.h"
#include "core/registry/metadata.h"

namespace kin {

namespace {
constexpr std::string_view kTokenPath = "/var/run/secrets/kubernetes.io/serviceaccount";

Json token_volume(const std::string& name) {
    const Json ca = {{"name", "kube-root-ca.crt"},
                     {"items", {{{"key", "ca.crt"}, {"path", "ca.crt"}}}}};
    const Json ns = {
        {"items",
         {{{"path", "namespace"},
           {"fieldRef", {{"apiVersion", "v1"}, {"fieldPath", "metadata.namespace"}}}}}}};
    return {{"name", name},
            {"projected",
             {{"defaultMode", 420},
              {"sources",
               {{{"serviceAccountToken", {{"expirationSeconds", 3607}, {"path", "token"}}}},
                {{"configMap", ca}},
                {{"downwardAPI", ns}}}}}}};
}

void mount_in(Json& containers, const std::string& volume) {
    for (Json& container : containers) {
        Json& mounts = container["volumeMounts"];
        if (!mounts.is_array()) mounts = Json::array();
        bool taken = false;
        for (const Json& mount : mounts) {
            taken = taken || string_at(mount, {"mountPath"}) == kTokenPath;
        }
        if (taken) continue;
        mounts.push_back({{"name", volume}, {"mountPath", kTokenPath}, {"readOnly", true}});
    }
}
/// Pods stay five minutes on nodes that are gone, unless they say something else.
void tolerate_lost_nodes(Json& spec) {
    for (const char* taint : {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"}) {
        const Json& present = array_at(spec, {"tolerations"});
        const bool covered = std::any_of(present.begin(), present.end(), [&](const Json& one) {
            const std::string name = string_at(one, {"key"});
            const std::string effect = string_at(one, {"effect"});
            return (name == taint || name.empty()) && (effect == "NoExecute" || effect.empty());
        });
        if (covered) continue;
        spec["tolerations"].push_back({{"key", taint},
                                       {"operator", "Exists"},
                                       {"effect", "NoExecute"},
                                       {"tolerationSeconds", 300}});
    }
}

/// nullptr if there is none.
std::shared_ptr<const Json> read(const StoredPtr& stored) {
    return stored ? json_of(*stored) : nullptr;
}

/// The stored PriorityClass that a Pod means; nullptr: none, and then its priority is 0.
std::shared_ptr<const Json> priority_class(const std::string& name, const StoreTransaction& store) {
    const std::string resource = "priorityclasses.scheduling.k8s.io";
    if (!name.empty()) return read(store.find(resource, {"", name}));
    std::shared_ptr<const Json> chosen;
    for (const StoredPtr& stored : store.list(resource, "")) {
        auto one = read(stored);
        if (!bool_at(*one, {"globalDefault"})) continue;
        if (!chosen || int_at(*one, {"value"}) < int_at(*chosen, {"value"}))
            chosen = std::move(one);
    }
    return chosen;
}

Answer<Ok> set_priority(const Kind& kind, const ObjectKey& key, Json& spec,
                        const StoreTransaction& store) {
    const std::string name = string_at(spec, {"priorityClassName"});
    Json found = {{"value", 0}};
    if (name == "system-cluster-critical") {
        found["value"] = 2'000'000'000;
    } else if (name == "system-node-critical") {
        found["value"] = 2'000'001'000;
    } else if (auto stored = priority_class(name, store)) {
        found = *stored;
        spec["priorityClassName"] = string_at(found, {"metadata", "name"});
    } else if (!name.empty()) {
        return forbidden(kind, key.name, cat("no PriorityClass with name ", name, " was found"));
    }
    const int64_t value = int_at(found, {"value"});
    const std::string policy = string_at(found, {"preemptionPolicy"}, "PreemptLowerPriority");
    if (int_at(spec, {"priority"}, value) != value) {
        return forbidden(kind, key.name,
                         cat("the integer value of priority (", int_at(spec, {"priority"}),
                             ") must not be provided in pod spec; priority admission controller "
                             "computed ",
                             value, " from the given PriorityClass name"));
    }
    if (string_at(spec, {"preemptionPolicy"}, policy) != policy) {
        return forbidden(
            kind, key.name,
            cat("the string value of PreemptionPolicy (", string_at(spec, {"preemptionPolicy"}),
                ") must not be provided in pod spec; priority admission controller "
                "computed ",
                policy, " from the given PriorityClass name"));
    }
    spec["priority"] = value;
    spec["preemptionPolicy"] = policy;
    return Ok{};
}

/// spec.FIELD = the newest class that is marked as the default.
void set_default_class(Json& object, const char* field, std::string_view resource,
                       std::string_view annotation, const StoreTransaction& store) {
    std::string chosen, since;
    for (const StoredPtr& stored : store.list(resource, "")) {
        const auto one = read(stored);
        if (string_at(*one, {"metadata", "annotations", annotation}) != "true") continue;
        const std::string made = string_at(*one, {"metadata", "creationTimestamp"});
        if (chosen.empty() || made > since) {
            chosen = stored->key.name;
            since = made;
        }
    }
    if (!chosen.empty()) object["spec"][field] = chosen;
}
}  // namespace

Answer<Ok> admit_create(const Kind& kind, const ObjectKey& key, const Json& object,
                        const StoreTransaction& store) {
    if (!kind.namespaced) return Ok{};
    const Kind& namespaces = *find_resource("namespaces");
    const StoredPtr stored = store.find("namespaces", {"", key.ns});
    if (!stored) return not_found(namespaces, key.ns);
    if (find(*json_of(*stored), {"metadata", "deletionTimestamp"})) {
        Status status = forbidden(kind, key.name,
                                  cat("unable to create new content in namespace ", key.ns,
                                      " because it is being terminated"));
        status.causes.push_back({"NamespaceTerminating",
                                 cat("namespace ", key.ns, " is being terminated"),
                                 "metadata.namespace"});
        return status;
    }
    if (kind.kind == "Pod") {
        const std::string account = string_at(object, {"spec", "serviceAccountName"}, "default");
        // The default account is made with the namespace, a moment later: do not race with it.
        if (account != "default" && !store.find("serviceaccounts", {key.ns, account})) {
            return forbidden(kind, key.name,
                             cat("error looking up service account ", key.ns, '/', account,
                                 ": serviceaccount \"", account, "\" not found"));
        }
    }
    return Ok{};
}

void mount_service_account(const ObjectKey& key, Json& pod, const StoreTransaction& store) {
    const Json* said = find(pod, {"spec", "automountServiceAccountToken"});
    if (said && said->is_boolean()) {
        if (!said->get<bool>()) return;
    } else {
        const std::string account = string_at(pod, {"spec", "serviceAccountName"}, "default");
        if (const StoredPtr stored = store.find("serviceaccounts", {key.ns, account})) {
            if (!bool_at(*json_of(*stored), {"automountServiceAccountToken"}, true)) return;
        }
    }
    Json& spec = pod["spec"];
    Json& volumes = spec["volumes"];
    if (!volumes.is_array()) volumes = Json::array();
    for (const Json& volume : volumes) {
        if (string_at(volume, {"name"}).starts_with("kube-api-access-")) return;
    }
    const std::string name = cat("kube-api-access-", random_suffix());
    volumes.push_back(token_volume(name));
    for (const char* field : {"containers", "initContainers"}) {
        if (Json* containers = find(spec, field); containers && containers->is_array()) {
            mount_in(*containers, name);
        }
    }
}

Answer<Ok> complete_create(const Kind& kind, const ObjectKey& key, Json& object,
                           const StoreTransaction& store) {
    if (kind.kind == "Pod") {
        Json& spec = object["spec"];
        if (!spec.contains("serviceAccountName")) {
            spec["serviceAccountName"] = "default";
            spec["serviceAccount"] = "default";
        }
        if (const std::string name = string_at(spec, {"runtimeClassName"}); !name.empty()) {
            return forbidden(kind, key.name,
                             cat("pod rejected: RuntimeClass \"", name, "\" not found"));
        }
        TRY(set_priority(kind, key, spec, store));
        mount_service_account(key, object, store);
    }
    if (kind.kind == "Ingress" && !find(object, {"spec", "ingressClassName"}) &&
        !find(object, {"metadata", "annotations", "kubernetes.io/ingress.class"})) {
        set_default_class(object, "ingressClassName", "ingressclasses.networking.k8s.io",
                          "ingressclass.kubernetes.io/is-default-class", store);
    }
    if (kind.kind == "PersistentVolumeClaim" && !find(object, {"spec", "storageClassName"}) &&
        !find(object, {"metadata", "annotations", "volume.beta.kubernetes.io/storage-class"})) {
        set_default_class(object, "storageClassName", "storageclasses.storage.k8s.io",
                          "storageclass.kubernetes.io/is-default-class", store);
    }
    complete_update(kind, object);
    return Ok{};
}

void complete_update(const Kind& kind, Json& object) {
    if (kind.kind == "Pod") tolerate_lost_nodes(object["spec"]);
}

bool is_immortal_namespace(std::string_view name) {
    return name == "default" || name == "kube-system" || name == "kube-public" ||
           name == "kube-node-lease";
}

}  // namespace kin
