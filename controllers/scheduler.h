#pragma once

#include <map>
#include <set>
#include <string>

#include "controllers/placement.h"
#include "core/base/lifetime.h"
#include "core/client/client.h"
#include "core/loop/debounce.h"

namespace kin::controllers {

/// Gives each pod a node: pods spread over the nodes that can take them. All pods that wait are
/// placed in one pass; what is decided and not yet written counts as if it were.
class Scheduler {
public:
    explicit Scheduler(Client& client);

private:
    Result<> place_waiting();
    void bind(const Pod& pod, const std::string& node);
    /// Says once per reason why no node takes the pod.
    void report(const Pod& pod, const std::string& why);

    Client& client_;
    Cache<Pod>& pods_;
    Cache<Node>& nodes_;
    std::set<ObjectKey> waiting_;               // Have no node, and none is being written.
    std::map<ObjectKey, std::string> assumed_;  // Their binding is being written.
    std::map<ObjectKey, std::string> told_;     // What was last reported.
    Debounce work_;
    Lifetime lifetime_;  // Last: callbacks end before what they touch.
};

}  // namespace kin::controllers
