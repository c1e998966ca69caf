#include "controllers/daemon_plan.h"

#include <algorithm>
#include <map>

#include "controllers/eligibility.h"
#include "core/base/strings.h"

namespace kin::controllers {

namespace {
constexpr std::string_view kHashLabel = "controller-revision-hash";
constexpr std::string_view kRequired = "requiredDuringSchedulingIgnoredDuringExecution";

/// The pods' tolerations with those that every daemon has: it stays on troubled nodes.
Json daemon_tolerations(const Json& pod_spec) {
    Json out = array_at(pod_spec, {"tolerations"});
    const auto add = [&](std::string_view key, std::string_view effect) {
        Json toleration = {{"key", key}, {"operator", "Exists"}, {"effect", effect}};
        if (std::find(out.begin(), out.end(), toleration) == out.end()) {
            out.push_back(std::move(toleration));
        }
    };
    add("node.kubernetes.io/not-ready", "NoExecute");
    add("node.kubernetes.io/unreachable", "NoExecute");
    add("node.kubernetes.io/disk-pressure", "NoSchedule");
    add("node.kubernetes.io/memory-pressure", "NoSchedule");
    add("node.kubernetes.io/pid-pressure", "NoSchedule");
    add("node.kubernetes.io/unschedulable", "NoSchedule");
    if (bool_at(pod_spec, {"hostNetwork"})) {
        add("node.kubernetes.io/network-unavailable", "NoSchedule");
    }
    return out;
}

/// The node that a pod is on or meant for.
std::string node_of(const Pod& pod) {
    if (!pod.node.empty()) return pod.node;
    for (const Json& term :
         array_at(pod.spec(), {"affinity", "nodeAffinity", kRequired, "nodeSelectorTerms"})) {
        for (const Json& field : array_at(term, {"matchFields"})) {
            const Json& values = array_at(field, {"values"});
            if (string_at(field, {"key"}) == "metadata.name" && values.size() == 1 &&
                values[0].is_string()) {
                return values[0].get<std::string>();
            }
        }
    }
    return "";
}

enum class Fit { kWanted, kTolerated, kUnwanted };

Fit fit(const Json& pod_spec, const Json& tolerations, const Node& node) {
    const std::string fixed = string_at(pod_spec, {"nodeName"});
    if (!fixed.empty() && fixed != node.key().name) return Fit::kUnwanted;
    if (!selects_node(pod_spec, node)) return Fit::kUnwanted;
    const std::vector<Taint> taints = taints_of(node);
    if (find_untolerated(taints, tolerations, {"NoExecute"})) return Fit::kUnwanted;
    if (find_untolerated(taints, tolerations, {"NoSchedule"})) return Fit::kTolerated;
    return Fit::kWanted;
}

struct Counts {
    int desired = 0, current = 0, misscheduled = 0, ready = 0, available = 0, updated = 0;
};

/// One planning, with what its steps share.
class Planner {
public:
    Planner(const DaemonSet& set, const std::vector<const Pod*>& owned, WallTime now)
        : set_(set),
          pod_spec_(object_at(set.spec(), {"template", "spec"})),
          tolerations_(daemon_tolerations(pod_spec_)),
          hash_(daemon_hash(set)),
          min_ready_(int_at(set.spec(), {"minReadySeconds"})),
          now_(now) {
        for (const Pod* pod : owned) {
            if (set.selector.matches(pod->meta.labels)) by_node_[node_of(*pod)].push_back(pod);
        }
    }

    DaemonPlan plan(const std::vector<const Node*>& nodes) {
        for (const Node* node : nodes) visit(*node);
        // Their node is gone.
        for (const auto& [node, pods] : by_node_) remove_all(pods);
        if (string_at(set_.spec(), {"updateStrategy", "type"}, "RollingUpdate") ==
            "RollingUpdate") {
            replace_outdated();
        }
        if (set_.meta.deleting()) {
            plan_.create_on.clear();
            plan_.remove.clear();
        }
        write_status();
        return std::move(plan_);
    }

private:
    bool is_available(const Pod& pod) {
        const auto at = available_at(pod, min_ready_);
        if (!at) return false;
        if (*at <= now_) return true;
        if (!plan_.again_at || *at < *plan_.again_at) plan_.again_at = *at;
        return false;
    }

    bool is_current(const Pod& pod) const {
        const auto found = pod.meta.labels.find(kHashLabel);
        return found != pod.meta.labels.end() && found->second == hash_;
    }

    void remove_all(const std::vector<const Pod*>& pods) {
        for (const Pod* pod : pods) {
            if (!pod->meta.deleting()) plan_.remove.push_back(pod);
        }
    }

    void visit(const Node& node) {
        std::vector<const Pod*> pods;
        if (const auto found = by_node_.find(node.key().name); found != by_node_.end()) {
            pods = std::move(found->second);
            by_node_.erase(found);
        }
        const Fit fits = fit(pod_spec_, tolerations_, node);
        if (fits != Fit::kWanted && !pods.empty()) ++counts_.misscheduled;
        if (fits == Fit::kUnwanted) return remove_all(pods);
        if (fits == Fit::kWanted) ++counts_.desired;
        if (pods.empty()) {
            if (fits == Fit::kWanted) plan_.create_on.push_back(node.key().name);
            return;
        }
        const Pod* kept = choose(pods);
        if (fits == Fit::kWanted) count(kept);
    }

    /// The oldest pod that lives stays; the others go.
    const Pod* choose(std::vector<const Pod*>& pods) {
        std::sort(pods.begin(), pods.end(), [](const Pod* a, const Pod* b) {
            return std::tuple(a->node.empty(), a->meta.created, a->key()) <
                   std::tuple(b->node.empty(), b->meta.created, b->key());
        });
        const Pod* kept = nullptr;
        for (const Pod* pod : pods) {
            if (pod->meta.deleting()) continue;
            if (pod->finished()) {
                plan_.remove.push_back(pod);
                if (pod->phase == "Failed") plan_.failed.push_back(pod);
            } else if (kept) {
                plan_.remove.push_back(pod);
            } else {
                kept = pod;
            }
        }
        return kept;
    }

    void count(const Pod* kept) {
        ++counts_.current;
        if (!kept) return;
        const bool available = is_available(*kept);
        counts_.ready += kept->ready;
        counts_.available += available;
        if (is_current(*kept)) {
            ++counts_.updated;
        } else {
            (available ? outdated_ : outdated_unavailable_).push_back(kept);
        }
    }

    void replace_outdated() {
        const Json one = 1;
        const Json* limit =
            find(set_.spec(), {"updateStrategy", "rollingUpdate", "maxUnavailable"});
        const int unavailable =
            std::max(1, scaled_value(limit ? *limit : one, counts_.desired, Round::kUp));
        // Nothing is lost by replacing what does not work.
        for (const Pod* pod : outdated_unavailable_) plan_.remove.push_back(pod);
        int budget = unavailable - (counts_.desired - counts_.available);
        for (const Pod* pod : outdated_) {
            if (budget-- <= 0) break;
            plan_.remove.push_back(pod);
        }
    }

    void write_status() {
        plan_.status = {{"currentNumberScheduled", counts_.current},
                        {"numberMisscheduled", counts_.misscheduled},
                        {"desiredNumberScheduled", counts_.desired},
                        {"numberReady", counts_.ready},
                        {"observedGeneration", set_.meta.generation},
                        {"updatedNumberScheduled", or_absent(counts_.updated)},
                        {"numberAvailable", or_absent(counts_.available)},
                        {"numberUnavailable", or_absent(counts_.desired - counts_.available)}};
    }

    const DaemonSet& set_;
    const Json& pod_spec_;
    const Json tolerations_;
    const std::string hash_;
    const int64_t min_ready_;
    const WallTime now_;
    std::map<std::string, std::vector<const Pod*>> by_node_;
    std::vector<const Pod*> outdated_, outdated_unavailable_;
    Counts counts_;
    DaemonPlan plan_;
};
}  // namespace

std::string daemon_hash(const DaemonSet& set) {
    return template_hash(object_at(set.spec(), {"template"}),
                         int_at(set.status(), {"collisionCount"}));
}

Json daemon_pod(const DaemonSet& set, const std::string& node) {
    Json pod =
        pod_from_template(object_at(set.spec(), {"template"}), "apps/v1", "DaemonSet", set.meta);
    pod["metadata"]["labels"][std::string(kHashLabel)] = daemon_hash(set);
    pod["metadata"]["labels"]["pod-template-generation"] = std::to_string(set.meta.generation);
    Json& spec = pod["spec"];
    spec["tolerations"] = daemon_tolerations(spec);
    spec["affinity"]["nodeAffinity"][std::string(kRequired)] = {
        {"nodeSelectorTerms",
         Json::array({{{"matchFields", Json::array({{{"key", "metadata.name"},
                                                     {"operator", "In"},
                                                     {"values", Json::array({node})}}})}}})}};
    return pod;
}

DaemonPlan plan_daemons(const DaemonSet& set, const std::vector<const Pod*>& owned,
                        const std::vector<const Node*>& nodes, WallTime now) {
    return Planner(set, owned, now).plan(nodes);
}

}  // namespace kin::controllers
