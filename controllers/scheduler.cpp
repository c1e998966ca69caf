#include "controllers/scheduler.h"

#include "controllers/events.h"
#include "controllers/owned.h"
#include "core/base/strings.h"

namespace kin::controllers {

namespace {
constexpr Reporter kReporter{"Pod", "v1", "default-scheduler"};

bool wants_a_node(const Pod& pod) {
    return pod.node.empty() && !pod.finished() && !pod.meta.deleting() &&
           string_at(pod.spec(), {"schedulerName"}, "default-scheduler") == "default-scheduler" &&
           array_at(pod.spec(), {"schedulingGates"}).empty();
}

/// What of a node the placement looks at, so that its heartbeats cause no work.
bool same_for_placement(const Node& a, const Node& b) {
    return a.ready == b.ready && a.unschedulable == b.unschedulable &&
           a.meta.labels == b.meta.labels &&
           array_at(a.spec(), {"taints"}) == array_at(b.spec(), {"taints"}) &&
           object_at(a.status(), {"allocatable"}) == object_at(b.status(), {"allocatable"});
}
}  // namespace

Scheduler::Scheduler(Client& client)
    : client_(client),
      pods_(client.cache<Pod>()),
      nodes_(client.cache<Node>()),
      work_(client.loop(), {.name = "scheduler"}, [this] { return place_waiting(); }) {
    pods_.on_change(lifetime_.bind([this](const CacheChange<Pod>& change) {
        const ObjectKey& key = change.either().key();
        if (change.now && wants_a_node(*change.now)) {
            if (assumed_.count(key) == 0) waiting_.insert(key);
            work_.mark();
            return;
        }
        waiting_.erase(key);
        assumed_.erase(key);
        told_.erase(key);
        // A pod that ends makes room for others.
        if (!waiting_.empty() && (!change.now || change.now->finished())) work_.mark();
    }));
    nodes_.on_change(lifetime_.bind([this](const CacheChange<Node>& change) {
        if (change.before && change.now && same_for_placement(*change.before, *change.now)) return;
        work_.mark();
    }));
    client.add_busy_check("scheduler", lifetime_.bind([this] { return work_.busy(); }));
}

Result<> Scheduler::place_waiting() {
    if (waiting_.empty()) return Ok{};
    std::vector<const Node*> nodes;
    nodes_.each([&](const Node& node) { nodes.push_back(&node); });
    Placement placement(nodes);
    pods_.each([&](const Pod& pod) {
        if (pod.finished()) return;
        const auto assumed = assumed_.find(pod.key());
        if (!pod.node.empty()) {
            placement.add(pod, pod.node);
        } else if (assumed != assumed_.end()) {
            placement.add(pod, assumed->second);
        }
    });
    const std::set<ObjectKey> waiting = std::move(waiting_);
    waiting_.clear();
    for (const ObjectKey& key : waiting) {
        const Pod* pod = pods_.find(key);
        if (!pod || !wants_a_node(*pod)) continue;
        const Placement::Decision decision = placement.place(*pod);
        if (decision.node.empty()) {
            waiting_.insert(key);
            report(*pod, decision.message);
        } else {
            bind(*pod, decision.node);
        }
    }
    return Ok{};
}

void Scheduler::bind(const Pod& pod, const std::string& node) {
    const ObjectKey key = pod.key();
    assumed_[key] = node;
    Json binding = {
        {"apiVersion", "v1"},
        {"kind", "Binding"},
        {"metadata", {{"name", key.name}, {"namespace", key.ns}, {"uid", pod.meta.uid}}},
        {"target", {{"apiVersion", "v1"}, {"kind", "Node"}, {"name", node}}}};
    const Metadata meta = pod.meta;
    client_.create_subresource(
        Pod::kResource, key, "binding", std::move(binding),
        lifetime_.bind([this, meta, node](Answer<Written> answer) {
            if (answer) {
                record(client_, kReporter, meta, EventType::kNormal, "Scheduled",
                       cat("Successfully assigned ", meta.key, " to ", node));
                return;
            }
            assumed_.erase(meta.key);
            const Pod* now = pods_.find(meta.key);
            if (!now || !wants_a_node(*now)) return;
            waiting_.insert(meta.key);
            // Refused for a reason that nothing we watch will change: say so, wait for an event.
            report(*now, answer.error().message);
        }));
}

void Scheduler::report(const Pod& pod, const std::string& why) {
    std::string& told = told_[pod.key()];
    if (told == why) return;
    told = why;
    record(client_, kReporter, pod.meta, EventType::kWarning, "FailedScheduling", why);
    Json conditions = Json::array();
    std::string since = rfc3339(std::chrono::system_clock::now());
    for (const Json& condition : array_at(pod.status(), {"conditions"})) {
        if (string_at(condition, {"type"}) != "PodScheduled") {
            conditions.push_back(condition);
        } else if (string_at(condition, {"status"}) == "False") {
            since = string_at(condition, {"lastTransitionTime"}, since);
        }
    }
    conditions.push_back({{"type", "PodScheduled"},
                          {"status", "False"},
                          {"reason", "Unschedulable"},
                          {"message", why},
                          {"lastTransitionTime", since}});
    client_.patch_status(Pod::kResource, pod.key(), {{"conditions", std::move(conditions)}});
}

}  // namespace kin::controllers
