#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/api/selectors.h"
#include "core/api/views.h"

namespace kin {

/// Views of workloads and of what they keep: read by their controllers and the node agent alone.

struct ReplicationController : View {
    static constexpr std::string_view kResource = "replicationcontrollers";
    int replicas = 1;
    LabelSelector selector;
};

struct StatefulSet : View {
    static constexpr std::string_view kResource = "statefulsets.apps";
    int replicas = 1;
    LabelSelector selector;
};

struct ControllerRevision : View {
    static constexpr std::string_view kResource = "controllerrevisions.apps";
    int64_t revision = 0;
};

struct Job : View {
    static constexpr std::string_view kResource = "jobs.batch";
    LabelSelector selector;
};

struct CronJob : View {
    static constexpr std::string_view kResource = "cronjobs.batch";
};

struct PersistentVolumeClaim : View {
    static constexpr std::string_view kResource = "persistentvolumeclaims";
    std::string volume;                        ///< spec.volumeName; "" until bound
    std::optional<std::string> storage_class;  ///< none: the default class
    bool bound = false;
};

struct PersistentVolume : View {
    static constexpr std::string_view kResource = "persistentvolumes";
    std::string storage_class;
    ObjectKey claim;        ///< spec.claimRef; empty: free
    std::string claim_uid;  ///< "": reserved by name only
};

struct StorageClass : View {
    static constexpr std::string_view kResource = "storageclasses.storage.k8s.io";
};

}  // namespace kin
