#pragma once

#include <string>

#include "controllers/owner_graph.h"
#include "core/base/lifetime.h"
#include "core/client/client.h"
#include "core/loop/work_queue.h"

namespace kin::controllers {

/// Deletes objects whose owners are gone, of whatever kind, and carries out foreground and orphan
/// deletion.
class GarbageCollector {
public:
    explicit GarbageCollector(Client& client);

private:
    Result<> collect(const std::string& uid);
    void carry_out(const OwnerGraph::Action& action, const std::string& asked_by);
    void drop_owners(const OwnerGraph::Item& item, const OwnerGraph::Action& action,
                     Client::Done done);

    Client& client_;
    OwnerGraph graph_;
    WorkQueue<std::string> queue_;
    Lifetime lifetime_;  // Last: callbacks end before what they touch.
};

}  // namespace kin::controllers
