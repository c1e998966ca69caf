#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/ingress_views.h"
#include "core/api/policy_views.h"
#include "core/api/views.h"

namespace kin::web {

/// The cluster as the page draws it: flat things with an id, each one small JSON object. Pure.
///
///   host/NODE             a node, from its Node object, and how it is joined to pods and nodes;
///                         the router and hosts outside are the lab's
///   pod/NS/NAME           where it runs, its address, how it is
///   service/NS/NAME       its addresses and ports, and what stands behind it
///   ingress/NS/NAME       which host and path lead to which Service
///   policy/NS/NAME        which pods it isolates, and in which direction
///
/// Things that have a place of their own on the map also get its number: "slot", of web/slots.h.
/// What matters to a page but is not drawn (a policy's rules, a Service's traffic policy) shows in a
/// thing's "revision", so that pages ask again. Ids are kind, namespace and name, so that one and the
/// same place is kept for an object that was deleted and made anew.
std::string id_of(std::string_view kind, const ObjectKey& key);

/// A host that is no Kubernetes node.
struct Outsider {
    std::string name, address;
    std::string role;  ///< "router", "outside"
};
Json host_json(const Outsider& host);
Json host_json(const Node& node);
/// `link`: what the node calls its end of the pod's veth; "" if it has none.
Json pod_json(const Pod& pod, const std::string& link);
/// Why a pod is as it is, as kubectl's column STATUS says it: "Running", "CrashLoopBackOff",
/// "Init:0/1", "Terminating".
std::string pod_status(const Pod& pod);
Json service_json(const Service& service, const std::vector<const EndpointSlice*>& slices);
Json ingress_json(const Ingress& ingress);
/// `pods`: those of its namespace that it selects.
Json policy_json(const NetworkPolicy& policy, const std::vector<const Pod*>& pods);

/// What leads a page from one state of the topology to the next.
struct Delta {
    std::map<std::string, std::string> set;  ///< id -> the thing as JSON text
    std::vector<std::string> gone;           ///< ids
    bool empty() const { return set.empty() && gone.empty(); }
    std::string text() const;  ///< {"type":"delta","set":[...],"gone":[...]}
};

/// The whole, held as the texts that pages get.
class Topology {
public:
    /// Takes a thing's new state (null: it is gone) into `delta`, unless nothing changed.
    void put(const std::string& id, const Json& thing, Delta& delta);
    void apply(const Delta& delta);
    /// {"type":"snapshot",...HEAD,"things":[...]}; `head` is an object with what else to tell.
    std::string snapshot(const Json& head) const;
    const std::map<std::string, std::string>& things() const { return things_; }

private:
    std::map<std::string, std::string> things_;
};

}  // namespace kin::web
