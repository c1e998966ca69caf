#include "netns/network/pod_networks.h"

#include "core/base/log.h"
#include "core/base/strings.h"

namespace kin::netns {
namespace {

/// Eight hex digits that differ from one link to the next (FNV-1a).
std::string link_tag(const std::string& pod_uid, int link) {
    uint32_t hash = 2166136261u;
    for (const char c : cat(pod_uid, '#', link)) {
        hash = (hash ^ static_cast<uint8_t>(c)) * 16777619u;
    }
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(hash >> shift));
    return hex(bytes);
}

}  // namespace

Result<const PodNetwork*> PodNetworks::attach(const std::string& pod_uid, const std::string& node,
                                              Ipv4 wished) {
    if (const PodNetwork* attached = find(pod_uid)) return attached;
    const int number = node_number(node);
    KernelNode* const kernel = number == 0 ? nullptr : links_.find(node);
    if (!kernel) return Error(Errc::kNotFound, cat("there is no node ", node));
    NodeState& state = nodes_.try_emplace(node, links_.addresses().node_pods(number)).first->second;
    TRY_ASSIGN(const Ipv4 address, state.pool.take(wished));
    const int link = state.next_link++;
    const PodPlan plan =
        plan_pod(links_.addresses(), number, address, link, link_tag(pod_uid, link));
    auto netns = connect(*kernel, plan);
    if (!netns) {
        state.pool.give_back(address);
        return std::move(netns).error().context(cat("attach ", address, " to ", node));
    }
    const auto [added, is_new] =
        pods_.emplace(pod_uid, PodNetwork{node, address, std::move(netns).value(), link});
    return &added->second;
}

Result<Netns> PodNetworks::connect(KernelNode& node, const PodPlan& plan) {
    std::optional<Rtnl> inside;
    TRY_ASSIGN(Netns netns, Netns::create([&]() -> Result<> {
        TRY(write_sysctls(plan.sysctls, plan.optional_sysctls));
        TRY_ASSIGN(Rtnl opened, Rtnl::open_here());
        inside.emplace(std::move(opened));
        return Ok{};
    }));
    RtnlBatch pod;
    pod.add_veth({plan.pod_end, plan.node_end, &node.netns})
        .set_up(kLoopback)
        .add_address(plan.address)
        .set_up(kEth0)
        .set_neighbour(plan.gateway)
        .set_route(plan.default_route);
    TRY(inside->apply(pod));
    RtnlBatch outside;
    outside.set_up(plan.pod.link).set_neighbour(plan.pod).set_route(plan.pod_route);
    TRY(node.rtnl.apply(outside));
    return netns;
}

void PodNetworks::detach(const std::string& pod_uid) {
    const auto found = pods_.find(pod_uid);
    if (found == pods_.end()) return;
    const PodNetwork& pod = found->second;
    if (KernelNode* const node = links_.find(pod.node)) {
        RtnlBatch batch;
        batch.delete_route({pod.address, 32});
        auto unrouted = node->rtnl.apply(batch);
        // The route goes with the link anyway, only later.
        if (!unrouted) log_warn("netns", unrouted.error().text(), {{"pod", pod_uid}});
    }
    nodes_.at(pod.node).pool.give_back(pod.address);
    pods_.erase(found);
}

const PodNetwork* PodNetworks::find(const std::string& pod_uid) const {
    const auto found = pods_.find(pod_uid);
    return found == pods_.end() ? nullptr : &found->second;
}

}  // namespace kin::netns
