#include "netns/router/balancer_routes.h"

#include "core/base/strings.h"
#include "netns/router/balancer_plan.h"

namespace kin::netns {

BalancerRoutes::BalancerRoutes(Client& client, NodeLinks& links)
    : links_(links),
      services_(client.cache<Service>()),
      nodes_(client.cache<Node>()),
      slices_(client,
              [this](const ObjectKey& key) {
                  const Service* service = services_.find(key);
                  if (service && service->external_local) mark(key);
              }),
      work_(client.loop(), {.name = "balancer_routes"}, [this] { return update(); }) {
    services_.on_change(lifetime_.bind(
        [this](const CacheChange<Service>& change) { mark(change.either().key()); }));
    nodes_.on_change(lifetime_.bind([this](const CacheChange<Node>& change) {
        const bool before = change.before && takes_traffic(*change.before);
        const bool now = change.now && takes_traffic(*change.now);
        if (before == now) return;
        services_.each([this](const Service& service) { mark(service.key()); });
    }));
    client.add_busy_check("balancer_routes", lifetime_.bind([this] { return work_.busy(); }));
}

void BalancerRoutes::mark(const ObjectKey& service) {
    const Service* found = services_.find(service);
    const bool balanced = found && !found->load_balancer_ips.empty();
    if (!balanced && !written_.contains(service)) return;
    dirty_.insert(service);
    work_.mark();
}

std::map<Ipv4, Route> BalancerRoutes::wanted(const ObjectKey& key) const {
    std::map<Ipv4, Route> routes;
    const Service* service = services_.find(key);
    if (!service || !service->load_balanced()) return routes;
    std::vector<std::string> nodes;
    for (const KernelNode* node : links_.nodes()) {
        const Node* registered = nodes_.find({"", node->name});
        if (registered && takes_traffic(*registered)) nodes.push_back(node->name);
    }
    const AddressPlan& plan = links_.addresses();
    Route route;
    for (const std::string& node : nodes_behind(*service, slices_.of(key), nodes))
        route.hops.push_back({plan.node(node_number(node)), 0});
    for (const std::string& text : service->load_balancer_ips) {
        const auto address = Ipv4::parse(text);
        if (!address || !plan.load_balancers.contains(*address)) continue;
        route.destination = {*address, 32};
        routes.emplace(*address, route);
    }
    return routes;
}

Result<> BalancerRoutes::update() {
    RtnlBatch batch;
    std::map<ObjectKey, std::map<Ipv4, Route>> changed;
    for (const ObjectKey& key : dirty_) {
        std::map<Ipv4, Route> now = wanted(key);
        const auto& before = written_[key];
        for (const auto& [address, route] : before) {
            if (!now.contains(address)) batch.delete_route({address, 32});
        }
        for (const auto& [address, route] : now) {
            const auto old = before.find(address);
            if (old == before.end() || old->second != route) batch.set_route(route);
        }
        changed.emplace(key, std::move(now));
    }
    if (!batch.empty()) {
        TRY(links_.find("router")->rtnl.apply(batch).context("lead load balancers to nodes"));
    }
    for (auto& [key, routes] : changed) {
        if (routes.empty()) {
            written_.erase(key);
        } else {
            written_[key] = std::move(routes);
        }
    }
    dirty_.clear();
    return Ok{};
}

}  // namespace kin::netns
