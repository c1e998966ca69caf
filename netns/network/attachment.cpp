#include "netns/network/attachment.h"

#include <algorithm>

namespace kin::netns {
namespace {

/// What the node sends to its pods comes from its own address, not from the gateway's.
Route to_pods(const AddressPlan& addresses, int node, Cidr destination, int link) {
    Route route = route_via(destination, {}, link);
    route.source = addresses.node(node);
    return route;
}

/// As kind and Calico do.
class PointToPoint final : public Attachment {
public:
    std::string_view name() const override { return "ptp"; }
    std::string_view words() const override { return "a routed veth per pod"; }

    HostPlan plan_node(const AddressPlan& addresses, int node) const override {
        HostPlan plan;
        // Every pod of the node has this one gateway; on lo it is up whatever pods come and go.
        plan.addresses = {{kLoopback, addresses.gateway(node), 32}};
        // Addresses of pods that are no more; living pods have longer routes.
        plan.routes = {unreachable(addresses.node_pods(node))};
        return plan;
    }
    Mac gateway_mac(const AddressPlan&, int, Ipv4 pod) const override { return far_mac_of(pod); }
    HostPlan plan_pod(const AddressPlan& addresses, int node, Ipv4 pod, int link) const override {
        HostPlan plan;
        plan.checked = {link};
        plan.up = {link};
        plan.neighbours = {{link, pod, mac_of(pod)}};
        plan.routes = {to_pods(addresses, node, {pod, 32}, link)};
        return plan;
    }
};

/// As Flannel and k3s do, but with isolated ports: pods send to the gateway also what is for pods
/// of the same node. Were it bridged, it would pass no IP hook, and a Service that leads from one
/// pod to another of the node would get answers from the wrong address.
class Bridged final : public Attachment {
public:
    std::string_view name() const override { return "bridge"; }
    std::string_view words() const override {
        return "an isolated port of the bridge cni0 per pod";
    }

    HostPlan plan_node(const AddressPlan& addresses, int node) const override {
        const Ipv4 gateway = addresses.gateway(node);
        const Cidr pods = addresses.node_pods(node);
        HostPlan plan;
        plan.optional_sysctls = plain_bridges();
        plan.bridges = {{"cni0", kPodBridge, mac_of(gateway)}};
        plan.addresses = {{kPodBridge, gateway, pods.bits}};
        plan.checked = {kPodBridge};
        plan.up = {kPodBridge};
        // In the place of the kernel's own, which has the gateway as source.
        plan.routes = {to_pods(addresses, node, pods, kPodBridge)};
        plan.sets = {senders(pods)};
        plan.chains = {check_senders()};
        return plan;
    }
    Mac gateway_mac(const AddressPlan& addresses, int node, Ipv4) const override {
        return mac_of(addresses.gateway(node));
    }
    HostPlan plan_pod(const AddressPlan&, int, Ipv4 pod, int link) const override {
        HostPlan plan;
        plan.ports = {{link, kPodBridge, HostPlan::Port::Trust::kIsolated}};
        plan.up = {link};
        plan.neighbours = {{kPodBridge, pod, mac_of(pod)}};
        plan.forwarding = {{link, mac_of(pod), {}}};
        plan.carriers = {link, kPodBridge};  // The bridge has none before its first port.
        return plan;
    }

private:
    static nft::Fields sender() { return {nft::kSourceMac, nft::kSourceAddress}; }
    /// All the pods that the node may ever have. A port takes its pod's MAC only, and what has come
    /// through a port looks to the node like anything from cni0, whose rp_filter takes each of its
    /// pods' addresses: this joins the one to the other. It need not follow the pods that come and
    /// go, as MACs are derived from addresses.
    static nft::Set senders(Cidr pods) {
        nft::Set set;
        set.shape.name = "pods";
        set.shape.key = sender();
        set.shape.comment = "who sends from which MAC";
        for (uint32_t host = 2; host + 1 < pods.size(); ++host) {  // .1 is the gateway.
            const Ipv4 pod = pods.address.plus(host);
            set.elements[nft::Key(pod, pod)] = {};
        }
        return set;
    }
    static nft::Chain check_senders() {
        nft::Rule rule;
        rule.statements = {nft::InterfaceMatch{nft::Direction::kIn, "cni0"},
                           nft::SetMatch{sender(), "pods", nft::Sense::kIsNot}, nft::Counter{},
                           nft::drop()};
        rule.comment = "a pod speaks as itself only";
        nft::Chain chain;
        chain.name = "prerouting";
        // Before anything remembers the packet.
        chain.base = nft::Base{nft::Base::Type::kFilter, nft::Hook::kPrerouting, nft::kRawPriority};
        chain.rules = {std::move(rule)};
        return chain;
    }
};

}  // namespace

std::span<const Attachment* const> attachments() {
    static const PointToPoint kPointToPoint;
    static const Bridged kBridged;
    static const Attachment* const kAll[] = {&kPointToPoint, &kBridged};
    return kAll;
}

const Attachment* find_attachment(std::string_view name) {
    const auto all = attachments();
    const auto found = std::ranges::find(all, name, &Attachment::name);
    return found == all.end() ? nullptr : *found;
}

}  // namespace kin::netns
