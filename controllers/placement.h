#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "controllers/eligibility.h"
#include "core/api/views.h"

namespace kin::controllers {

/// Where pods go: the cluster as the scheduler sees it, with the pods it has just placed counted
/// in. Pure; nodes and pods given must outlive it.
class Placement {
public:
    /// Where a pod goes, or why nowhere.
    struct Decision {
        std::string node;     ///< "": no node fits
        std::string message;  ///< "0/3 nodes are available: 3 Insufficient cpu. ..."
    };

    explicit Placement(const std::vector<const Node*>& nodes);
    /// Counts a pod that is on a node (or about to be).
    void add(const Pod& pod, const std::string& node);
    /// Chooses among the nodes that fit: the one preferred, with the fewest pods of the same owner,
    /// then the fewest pods, then by name. The pod is counted in.
    Decision place(const Pod& pod);

private:
    struct HostPort {
        uint16_t port;
        Protocol protocol;
        std::string address;
    };
    struct Place {
        const Node* node;
        std::vector<Taint> taints;
        Request free;
        int64_t free_pods;
        int pods = 0;
        std::map<std::string, int> of_owner;
        std::vector<HostPort> ports;
        std::vector<const Pod*> placed;
        std::vector<const Pod*> unsociable;  // Those placed with an anti-affinity of their own.
    };
    static std::vector<HostPort> host_ports(const Pod& pod);
    static bool ports_clash(const Place& place, const std::vector<HostPort>& wanted);
    /// Why `pod` cannot run there, in the words of events; empty if it can.
    std::vector<std::string> obstacles(const Pod& pod, const Place& place) const;
    /// Required pod affinity and anti-affinity, of `pod` and against it.
    std::string affinity_obstacle(const Pod& pod, const Place& place) const;
    bool term_met(const Pod& pod, const Json& term, const Place& place) const;
    static std::string owner_of(const Pod& pod);

    std::vector<Place> places_;
};

}  // namespace kin::controllers
