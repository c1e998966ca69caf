#include "core/registry/admission.h"

#include "core/base/strings.h"
#include "core/registry/metadata.h"

namespace kin {

namespace {
constexpr std::string_view kTokenPath = "/var/run/secrets/kubernetes.io/serviceaccount";

Json token_volume(const std::string& name) {
    const Json ca = {{"name", "kube-root-ca.crt"},
                     {"items", {{{"key", "ca.crt"}, {"path", "ca.crt"}}}}};
    const Json ns = {{"items",
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
}  // namespace

Answer<Ok> admit_create(const Kind& kind, const ObjectKey& key, const Json& object,
                        const StoreTransaction& store) {
    if (!kind.namespaced) return Ok{};
    const Kind& namespaces = *find_resource("namespaces");
    const StoredPtr stored = store.find("namespaces", {"", key.ns});
    if (!stored) return not_found(namespaces, key.ns);
    const auto ns = parse_json(stored->body);
    if (ns && find(*ns, {"metadata", "deletionTimestamp"})) {
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
            const auto json = parse_json(stored->body);
            if (json && !bool_at(*json, {"automountServiceAccountToken"}, true)) return;
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

bool is_immortal_namespace(std::string_view name) {
    return name == "default" || name == "kube-system" || name == "kube-public" ||
           name == "kube-node-lease";
}

}  // namespace kin
