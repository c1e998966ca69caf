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

Result<PodNetworks::Place> PodNetworks::find_place(const std::string& node, Ipv4 wished) {
    const int number = node_number(node);
    if (number == 0 || !links_.find(node)) {
        return Error(Errc::kNotFound, cat("there is no node ", node));
    }
    NodeState& state = nodes_.try_emplace(node, links_.addresses().node_pods(number)).first->second;
    TRY_ASSIGN(const Ipv4 address, state.pool.take(wished));
    return Place{node, address, state.next_link++, {}};
}

PodPlan PodNetworks::plan(const std::string& pod_uid, const Place& place) const {
    return plan_pod(links_.shape(), node_number(place.node), place.address, place.link,
                    link_tag(pod_uid, place.link));
}

Result<const PodNetwork*> PodNetworks::settle(const std::string& pod_uid, const Place& place,
                                              Result<Netns> made) {
    if (!made) {
        nodes_.at(place.node).pool.give_back(place.address);
        return std::move(made).error().context(cat("attach ", place.address, " to ", place.node));
    }
    const auto [added, is_new] = pods_.emplace(
        pod_uid, PodNetwork{place.node, place.address, std::move(made).value(), place.link});
    return &added->second;
}

Result<const PodNetwork*> PodNetworks::attach(const std::string& pod_uid, const std::string& node,
                                              Ipv4 wished) {
    if (const PodNetwork* attached = find(pod_uid)) return attached;
    TRY_ASSIGN(const Place place, find_place(node, wished));
    KernelNode& kernel = *links_.find(node);
    return settle(pod_uid, place, wire_pod(kernel.netns, kernel.rtnl, plan(pod_uid, place)));
}

void PodNetworks::attach_soon(const std::string& pod_uid, const std::string& node, Ipv4 wished,
                              Attached done) {
    if (const auto coming = on_their_way_.find(pod_uid); coming != on_their_way_.end()) {
        coming->second.done = std::move(done);
        return;
    }
    if (!wiring_ || find(pod_uid)) return done(attach(pod_uid, node, wished));
    auto place = find_place(node, wished);
    if (!place) return done(std::move(place).error());
    Place& kept = on_their_way_[pod_uid] = std::move(place).value();
    kept.done = std::move(done);
    wiring_->wire(node, links_.find(node)->netns, plan(pod_uid, kept),
                  lifetime_.bind([this, pod_uid](Result<Netns> made) {
                      const Place here = std::move(on_their_way_.extract(pod_uid).mapped());
                      auto settled = settle(pod_uid, here, std::move(made));
                      if (here.done) return here.done(std::move(settled));
                      detach(pod_uid);
                  }));
}

void PodNetworks::detach(const std::string& pod_uid) {
    if (const auto coming = on_their_way_.find(pod_uid); coming != on_their_way_.end()) {
        coming->second.done = {};
        return;
    }
    const auto found = pods_.find(pod_uid);
    if (found == pods_.end()) return;
    const PodNetwork& pod = found->second;
    if (KernelNode* const node = links_.find(pod.node)) {
        RtnlBatch batch;
        take_from(batch, links_.shape().attachment->plan_pod(
                             links_.addresses(), node_number(pod.node), pod.address, pod.link));
        auto taken = node->rtnl.apply(batch);
        // Most of it goes with the link anyway, only later.
        if (!taken) log_warn("netns", taken.error().text(), {{"pod", pod_uid}});
    }
    nodes_.at(pod.node).pool.give_back(pod.address);
    pods_.erase(found);
}

void PodNetworks::forget_node(const std::string& node) {
    if (wiring_) wiring_->forget(node);
}

std::string PodNetworks::link_name(const std::string& pod_uid) const {
    const PodNetwork* const network = find(pod_uid);
    if (!network) return "";
    return plan(pod_uid, {network->node, network->address, network->link, {}}).node_end.name;
}

const PodNetwork* PodNetworks::find(const std::string& pod_uid) const {
    const auto found = pods_.find(pod_uid);
    return found == pods_.end() ? nullptr : &found->second;
}

}  // namespace kin::netns
