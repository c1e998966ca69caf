#pragma once

#include <string>
#include <vector>

#include "core/api/views.h"
#include "core/base/json.h"

namespace kin::controllers {

/// Which nodes a pod may run on, by what both say: selectors, affinity, taints. Pure; the
/// scheduler and DaemonSets share it.

struct Taint {
    std::string key, value, effect;
};

/// The node's taints, and those that follow from its state: not ready, unschedulable.
std::vector<Taint> taints_of(const Node& node);

/// One of `tolerations` (of a pod spec) tolerates `taint`.
bool tolerates(const Json& tolerations, const Taint& taint);

/// The first taint with one of `effects` that `tolerations` do not tolerate; nullptr if there is
/// none.
const Taint* find_untolerated(const std::vector<Taint>& taints, const Json& tolerations,
                              std::initializer_list<std::string_view> effects);

/// spec.nodeSelector and the required terms of spec.affinity.nodeAffinity of `pod_spec`.
bool selects_node(const Json& pod_spec, const Node& node);
/// The sum of the weights of the preferred terms that match.
int64_t node_preference(const Json& pod_spec, const Node& node);

/// What a pod asks of a node: the sum of its containers, or its largest init container.
struct Request {
    int64_t cpu_milli = 0;
    int64_t memory_bytes = 0;
};
Request request_of(const Json& pod_spec);

}  // namespace kin::controllers
