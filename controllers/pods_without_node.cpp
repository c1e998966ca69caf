#include "controllers/pods_without_node.h"

namespace kin::controllers {

PodsWithoutNode::PodsWithoutNode(Client& client)
    : client_(client),
      pods_(client.cache<Pod>()),
      nodes_(client.cache<Node>()),
      work_(client.loop(), {.name = "pods_without_node"}, [this] { return remove(); }) {
    pods_.on_change(lifetime_.bind([this](const CacheChange<Pod>& change) {
        const Pod* pod = change.now;
        if (pod && pod->meta.deleting() && !nodes_.find({"", pod->node})) work_.mark();
    }));
    nodes_.on_change(lifetime_.bind([this](const CacheChange<Node>& change) {
        const std::string& name = change.either().key().name;
        if (change.now) {
            left_.erase(name);
        } else {
            left_.insert(name);
            work_.mark();
        }
    }));
    client.add_busy_check("pods_without_node", lifetime_.bind([this] { return work_.busy(); }));
}

Result<> PodsWithoutNode::remove() {
    pods_.each([&](const Pod& pod) {
        if (nodes_.find({"", pod.node})) return;
        if (!pod.meta.deleting() && !left_.contains(pod.node)) return;
        DeleteOptions at_once;
        at_once.grace_period_seconds = 0;
        at_once.precondition_uid = pod.meta.uid;
        client_.remove(Pod::kResource, pod.key(), at_once);
    });
    return Ok{};
}

}  // namespace kin::controllers
