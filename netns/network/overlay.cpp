#include "netns/network/overlay.h"

#include <algorithm>

namespace kin::netns {
namespace {

/// The network between the nodes knows where pods are.
class PlainRoutes final : public Overlay {
public:
    std::string_view name() const override { return "none"; }
    std::string_view words() const override { return "plain routes between nodes"; }
    uint32_t pod_mtu_bytes() const override { return 0; }
    HostPlan plan_node(const AddressPlan&, int) const override { return {}; }
    HostPlan plan_peer(const AddressPlan& addresses, int, int peer) const override {
        HostPlan plan;
        plan.routes = {route_via(addresses.node_pods(peer), addresses.node(peer), kEth0)};
        return plan;
    }
};

/// The network between the nodes sees datagrams of nodes only. Programmed as Flannel's backend of
/// this name does: a node's end of the tunnel bears the first address of its pods' block, and each
/// node has fixed entries for every other one: a route, the neighbour that it leads to and the node
/// at which that neighbour's MAC is.
class VxlanTunnels final : public Overlay {
public:
    std::string_view name() const override { return "vxlan"; }
    std::string_view words() const override { return "VXLAN tunnels between nodes"; }
    uint32_t pod_mtu_bytes() const override { return kMtuBytes; }

    HostPlan plan_node(const AddressPlan& addresses, int node) const override {
        const Ipv4 end = end_of(addresses, node);
        HostPlan plan;
        Vxlan tunnel;
        tunnel.end = {"vxlan.1", kTunnel, mac_of(end)};
        tunnel.id = 1;
        tunnel.local = addresses.node(node);
        tunnel.link = kEth0;
        tunnel.mtu_bytes = kMtuBytes;
        plan.tunnels = {tunnel};
        plan.addresses = {{kTunnel, end, 32}};
        plan.up = {kTunnel};
        plan.chains = {tunnel_chain(addresses), input_chain(tunnel.port)};
        return plan;
    }
    HostPlan plan_peer(const AddressPlan& addresses, int node, int peer) const override {
        const Ipv4 end = end_of(addresses, peer);
        HostPlan plan;
        plan.neighbours = {{kTunnel, end, mac_of(end)}};
        plan.forwarding = {{kTunnel, mac_of(end), addresses.node(peer)}};
        Route route = route_via(addresses.node_pods(peer), end, kTunnel);
        route.gateway = Route::Gateway::kOnLink;
        // Pods see a node under one address, wherever they are.
        route.source = addresses.node(node);
        plan.routes = {route};
        return plan;
    }

private:
    /// The kernel unpacks whatever comes to a tunnel's port, and the packet inside has passed no
    /// check of senders: it could be from anybody, in everybody's name.
    static nft::Chain input_chain(uint16_t port) {
        nft::Chain chain;
        chain.name = "input";
        chain.base = nft::Base{nft::Base::Type::kFilter, nft::Hook::kInput, nft::kFilterPriority};
        chain.rules = {{{nft::PortMatch{nft::L4::kUdp, nft::Side::kDestination, port, port},
                         nft::goto_("tunnel")},
                        "what comes through a tunnel"}};
        return chain;
    }
    /// Pods cannot send as a node (their link takes their own address only), nor can the outside
    /// world (the router's does).
    static nft::Chain tunnel_chain(const AddressPlan& addresses) {
        const auto drop = [](nft::Statement match, std::string why) {
            return nft::Rule{{std::move(match), nft::Counter{}, nft::drop()}, std::move(why)};
        };
        const auto from = [](Cidr block, nft::Sense sense) {
            return nft::AddressMatch{nft::Side::kSource, block, sense};
        };
        nft::Chain chain;
        chain.name = "tunnel";
        chain.rules = {
            drop(nft::InterfaceMatch{nft::Direction::kIn, "eth0", nft::Sense::kIsNot},
                 "pods of this node do not tunnel"),
            drop(from(addresses.nodes, nft::Sense::kIsNot), "only nodes tunnel"),
            drop(from({addresses.router(), 32}, nft::Sense::kIs), "and the router is none")};
        return chain;
    }

    /// 1500 less the outer headers: 20 of IP, 8 of UDP, 8 of VXLAN and 14 of the inner Ethernet.
    static constexpr uint32_t kMtuBytes = 1450;

    static Ipv4 end_of(const AddressPlan& addresses, int node) {
        return addresses.node_pods(node).address;
    }
};

}  // namespace

std::span<const Overlay* const> overlays() {
    static const PlainRoutes kPlainRoutes;
    static const VxlanTunnels kVxlanTunnels;
    static const Overlay* const kAll[] = {&kPlainRoutes, &kVxlanTunnels};
    return kAll;
}

const Overlay* find_overlay(std::string_view name) {
    const auto all = overlays();
    const auto found = std::ranges::find(all, name, &Overlay::name);
    return found == all.end() ? nullptr : *found;
}

}  // namespace kin::netns
