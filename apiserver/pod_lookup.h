#pragma once

#include <string>
#include <string_view>

#include "core/api/status.h"
#include "core/base/json.h"
#include "core/store/store.h"

namespace kin::apiserver {

/// A container of a stored pod, for requests that reach into it.
struct FoundContainer {
    Json pod;
    std::string name;
};

/// The container that `container` names, or the pod's only one if it is "". Fails as Kubernetes
/// does: 404 without the pod, 400 if the name fits none or several could be meant.
Answer<FoundContainer> find_container(const Store& store, const ObjectKey& pod,
                                      std::string_view container);

/// Fails with 404 without the pod, with 400 unless it runs.
Answer<Ok> require_running(const Store& store, const ObjectKey& pod);

/// Why the container has no log yet, 400: not scheduled, or waiting to start.
Answer<Ok> require_log(const FoundContainer& found, bool previous);

}  // namespace kin::apiserver
