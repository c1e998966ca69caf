#include "netns/network/plan.h"

#include "core/base/strings.h"
#include "netns/network/egress.h"

namespace kin::netns {
namespace {

// Ifindexes in the router and on the fabric.
constexpr int kOutsideBridge = 3;
constexpr int kClientPort = 4;
constexpr int kInternetPort = 5;
constexpr int kFabricBridge = 2;
constexpr int kFabricRouterPort = 3;
constexpr int kFabricFirstNodePort = 10;

std::vector<Sysctl> forwarding() {
    return {
        {"net/ipv4/ip_forward", "1"},
        // Replies may leave by another link than the one requests came from.
        {"net/ipv4/conf/all/rp_filter", "0"},
        {"net/ipv4/conf/default/rp_filter", "0"},
        // Two pods of a node reach each other over it although a shorter way seems to exist.
        {"net/ipv4/conf/all/send_redirects", "0"},
        {"net/ipv4/conf/default/send_redirects", "0"},
    };
}

/// Of several equal routes each connection takes one, not each pair of hosts.
const Sysctl kHashPorts{"net/ipv4/fib_multipath_hash_policy", "1"};

/// What a namespace with a bridge has of settings.
std::vector<Sysctl> of_bridges() {
    std::vector<Sysctl> settings = plain_bridges();
    settings.push_back(no_ipv6());
    return settings;
}

HostPlan plan_fabric() {
    HostPlan fabric;
    fabric.name = "fabric";
    fabric.optional_sysctls = of_bridges();
    fabric.bridges = {{"fabric", kFabricBridge, {}}};
    fabric.ports = {{kFabricRouterPort, kFabricBridge}};
    fabric.up = {kFabricBridge, kFabricRouterPort};
    return fabric;
}

HostPlan plan_router(const AddressPlan& plan) {
    HostPlan router;
    router.name = "router";
    router.sysctls = forwarding();
    router.sysctls.push_back(kHashPorts);
    router.optional_sysctls = of_bridges();
    router.bridges = {{"outside", kOutsideBridge, mac_of(plan.outside_router())}};
    router.ports = {{kClientPort, kOutsideBridge}, {kInternetPort, kOutsideBridge}};
    router.addresses = {{kEth0, plan.router(), plan.nodes.bits},
                        {kOutsideBridge, plan.outside_router(), plan.outside.bits}};
    router.up = {kLoopback, kEth0, kOutsideBridge, kClientPort, kInternetPort};
    for (const Ipv4 host : {plan.client(), plan.internet()}) {
        router.neighbours.push_back({kOutsideBridge, host, mac_of(host)});
    }
    // As in most real networks, the router knows nothing of pods and Services.
    router.checked = {kOutsideBridge};  // Nobody out there can speak as a node.
    router.routes = {unreachable(plan.pods), unreachable(plan.services),
                     unreachable(plan.load_balancers)};
    return router;
}

HostPlan plan_outside_host(const AddressPlan& plan, std::string name, Ipv4 address) {
    HostPlan host;
    host.name = std::move(name);
    host.optional_sysctls = {no_ipv6()};
    host.addresses = {{kEth0, address, plan.outside.bits}};
    host.up = {kLoopback, kEth0};
    host.neighbours = {{kEth0, plan.outside_router(), mac_of(plan.outside_router())}};
    for (const Ipv4 other : {plan.client(), plan.internet()}) {
        if (other != address) host.neighbours.push_back({kEth0, other, mac_of(other)});
    }
    host.routes = {route_via({{0}, 0}, plan.outside_router(), kEth0)};
    return host;
}

HostPlan plan_node_alone(const NetworkShape& shape, int number) {
    const AddressPlan& plan = shape.addresses;
    HostPlan node;
    node.name = node_name(number);
    node.sysctls = forwarding();
    node.sysctls.push_back(kHashPorts);
    node.optional_sysctls = {no_ipv6()};
    node.addresses = {{kEth0, plan.node(number), plan.nodes.bits}};
    node.up = {kLoopback, kEth0};
    node.neighbours = {{kEth0, plan.router(), mac_of(plan.router())}};
    node.routes = {route_via({{0}, 0}, plan.router(), kEth0)};
    node.chains = {leave_as_node(plan, number)};
    append(node, shape.attachment->plan_node(plan, number));
    append(node, shape.overlay->plan_node(plan, number));
    return node;
}

/// "eth0" of a host, and the port at the other end of its cable.
Cable plan_cable(std::string host, Ipv4 address, std::string there, int port) {
    LinkEnd far{host, port, far_mac_of(address)};
    return {std::move(host), {"eth0", kEth0, mac_of(address)}, std::move(there), std::move(far)};
}

}  // namespace

const HostPlan* ClusterPlan::find(std::string_view host) const {
    for (const HostPlan& plan : hosts) {
        if (plan.name == host) return &plan;
    }
    return nullptr;
}

HostPlan plan_peer(const NetworkShape& shape, int node, int peer) {
    const Ipv4 address = shape.addresses.node(peer);
    HostPlan plan;
    plan.neighbours = {{kEth0, address, mac_of(address)}};
    append(plan, shape.overlay->plan_peer(shape.addresses, node, peer));
    return plan;
}

NodePlan plan_node(const NetworkShape& shape, int number, const std::vector<int>& others) {
    NodePlan plan;
    plan.host = plan_node_alone(shape, number);
    for (const int other : others) {
        if (other != number) append(plan.host, plan_peer(shape, number, other));
    }
    const Ipv4 address = shape.addresses.node(number);
    const int port = kFabricFirstNodePort + number;
    plan.cable = plan_cable(node_name(number), address, "fabric", port);
    plan.fabric.ports = {{port, kFabricBridge}};
    plan.fabric.up = {port};
    plan.router.neighbours = {{kEth0, address, mac_of(address)}};
    return plan;
}

ClusterPlan plan_cluster(const NetworkShape& shape, const std::vector<int>& nodes) {
    const AddressPlan& addresses = shape.addresses;
    ClusterPlan plan;
    plan.hosts = {plan_fabric(), plan_router(addresses),
                  plan_outside_host(addresses, "client", addresses.client()),
                  plan_outside_host(addresses, "internet", addresses.internet())};
    plan.cables = {plan_cable("router", addresses.router(), "fabric", kFabricRouterPort),
                   plan_cable("client", addresses.client(), "router", kClientPort),
                   plan_cable("internet", addresses.internet(), "router", kInternetPort)};
    for (const int number : nodes) {
        NodePlan node = plan_node(shape, number, nodes);
        append(plan.hosts[0], node.fabric);
        append(plan.hosts[1], node.router);
        plan.hosts.push_back(std::move(node.host));
        plan.cables.push_back(std::move(node.cable));
    }
    return plan;
}

PodPlan plan_pod(const NetworkShape& shape, int node, Ipv4 pod, int link, std::string_view tag) {
    const AddressPlan& addresses = shape.addresses;
    const Ipv4 gateway = addresses.gateway(node);
    PodPlan plan;
    plan.pod_end = {"eth0", kEth0, mac_of(pod)};
    plan.node_end = {cat("veth", tag.substr(0, 11)), link, far_mac_of(pod)};
    plan.mtu_bytes = shape.overlay->pod_mtu_bytes();
    // Containers may open ports below 1024 whatever user they run as, as under containerd.
    plan.sysctls = {{"net/ipv4/ip_unprivileged_port_start", "0"}};
    plan.optional_sysctls = {no_ipv6()};
    plan.address = {kEth0, pod, 32};
    plan.gateway = {kEth0, gateway, shape.attachment->gateway_mac(addresses, node, pod)};
    plan.default_route = route_via({{0}, 0}, gateway, kEth0);
    plan.default_route.gateway = Route::Gateway::kOnLink;
    plan.node = shape.attachment->plan_pod(addresses, node, pod, link);
    return plan;
}

}  // namespace kin::netns
