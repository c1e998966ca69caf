// Configuration, storage, rights and the rest.

#include "apiserver/table_columns.h"
#include "core/base/strings.h"

namespace kin::apiserver::table {
namespace {

/// How many entries the maps or lists at `fields` have together. Announced as a string, though
/// the cell is a number: so it is upstream.
Column count(std::string_view name, std::vector<std::string_view> fields) {
    return {name, [fields = std::move(fields)](const Row& row) -> Json {
                size_t entries = 0;
                for (const std::string_view field : fields) {
                    const Json* found = find(row.object, field);
                    if (found && !found->is_null()) entries += found->size();
                }
                return entries;
            }};
}

std::string access_modes(const Json& modes) {
    std::vector<std::string> parts;
    for (const Json& mode : modes) {
        const std::string name = scalar_text(mode);
        parts.push_back(name == "ReadWriteOnce"      ? "RWO"
                        : name == "ReadOnlyMany"     ? "ROX"
                        : name == "ReadWriteMany"    ? "RWX"
                        : name == "ReadWriteOncePod" ? "RWOP"
                                                     : name);
    }
    return join(parts, ",");
}

Json volume_status(const Row& row) {
    if (find(row.object, JsonPath{"metadata", "deletionTimestamp"})) return "Terminating";
    return string_at(row.object, {"status", "phase"});
}

std::string storage_of(const Json& quantities) {
    const Json* storage = find(quantities, "storage");
    return storage ? scalar_text(*storage) : "";
}

Json storage_class_of(const Row& row) {
    const std::string old = string_at(
        row.object, {"metadata", "annotations", "volume.beta.kubernetes.io/storage-class"});
    return old.empty() ? string_at(row.object, {"spec", "storageClassName"}) : old;
}

Columns of_volume() {
    return {name_column(),
            {"Capacity",
             [](const Row& row) -> Json {
                 return storage_of(object_at(row.object, {"spec", "capacity"}));
             }},
            {"Access Modes",
             [](const Row& row) -> Json {
                 return access_modes(array_at(row.object, {"spec", "accessModes"}));
             }},
            text("Reclaim Policy", {"spec", "persistentVolumeReclaimPolicy"}),
            {"Status", volume_status},
            {"Claim",
             [](const Row& row) -> Json {
                 const std::string name = string_at(row.object, {"spec", "claimRef", "name"});
                 if (name.empty()) return "";
                 return cat(string_at(row.object, {"spec", "claimRef", "namespace"}), '/', name);
             }},
            {"StorageClass", storage_class_of},
            text("Reason", {"status", "reason"}),
            age_column(),
            wide(text("VolumeMode", {"spec", "volumeMode"}, "<unset>"))};
}

Columns of_claim() {
    const auto bound = [](const Row& row) {
        return !string_at(row.object, {"spec", "volumeName"}).empty();
    };
    return {
        name_column(),
        {"Status", volume_status},
        text("Volume", {"spec", "volumeName"}),
        {"Capacity",
         [bound](const Row& row) -> Json {
             if (!bound(row)) return "";
             const std::string storage = storage_of(object_at(row.object, {"status", "capacity"}));
             return storage.empty() ? "0" : storage;
         }},
        {"Access Modes",
         [bound](const Row& row) -> Json {
             return bound(row) ? access_modes(array_at(row.object, {"status", "accessModes"})) : "";
         }},
        {"StorageClass", storage_class_of},
        age_column(),
        wide(text("VolumeMode", {"spec", "volumeMode"}, "<unset>"))};
}

Json storage_class_name(const Row& row) {
    const std::string name = string_at(row.object, {"metadata", "name"});
    for (const char* annotation : {"storageclass.kubernetes.io/is-default-class",
                                   "storageclass.beta.kubernetes.io/is-default-class"}) {
        if (string_at(row.object, {"metadata", "annotations", annotation}) == "true") {
            return name + " (default)";
        }
    }
    return name;
}

Columns of_storage_class() {
    return {{"Name", storage_class_name, "string", 0, "name"},
            text("Provisioner", {"provisioner"}),
            text("ReclaimPolicy", {"reclaimPolicy"}, "Delete"),
            text("VolumeBindingMode", {"volumeBindingMode"}, "Immediate"),
            {"AllowVolumeExpansion",
             [](const Row& row) -> Json { return bool_at(row.object, {"allowVolumeExpansion"}); }},
            age_column()};
}

/// The subjects of one kind, as a binding's wide columns list them.
Column subjects(std::string_view name, std::string_view kind) {
    return wide({name, [kind](const Row& row) -> Json {
                     std::vector<std::string> parts;
                     for (const Json& subject : array_at(row.object, {"subjects"})) {
                         if (string_at(subject, {"kind"}) != kind) continue;
                         const std::string who = string_at(subject, {"name"});
                         const std::string ns = string_at(subject, {"namespace"});
                         parts.push_back(kind == "ServiceAccount" ? cat(ns, '/', who) : who);
                     }
                     return join(parts, ", ");
                 }});
}

Columns of_binding() {
    return {name_column(),
            {"Role",
             [](const Row& row) -> Json {
                 return cat(string_at(row.object, {"roleRef", "kind"}), '/',
                            string_at(row.object, {"roleRef", "name"}));
             }},
            age_column(),
            subjects("Users", "User"),
            subjects("Groups", "Group"),
            subjects("ServiceAccounts", "ServiceAccount")};
}

/// "pods: 1/10, services: 0/5": what is used of what is allowed; limits or all else.
Column quota_column(std::string_view name, bool limits) {
    return {name, [limits](const Row& row) -> Json {
                std::vector<std::string> parts;
                for (const auto& [what, hard] : object_at(row.object, {"status", "hard"}).items()) {
                    if (what.starts_with("limits.") != limits) continue;
                    const Json* used = find(row.object, JsonPath{"status", "used", what});
                    parts.push_back(
                        cat(what, ": ", used ? scalar_text(*used) : "0", '/', scalar_text(hard)));
                }
                return join(parts, ", ");
            }};
}

Columns of_priority_class() {
    return {
        name_column(),
        integer("Value", {"value"}),
        {"Global-Default",
         [](const Row& row) -> Json { return bool_at(row.object, {"globalDefault"}); }, "boolean"},
        age_column()};
}

}  // namespace

Columns other_columns(std::string_view kind) {
    if (kind == "ConfigMap") {
        return {name_column(), count("Data", {"data", "binaryData"}), age_column()};
    }
    if (kind == "Secret") {
        return {name_column(), text("Type", {"type"}), count("Data", {"data"}), age_column()};
    }
    if (kind == "ServiceAccount") {
        return {name_column(), count("Secrets", {"secrets"}), age_column()};
    }
    if (kind == "PersistentVolume") return of_volume();
    if (kind == "PersistentVolumeClaim") return of_claim();
    if (kind == "StorageClass") return of_storage_class();
    if (kind == "RoleBinding" || kind == "ClusterRoleBinding") return of_binding();
    if (kind == "Role" || kind == "ClusterRole" || kind == "LimitRange") {
        return {name_column(), created_column()};
    }
    if (kind == "ResourceQuota") {
        return {name_column(), age_column(), quota_column("Request", false),
                quota_column("Limit", true)};
    }
    if (kind == "PriorityClass") return of_priority_class();
    if (kind == "Lease") {
        return {name_column(), text("Holder", {"spec", "holderIdentity"}), age_column()};
    }
    if (kind == "PodTemplate") {
        Column containers = containers_column({"template"});
        Column images = images_column({"template"});
        containers.priority = images.priority = 0;
        return {name_column(), containers, images,
                labels_column("Pod Labels", {"template", "metadata", "labels"})};
    }
    return {};
}

}  // namespace kin::apiserver::table
