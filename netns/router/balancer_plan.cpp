#include "netns/router/balancer_plan.h"

#include <algorithm>

namespace kin::netns {

bool takes_traffic(const Node& node) {
    return node.ready &&
           !node.meta.labels.contains("node.kubernetes.io/exclude-from-external-load-balancers");
}

std::vector<std::string> nodes_behind(const Service& service,
                                      const std::vector<const EndpointSlice*>& slices,
                                      const std::vector<std::string>& nodes) {
    if (!service.external_local) return nodes;
    std::vector<std::string> chosen;
    for (const std::string& node : nodes) {
        const bool has_endpoint = std::ranges::any_of(slices, [&](const EndpointSlice* slice) {
            return std::ranges::any_of(slice->endpoints, [&](const auto& endpoint) {
                return endpoint.ready && endpoint.node == node;
            });
        });
        if (has_endpoint) chosen.push_back(node);
    }
    return chosen.empty() ? nodes : chosen;
}

}  // namespace kin::netns
