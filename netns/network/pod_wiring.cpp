#include "netns/network/pod_wiring.h"

#include <optional>

#include "netns/network/node_links.h"

namespace kin::netns {

Result<Netns> wire_pod(const Netns& node, Rtnl& node_links, const PodPlan& plan) {
    std::optional<Rtnl> inside;
    TRY_ASSIGN(Netns netns, Netns::create([&]() -> Result<> {
                   TRY(write_sysctls(plan.sysctls, plan.optional_sysctls));
                   TRY_ASSIGN(Rtnl opened, Rtnl::open_here());
                   inside.emplace(std::move(opened));
                   return Ok{};
               }));
    RtnlBatch pod;
    pod.add_veth({plan.pod_end, plan.node_end, &node, plan.mtu_bytes})
        .set_up(kLoopback)
        .add_address(plan.address)
        .set_up(kEth0)
        .set_neighbour(plan.gateway)
        .set_route(plan.default_route);
    TRY(inside->apply(pod));
    RtnlBatch outside;
    add_to(outside, plan.node);
    TRY(node_links.apply(outside));
    // The end that was up first has waited for the other one; the second is whole from the start.
    TRY(inside->apply(RtnlBatch().settle_carrier(kEth0)));
    return netns;
}

void PodWiring::wire(const std::string& node_name, const Netns& node, PodPlan plan, Done done) {
    // A descriptor of its own: the node may leave meanwhile.
    auto there = node.duplicate();
    if (!there)
        return control_.post(
            [done = std::move(done), error = there.error()]() mutable { done(std::move(error)); });
    thread_.post([this, node_name, there = std::move(there).value(), plan = std::move(plan),
                  done = std::move(done)]() mutable {
        auto made = wire_here(node_name, there, plan);
        control_.post(
            [done = std::move(done), made = std::move(made)]() mutable { done(std::move(made)); });
    });
}

void PodWiring::forget(const std::string& node_name) {
    thread_.post([this, node_name] { nodes_.erase(node_name); });
}

Result<Netns> PodWiring::wire_here(const std::string& node_name, const Netns& node,
                                   const PodPlan& plan) {
    if (!is_home_) {
        TRY(leave_host_network());
        is_home_ = true;
    }
    TRY_ASSIGN(const uint64_t id, node.id());
    auto end = nodes_.find(node_name);
    if (end == nodes_.end() || end->second.id != id) {
        TRY_ASSIGN(Rtnl links, Rtnl::open(node));
        end = nodes_.insert_or_assign(node_name, NodeEnd{id, std::move(links)}).first;
    }
    return wire_pod(node, end->second.links, plan);
}

}  // namespace kin::netns
