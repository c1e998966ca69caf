#pragma once

#include <set>
#include <string>

#include "core/base/lifetime.h"
#include "core/client/client.h"
#include "core/loop/debounce.h"

namespace kin::controllers {

/// Lets pods go whose node does not exist: nobody is there who could end them. A pod that is being
/// deleted would stay for ever; the others go when their node leaves the cluster, as upstream's
/// garbage collector has it, but at once. A pod of a node that never was stays as it is.
class PodsWithoutNode {
public:
    explicit PodsWithoutNode(Client& client);

private:
    Result<> remove();

    Client& client_;
    Cache<Pod>& pods_;
    Cache<Node>& nodes_;
    std::set<std::string> left_;  // Nodes that were there.
    Debounce work_;
    Lifetime lifetime_;  // Last: callbacks end before what they touch.
};

}  // namespace kin::controllers
