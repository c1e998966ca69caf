#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "core/base/lifetime.h"
#include "core/client/client.h"
#include "core/client/service_slices.h"
#include "core/loop/debounce.h"
#include "web/slots.h"
#include "web/topology.h"

namespace kin::web {

/// Follows the cluster for the page: what changed within one turn becomes one Delta, at most every
/// 50 ms. As long as nobody looks it does nothing at all. Lives on the client's loop; construct it
/// there before Client::start() and destroy it there.
class TopologyFeed {
public:
    struct Options {
        std::vector<Outsider> outsiders;  ///< the hosts that are no nodes
        /// What a pod's node calls its end of the pod's veth; "" if it has none.
        std::function<std::string(const Pod& pod)> link_of;
    };
    TopologyFeed(Client& client, Options options);

    using Publish = std::function<void(Delta)>;
    /// Begins: the first Delta is the whole from nothing. An empty function ends it.
    void start(Publish publish);

private:
    struct Mark {
        std::string_view kind;
        ObjectKey key;
        auto operator<=>(const Mark&) const = default;
    };
    template <class T>
    void follow(std::string_view kind);
    void on_pod(const CacheChange<Pod>& change);
    void on_namespace(const CacheChange<Namespace>& change);
    void mark(std::string_view kind, const ObjectKey& key);
    void mark_policies_of(const Pod& pod);
    template <class T>
    void mark_all(std::string_view kind);
    Result<> publish_changes();
    Json describe(const Mark& mark);
    std::vector<const Pod*> pods_in(const std::string& ns);

    Client& client_;
    const Options options_;
    ServiceSlices slices_;
    Publish publish_;
    Topology topology_;
    Slots slots_;         ///< Kept while nobody looks: who comes back sees what he saw.
    bool whole_ = false;  ///< This turn tells everything that there is.
    std::set<Mark> dirty_;
    uint64_t relabelled_ = 0;  ///< How many times a namespace's labels have changed.
    Debounce work_;
    Lifetime lifetime_;  // Last: callbacks end before what they touch.
};

}  // namespace kin::web
