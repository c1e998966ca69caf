#pragma once

#include "core/base/lifetime.h"
#include "core/client/client.h"
#include "core/loop/debounce.h"

namespace kin::controllers {

/// Lets pods go whose node does not exist: nobody is there who could end them, so a pod that is
/// being deleted would stay for ever.
class PodsWithoutNode {
public:
    explicit PodsWithoutNode(Client& client);

private:
    Result<> remove_deleted();

    Client& client_;
    Cache<Pod>& pods_;
    Cache<Node>& nodes_;
    Debounce work_;
    Lifetime lifetime_;  // Last: callbacks end before what they touch.
};

}  // namespace kin::controllers
