#include "core/api/workload_views.h"

#include "core/api/view_fields.h"

namespace kin {

template <>
ReplicationController decode(std::shared_ptr<const Json> object) {
    auto view = with_metadata<ReplicationController>(std::move(object));
    view.replicas = static_cast<int>(int_at(view.spec(), {"replicas"}, 1));
    view.selector = LabelSelector::from_map(string_map_at(view.spec(), {"selector"}));
    return view;
}

template <>
StatefulSet decode(std::shared_ptr<const Json> object) {
    auto view = with_metadata<StatefulSet>(std::move(object));
    view.replicas = static_cast<int>(int_at(view.spec(), {"replicas"}, 1));
    view.selector = LabelSelector::from_json(object_at(view.spec(), {"selector"}));
    return view;
}

template <>
ControllerRevision decode(std::shared_ptr<const Json> object) {
    auto view = with_metadata<ControllerRevision>(std::move(object));
    view.revision = int_at(*view.object, {"revision"});
    return view;
}

template <>
Job decode(std::shared_ptr<const Json> object) {
    auto view = with_metadata<Job>(std::move(object));
    view.selector = LabelSelector::from_json(object_at(view.spec(), {"selector"}));
    return view;
}

template <>
PersistentVolumeClaim decode(std::shared_ptr<const Json> object) {
    auto view = with_metadata<PersistentVolumeClaim>(std::move(object));
    view.volume = string_at(view.spec(), {"volumeName"});
    if (find(view.spec(), "storageClassName")) {
        view.storage_class = string_at(view.spec(), {"storageClassName"});
    }
    view.bound = string_at(view.status(), {"phase"}) == "Bound";
    return view;
}

template <>
PersistentVolume decode(std::shared_ptr<const Json> object) {
    auto view = with_metadata<PersistentVolume>(std::move(object));
    view.storage_class = string_at(view.spec(), {"storageClassName"});
    view.claim = {string_at(view.spec(), {"claimRef", "namespace"}),
                  string_at(view.spec(), {"claimRef", "name"})};
    view.claim_uid = string_at(view.spec(), {"claimRef", "uid"});
    return view;
}

template <>
CronJob decode(std::shared_ptr<const Json> object) {
    return with_metadata<CronJob>(std::move(object));
}

template <>
StorageClass decode(std::shared_ptr<const Json> object) {
    return with_metadata<StorageClass>(std::move(object));
}

}  // namespace kin
